namespace LogAgent.Outputs.Kafka;

/// <summary>Log lines of the Kafka output.</summary>
internal static partial class KafkaLog
{
    [LoggerMessage(Level = LogLevel.Warning, Message = "Kafka output {Output}: {Records} records for {Topics} have waited {Seconds} s without one being acknowledged: {Cause}. They are kept and sent when it goes on.")]
    public static partial void Waiting(ILogger logger, string output, long records, string topics, int seconds, string cause);

    [LoggerMessage(Level = LogLevel.Information, Message = "Kafka output {Output}: records for topic '{Topic}' are acknowledged again.")]
    public static partial void GoesOn(ILogger logger, string output, string topic);

    [LoggerMessage(Level = LogLevel.Error, Message = "Kafka output {Output}: the brokers do not let the agent in: {Cause}. It goes on trying.")]
    public static partial void NoAccess(ILogger logger, string output, string cause);

    [LoggerMessage(Level = LogLevel.Error, Message = "Kafka output {Output}: the producer is made anew, because librdkafka gave it up: {Cause}. Records that were under way are sent again; some may come twice.")]
    public static partial void Reopened(ILogger logger, string output, string cause);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Kafka output {Output}: topic '{Topic}' refused a batch: {Cause}. Its records are sent one by one, which is slow; if this comes often, set max_message to the topic's max.message.bytes.")]
    public static partial void SentAlone(ILogger logger, string output, string topic, string cause);

    [LoggerMessage(Level = LogLevel.Debug, Message = "Kafka output {Output}: librdkafka: {Line}")]
    public static partial void Native(ILogger logger, string output, string line);
}
