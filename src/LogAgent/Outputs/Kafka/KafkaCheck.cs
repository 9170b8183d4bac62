using LogAgent.Delivery;

namespace LogAgent.Outputs.Kafka;

/// <summary>Asks the brokers for their metadata with the configured access, for <c>logagent check</c>. It writes no record and makes no topic.</summary>
internal static class KafkaCheck
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(10);

    public static IReadOnlyList<CheckResult> Run(KafkaOptions options, CancellationToken cancel)
    {
        string what = $"kafka {string.Join(", ", options.Brokers)}";
        try
        {
            using KafkaProducer producer = new(KafkaProperties.Build(options, single: false), static _ => { });
            return Ask(producer, options, what, cancel);
        }
        catch (Exception trouble) when (trouble is Confluent.Kafka.KafkaException or InvalidOperationException)
        {
            return [new(false, what, $"librdkafka does not start with this configuration: {trouble.Message}")];
        }
    }

    private static List<CheckResult> Ask(KafkaProducer producer, KafkaOptions options, string what, CancellationToken cancel)
    {
        string topic = options.Topic.Fixed ?? "";
        string trouble = "";
        bool final = false;
        for (int second = 0; second < Timeout.TotalSeconds && !cancel.IsCancellationRequested; second++)
        {
            KafkaClusterView view = KafkaClusterView.Ask(producer.Native, 0, topic, TimeSpan.FromSeconds(1));
            final = ReadErrors(producer, options, ref trouble);
            if (view.Error == 0)
            {
                return Describe(view, options, what, topic);
            }

            if (final)
            {
                break;
            }
        }

        return [new(false, what, final ? trouble : trouble.Length > 0 ? $"{trouble}; start the brokers, or correct brokers" : "no broker answered within 10 s: check brokers, and tls where the brokers ask for it")];
    }

    /// <summary>Keeps the most telling error; true where trying further is of no use.</summary>
    private static unsafe bool ReadErrors(KafkaProducer producer, KafkaOptions options, ref string trouble)
    {
        bool final = false;
        while (producer.TryPoll(0, out nint next, out int type, out _))
        {
            if (type == Librdkafka.EventError)
            {
                int code = Librdkafka.EventErrorCode(next);
                string text = KafkaResponse.ExplainConnection(code, Librdkafka.Text(Librdkafka.EventErrorText(next)), options);
                if (KafkaResponse.IsAccess(code))
                {
                    trouble = text;
                    final = true;
                }
                else if (!final && (trouble.Length == 0 || !text.Contains("brokers are down", StringComparison.Ordinal)))
                {
                    trouble = text;
                }
            }

            KafkaProducer.Release(next);
        }

        return final;
    }

    private static List<CheckResult> Describe(KafkaClusterView view, KafkaOptions options, string what, string topic)
    {
        string access = $"{(options.Tls is null ? "" : "TLS, ")}{(options.Sasl is null ? "" : $"user {options.Sasl.UserName}, ")}librdkafka {Librdkafka.Version}";
        List<CheckResult> results = [new(true, what, $"{view.Brokers} brokers ({access})")];
        if (topic.Length == 0)
        {
            return results;
        }

        if (view.Partitions < 0)
        {
            results.Add(new(true, $"topic {topic}", view.Problem.Length > 0 ? view.Problem : "is not there, or the agent's user may not see it; brokers with auto.create.topics.enable make it with the first record"));
        }
        else
        {
            results.Add(new(view.Problem.Length == 0, $"topic {topic}", view.Problem.Length == 0 ? $"{view.Partitions} partitions" : view.Problem));
        }

        return results;
    }
}
