using LogAgent.Delivery;

namespace LogAgent.Outputs.Kafka;

/// <summary>
/// Ships records to Kafka with acks=all and an idempotent producer. A group is done when each of its records has its own
/// delivery report; records whose topic or brokers are in trouble stay here and are tried again for ever, which is told by
/// the log and by <see cref="Condition"/>. Order: records of one key arrive in their order, except for those of a batch that
/// the broker refused for its size, which are sent again one by one.
/// </summary>
internal sealed class KafkaOutput(KafkaOptions options, DocumentEncoder documents, TimeProvider time, ILogger logger) : IOutput
{
    private readonly KafkaPump _pump = new(options, documents, time, logger);

    public string Name => options.Name;

    public SendLimits Limits { get; } = new()
    {
        GroupBytes = 1_000_000,
        GroupRecords = 4000,
        GroupAge = TimeSpan.FromMilliseconds(20),
        MaxConcurrency = 256,
        Pipelined = true,
        OwnMemory = options.QueueMemory,
        LaneOf = options.Topic.Fixed is null ? target => options.Topic.Resolve(target.Fields) : null,
    };

    public OutputCondition Condition => _pump.Condition;

    public Task<SendResult> SendAsync(RecordGroup group, CancellationToken cancel) => _pump.Send(group, cancel);

    public Task<IReadOnlyList<CheckResult>> CheckAsync(CancellationToken cancel) => Task.Run(() => KafkaCheck.Run(options, cancel), CancellationToken.None);

    public ValueTask DisposeAsync() => new(_pump.Stop());
}
