namespace LogAgent.Outputs.Kafka;

/// <summary>What follows from a delivery report.</summary>
internal enum KafkaVerdict
{
    /// <summary>Keep the record and offer it again after a while.</summary>
    Wait,

    /// <summary>Its batch was refused for its size: find the record by sending each alone.</summary>
    TooLarge,

    /// <summary>Its batch was refused for what stands in it: find the record by sending each alone.</summary>
    Invalid,
}

/// <summary>What librdkafka's error codes mean here.</summary>
internal static class KafkaResponse
{
    public const int QueueFull = -184;
    public const int Fatal = -150;
    public const int InvalidTopic = 17;

    private const int PurgedFromQueue = -152;
    private const int PurgedInFlight = -151;
    private const int Tls = -181;
    private const int Authentication = -169;
    private const int SaslAuthenticationFailed = 58;
    private const int UnknownTopic = -188;
    private const int UnknownTopicOrPartition = 3;
    private const int TopicAuthorizationFailed = 29;
    private const int ClusterAuthorizationFailed = 31;
    private const int NotEnoughReplicas = 19;
    private const int NotEnoughReplicasAfterAppend = 20;

    public static bool IsPurge(int code) => code is PurgedFromQueue or PurgedInFlight;

    /// <summary>Trouble that does not pass by itself, and is reported at once.</summary>
    public static bool IsAccess(int code) => code is Authentication or SaslAuthenticationFailed or Tls;

    public static KafkaVerdict Judge(int code) => code switch
    {
        10 or 18 => KafkaVerdict.TooLarge,          // MSG_SIZE_TOO_LARGE, RECORD_LIST_TOO_LARGE
        32 or 43 or 87 => KafkaVerdict.Invalid,     // INVALID_TIMESTAMP, UNSUPPORTED_FOR_MESSAGE_FORMAT, INVALID_RECORD
        _ => KafkaVerdict.Wait,
    };

    /// <summary>Why records of a topic wait, with what to do about it.</summary>
    public static string Explain(int code) => code switch
    {
        UnknownTopic or UnknownTopicOrPartition => "the topic does not exist and the brokers do not create it: create it, or set auto.create.topics.enable on the brokers",
        TopicAuthorizationFailed => "the agent's user may not write to the topic: give it the rights Describe and Write on it",
        ClusterAuthorizationFailed => "the agent's user may not use an idempotent producer: give it the right IdempotentWrite on the cluster (brokers before 3.0 ask for it)",
        NotEnoughReplicas or NotEnoughReplicasAfterAppend => "fewer replicas are in sync than min.insync.replicas asks for: bring the missing brokers back",
        _ => Librdkafka.Describe(code),
    };

    /// <summary>An error of a connection in a sentence, with what to do about it.</summary>
    public static string ExplainConnection(int code, string text, KafkaOptions options)
    {
        if (code is Authentication or SaslAuthenticationFailed)
        {
            return options.Sasl is { Mechanism: not KafkaMechanism.Plain } && Librdkafka.ScramIsOutdated
                ? $"{text}. If user name and password are right: librdkafka {Librdkafka.Version} cannot do SCRAM with brokers from 3.8.1 on, which answer 'invalid credentials' to right ones. Use mechanism plain over TLS, or install librdkafka 2.6.1 or newer"
                : $"{text}. Check sasl.username, sasl.password and sasl.mechanism";
        }

        return code == Tls || text.Contains("SSL", StringComparison.OrdinalIgnoreCase)
            ? $"{text}. Check that tls.ca_file signed the brokers' certificates and that they carry the name in brokers"
            : text;
    }
}
