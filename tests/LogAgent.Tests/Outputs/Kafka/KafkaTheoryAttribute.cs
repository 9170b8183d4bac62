using LogAgent.Outputs.Kafka;

namespace LogAgent.Tests.Outputs.Kafka;

/// <summary>A theory that needs librdkafka; it is skipped, with what to install, where that is missing.</summary>
public sealed class KafkaTheoryAttribute : TheoryAttribute
{
    public KafkaTheoryAttribute()
    {
        if (!Librdkafka.TryLoad(out string problem))
        {
            Skip = problem;
        }
    }
}
