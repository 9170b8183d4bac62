using LogAgent.Delivery;
using LogAgent.IntegrationTests.Support;
using LogAgent.Outputs;
using LogAgent.Outputs.Kafka;
using LogAgent.Tailing;
using LogAgent.Tests.Outputs.Kafka;
using LogAgent.Tests.Support;

namespace LogAgent.IntegrationTests.Kafka;

/// <summary>A Kafka output that is fed with numbered records of several containers, each with a service of its own.</summary>
internal sealed class KafkaLoad : IAsyncDisposable
{
    private const int PerGroup = 100;

    private readonly Dictionary<string, long> _written = [];
    private readonly Dictionary<string, TailTarget> _targets = [];

    public KafkaLoad(KafkaOptions options) => Output = new(options, new DocumentEncoder(Schema.Ecs), TimeProvider.System, Logger);

    public ListLogger Logger { get; } = new();

    public KafkaOutput Output { get; }

    /// <summary>How many records each container has written.</summary>
    public IReadOnlyDictionary<string, long> Written => _written;

    /// <summary>A group of the next numbers of a container.</summary>
    public Task<SendResult> Send(string container)
    {
        if (!_targets.TryGetValue(container, out TailTarget? target))
        {
            FieldSet fields = new([new("container.id", container), new("service.name", container)], []);
            target = _targets[container] = new() { Id = $"container:{container}", Path = "/x", Format = TailFormat.DockerJson, Fields = fields };
        }

        long first = _written.GetValueOrDefault(container);
        BatchBuilder batch = new() { Target = target };
        for (int i = 0; i < PerGroup; i++)
        {
            batch.Add(Sequences.Line(container, first + i, "of a container"));
        }

        _written[container] = first + PerGroup;
        return Output.SendAsync(batch.BuildGroup(), default);
    }

    public ValueTask DisposeAsync() => Output.DisposeAsync();
}
