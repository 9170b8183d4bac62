using LogAgent.Outputs.Kafka;

namespace LogAgent.Tests.Outputs.Kafka;

/// <summary>A test that needs librdkafka; it is skipped, with what to install, where that is missing.</summary>
public sealed class KafkaFactAttribute : FactAttribute
{
    public KafkaFactAttribute()
    {
        if (!Librdkafka.TryLoad(out string problem))
        {
            Skip = problem;
        }
    }
}
