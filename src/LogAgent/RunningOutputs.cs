using LogAgent.Configuration;
using LogAgent.Delivery;
using LogAgent.Outputs;
using LogAgent.Tailing;

namespace LogAgent;

/// <summary>The outputs at work: owns each output and its worker, and tells the fanout of them.</summary>
internal sealed class RunningOutputs(DocumentEncoder documents, Fanout fanout, Ledger ledger, MemoryBudget budget, DeadLetters deadLetters, TimeProvider time, ILoggerFactory loggers)
{
    private readonly TaskCompletionSource _failed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly List<Running> _running = [];
    private readonly List<Task> _retiring = [];

    /// <summary>Fails when a worker's loop has failed; never completes otherwise.</summary>
    public Task Failed => _failed.Task;

    /// <summary>
    /// Makes these the outputs: those that are unchanged live on with their connections, a changed one is replaced and hands
    /// over what it had not delivered, a removed one gets <paramref name="retireTime"/> to deliver what it holds.
    /// </summary>
    public void Set(IReadOnlyList<OutputSection> sections, TimeSpan retireTime)
    {
        List<Running> before = [.. _running];
        long queue = QueueShare(sections);
        _running.Clear();
        foreach (OutputSection section in sections)
        {
            Running? same = before.Find(running => IsSame(running, section));
            if (same is not null)
            {
                before.Remove(same);
                _running.Add(same);
            }
            else
            {
                _running.Add(Start(section, queue));
            }
        }

        fanout.SetOutputs([.. _running.Select(running => running.Worker)]);
        foreach (Running old in before)
        {
            Running? successor = _running.Find(running => running.Section.Name == old.Section.Name);
            _retiring.Add(RetireAsync(old, successor, successor is null ? retireTime : TimeSpan.Zero));
        }
    }

    /// <summary>The worker of the output of that name, or null.</summary>
    public OutputWorker? Find(string name) => _running.Find(running => running.Section.Name == name)?.Worker;

    /// <summary>Delivers what the outputs hold until the deadline; what is left is abandoned.</summary>
    public async Task StopAsync(CancellationToken deadline) =>
        await Task.WhenAll([.. _running.Select(running => running.Worker.StopAsync(deadline)), .. _retiring]).ConfigureAwait(false);

    private static bool IsSame(Running running, OutputSection section) => running.Section.Name == section.Name && running.Section.Digest == section.Digest;

    /// <summary>
    /// The most that a new output may hold beside the batches: its part of half of the memory, as far as those that live on leave it.
    /// </summary>
    private long QueueShare(IReadOnlyList<OutputSection> sections)
    {
        long half = budget.Total / 2;
        int all = sections.Count(OutputFactory.HasQueue);
        List<Running> living = _running.FindAll(running => OutputFactory.HasQueue(running.Section) && sections.Any(section => IsSame(running, section)));
        long left = half - living.Sum(running => running.Worker.Output.Limits.OwnMemory);
        return Math.Max(OutputFactory.SmallestQueue, Math.Min(half / Math.Max(1, all), left / Math.Max(1, all - living.Count)));
    }

    /// <param name="queue">The most that the output may hold beside the batches.</param>
    private Running Start(OutputSection section, long queue)
    {
        IOutput output = OutputFactory.Create(section, documents, time, loggers, queue);
        budget.Reserve(output.Limits.OwnMemory);
        OutputRules rules = OutputRules.From(section);
#pragma warning disable CA5394 // Jitter of a delay is no secret.
        RetrySchedule retry = new(new Random());
#pragma warning restore CA5394
        OutputWorker worker = new(output, rules, ledger.Output(section.Name), deadLetters, retry, time, loggers.CreateLogger<OutputWorker>());
        _ = ObserveAsync(Task.Run(worker.RunAsync));
        return new Running(section, worker);
    }

    private async Task ObserveAsync(Task loop)
    {
        try
        {
            await loop.ConfigureAwait(false);
        }
        catch (Exception e)
        {
            _failed.TrySetException(e);
        }
    }

    private async Task RetireAsync(Running old, Running? successor, TimeSpan most)
    {
        using CancellationTokenSource deadline = new(most, time);
        await old.Worker.RetireAsync(successor?.Worker, deadline.Token).ConfigureAwait(false);
        budget.Reserve(-old.Worker.Output.Limits.OwnMemory);
    }

    private sealed record Running(OutputSection Section, OutputWorker Worker);
}
