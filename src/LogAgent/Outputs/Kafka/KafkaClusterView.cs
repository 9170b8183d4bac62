using System.Text;

namespace LogAgent.Outputs.Kafka;

/// <summary>
/// What the brokers say about themselves and a topic (rd_kafka_metadata). Asking blocks until the answer or the timeout.
/// <code>
/// metadata:   0 int brokers   16 int topics   24 ptr topics
/// topic:      0 ptr name   8 int partitions   16 ptr partitions   24 int error                         (32 bytes)
/// partition:  0 int id   4 int error   8 int leader   12 int replicas   24 int replicas in sync         (40 bytes)
/// </code>
/// </summary>
internal sealed unsafe class KafkaClusterView
{
    public int Brokers { get; private init; }

    public int Topics { get; private init; }

    /// <summary>Partitions of the topic that was asked for; -1 where it does not exist or may not be seen.</summary>
    public int Partitions { get; private set; } = -1;

    /// <summary>What is wrong with that topic; empty where nothing is.</summary>
    public string Problem { get; private set; } = "";

    /// <summary>0, or why there was no answer.</summary>
    public int Error { get; private init; }

    /// <param name="topicHandle">Asks for this topic alone; 0 asks for all, which does not make the broker create one.</param>
    public static KafkaClusterView Ask(nint producer, nint topicHandle, string topic, TimeSpan timeout)
    {
        nint metadata = 0;
        int error = Librdkafka.Metadata(producer, topicHandle == 0 ? 1 : 0, topicHandle, &metadata, (int)timeout.TotalMilliseconds);
        if (error != 0)
        {
            return new() { Error = error };
        }

        try
        {
            KafkaClusterView view = new() { Brokers = *(int*)metadata, Topics = *(int*)(metadata + 16) };
            byte* wanted = *(byte**)(metadata + 24);
            for (int i = 0; i < view.Topics; i++, wanted += 32)
            {
                if (Librdkafka.Text(*(byte**)wanted) == topic)
                {
                    view.Read(wanted);
                }
            }

            return view;
        }
        finally
        {
            Librdkafka.MetadataDestroy(metadata);
        }
    }

    private void Read(byte* topic)
    {
        int error = *(int*)(topic + 24);
        if (error != 0)
        {
            Problem = KafkaResponse.Explain(error);
            return;
        }

        Partitions = *(int*)(topic + 8);
        byte* partition = *(byte**)(topic + 16);
        StringBuilder leaderless = new();
        StringBuilder thin = new();
        for (int i = 0; i < Partitions; i++, partition += 40)
        {
            int id = *(int*)partition;
            int replicas = *(int*)(partition + 12);
            int inSync = *(int*)(partition + 24);
            if (*(int*)(partition + 8) < 0)
            {
                leaderless.Append(leaderless.Length == 0 ? "" : ", ").Append(id);
            }
            else if (inSync < replicas)
            {
                thin.Append(thin.Length == 0 ? "" : ", ").Append(id).Append(" (").Append(inSync).Append(" of ").Append(replicas).Append(')');
            }
        }

        Problem = (leaderless.Length, thin.Length) switch
        {
            (0, 0) => "",
            (0, _) => $"replicas are missing in partitions {thin}, perhaps fewer are in sync than min.insync.replicas asks for: bring the missing brokers back",
            _ => $"no leader for partitions {leaderless}: bring the missing brokers back",
        };
    }
}
