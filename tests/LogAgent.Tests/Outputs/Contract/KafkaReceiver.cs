using LogAgent.Delivery;
using LogAgent.Outputs;
using LogAgent.Outputs.Kafka;
using LogAgent.Tests.Outputs.Kafka;
using Microsoft.Extensions.Logging.Abstractions;

namespace LogAgent.Tests.Outputs.Contract;

/// <summary>librdkafka's mock cluster. Its brokers answer each request with a code, so that garbage is a code that nobody knows.</summary>
internal sealed class KafkaReceiver : OutputReceiver
{
    private const int NotAuthorized = 29;
    private const int NoSuchCode = 999;

    private readonly MockKafka _kafka = new();

    public KafkaReceiver() => _kafka.CreateTopic("logs");

    public override bool NeverDoubles => true;

    // One request that is refused is over too soon to be trouble.
    public override bool IsTold(OutputFault fault) => fault is OutputFault.Garbage or OutputFault.Hang or OutputFault.Reset;

    public override IOutput NewOutput() => new KafkaOutput(
        new()
        {
            Brokers = [_kafka.Bootstrap],
            Linger = TimeSpan.FromMilliseconds(5),
            MaxMessage = LargestMessage,
            TroubleAfter = TimeSpan.FromMilliseconds(500),
            Properties = new Dictionary<string, string> { ["socket.timeout.ms"] = "1500", ["reconnect.backoff.ms"] = "50", ["reconnect.backoff.max.ms"] = "100" },
        },
        new(Schema.Ecs),
        TimeProvider.System,
        NullLogger.Instance);

    public override void Begin(OutputFault fault)
    {
        switch (fault)
        {
            case OutputFault.Partial:
                _kafka.PushErrors(MockKafka.ProduceApi, NotAuthorized);
                break;
            case OutputFault.Garbage:
                _kafka.PushErrors(MockKafka.ProduceApi, [.. Enumerable.Repeat(NoSuchCode, 1000)]);
                break;
            case OutputFault.Hang:
                _kafka.SetRoundTrip(1, 5000);
                break;
            case OutputFault.Reset:
                _kafka.SetDown(1);
                break;
            case OutputFault.Slow:
                _kafka.SetRoundTrip(1, 300);
                break;
        }
    }

    public override void End()
    {
        _kafka.ClearErrors(MockKafka.ProduceApi);
        _kafka.SetRoundTrip(1, 0);
        _kafka.SetUp(1);
    }

    public override IReadOnlyList<string> Taken() => [.. _kafka.ReadAll("logs").Select(record => record.Value)];

    public override ValueTask DisposeAsync()
    {
        _kafka.Dispose();
        return ValueTask.CompletedTask;
    }
}
