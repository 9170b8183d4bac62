using LogAgent.Delivery;
using LogAgent.Tailing;

namespace LogAgent.Tests.Delivery;

/// <summary>An output whose receiver does what the test says: each send runs the next step of the script, then the last one for ever.</summary>
internal sealed class FaultyOutput : IOutput
{
    private readonly Queue<Func<RecordGroup, CancellationToken, Task<SendResult>>> _script = new();
    private Func<RecordGroup, CancellationToken, Task<SendResult>> _then = (_, _) => Task.FromResult(SendResult.Delivered);

    public string Name { get; init; } = "faulty";

    public SendLimits Limits { get; set; } = new() { GroupAge = TimeSpan.Zero };

    public OutputCondition Condition { get; set; } = OutputCondition.Well;

    /// <summary>The messages of each send, in the order of the calls, each cut at the group's limit.</summary>
    public List<string[]> Sends { get; } = [];

    public int UnderWay { get; private set; }

    public int MostUnderWay { get; private set; }

    public bool Disposed { get; private set; }

    public FaultyOutput Then(Func<RecordGroup, SendResult> step) => Then((group, _) => Task.FromResult(step(group)));

    public FaultyOutput Then(Func<RecordGroup, CancellationToken, Task<SendResult>> step)
    {
        _script.Enqueue(step);
        return this;
    }

    public FaultyOutput Always(Func<RecordGroup, CancellationToken, Task<SendResult>> step)
    {
        _then = step;
        return this;
    }

    public async Task<SendResult> SendAsync(RecordGroup group, CancellationToken cancel)
    {
        Sends.Add(Messages(group));
        UnderWay++;
        MostUnderWay = Math.Max(MostUnderWay, UnderWay);
        try
        {
            return await (_script.TryDequeue(out var step) ? step : _then)(group, cancel);
        }
        finally
        {
            UnderWay--;
        }
    }

    public Task<IReadOnlyList<CheckResult>> CheckAsync(CancellationToken cancel) => Task.FromResult<IReadOnlyList<CheckResult>>([]);

    public ValueTask DisposeAsync()
    {
        Disposed = true;
        return ValueTask.CompletedTask;
    }

    public static string[] Messages(RecordGroup group)
    {
        List<string> messages = [];
        foreach (RecordRun run in group.Runs)
        {
            foreach (LogRecord record in run.Batch.Records.Slice(run.Start, run.Count))
            {
                ReadOnlySpan<byte> message = run.Batch.Message(record);
                messages.Add(System.Text.Encoding.UTF8.GetString(message[..Math.Min(message.Length, group.MessageLimit)]));
            }
        }

        return [.. messages];
    }
}
