using LogAgent.Delivery;
using LogAgent.Outputs;
using LogAgent.Tailing;
using LogAgent.Tests.Support;
using Microsoft.Extensions.Logging;

namespace LogAgent.Tests.Delivery;

/// <summary>A worker with its ledger, clock and output; the loop is stepped by hand.</summary>
internal sealed class WorkerRig : ILogger, IDisposable
{
    public string Directory { get; } = System.IO.Directory.CreateTempSubdirectory("logagent-worker").FullName;

    public WorkerRig(FaultyOutput? output = null, OutputRules? rules = null)
    {
        DeadLetters = new(Path.Combine(Directory, "dead-letters"), new(), new(Schema.Ecs), Ledger, Clock, this);
        Output = output ?? new();
        Worker = new(Output, rules ?? OutputRules.Default, Ledger.Output("faulty"), DeadLetters, new(new Random(1)), Clock, this);
        Fanout = new(Ledger, Budget);
        Fanout.SetOutputs([Worker]);
    }

    public TestClock Clock { get; } = new();

    public Ledger Ledger { get; } = new();

    public MemoryBudget Budget { get; } = new(8 << 20);

    public FaultyOutput Output { get; }

    public DeadLetters DeadLetters { get; }

    public OutputWorker Worker { get; }

    public Fanout Fanout { get; }

    public List<string> Log { get; } = [];

    public OutputSnapshot Counts => Ledger.Snapshot().Outputs[0];

    /// <summary>Emits a batch of these messages and returns its builder, which knows how it was completed.</summary>
    public BatchBuilder Emit(params string[] messages) => EmitFrom(null, messages);

    public BatchBuilder EmitFrom(TailTarget? target, params string[] messages)
    {
        BatchBuilder builder = target is null ? new() : new() { Target = target };
        foreach (string message in messages)
        {
            builder.Add(message);
        }

        Fanout.Emit(builder.Build());
        return builder;
    }

    public bool Step()
    {
        bool done = Worker.Step();
        AssertBalanced();
        return done;
    }

    /// <summary>Lets so much time pass and runs the loop.</summary>
    public bool StepAfter(TimeSpan time)
    {
        Clock.Advance(time);
        return Step();
    }

    public void AssertBalanced()
    {
        OutputSnapshot counts = Counts;
        Assert.Equal(counts.Read, counts.Acknowledged + counts.Filtered + counts.RejectedTotal + counts.LostTotal + counts.InFlight);
        Assert.True(counts.InFlight.Records >= 0 && counts.InFlight.Bytes >= 0);
    }

    public void Dispose() => System.IO.Directory.Delete(Directory, true);

    IDisposable? ILogger.BeginScope<TState>(TState state) => null;

    bool ILogger.IsEnabled(LogLevel logLevel) => true;

    void ILogger.Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        Log.Add(formatter(state, exception));
}
