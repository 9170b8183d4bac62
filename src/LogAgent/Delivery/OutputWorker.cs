using LogAgent.Tailing;

namespace LogAgent.Delivery;

/// <summary>
/// One output's loop: groups the batches that it is given, sends the groups, sends again what was not taken, and acknowledges
/// each batch once, when every record of it is delivered, rejected or lost with a reason. It owns the output and disposes it.
/// All state is the loop's own but the inbox and the outcomes of sends.
/// </summary>
internal sealed class OutputWorker
{
    /// <summary>How long sends have, after they were cancelled, to come back.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(5);

    private readonly Lock _gate = new();
    private readonly WakeSignal _wake = new();
    private readonly TaskCompletionSource _finished = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Sender _sender;
    private readonly OutputLanes _lanes;
    private readonly ITimer _timer;
    private List<HeldBatch> _inbox = [];
    private List<HeldBatch> _taken = [];
    private List<SendJob> _adopted = [];
    private long _order;
    private volatile bool _stopping;
    private volatile bool _cut;
    private bool _closed;
    private Leftover _leftover;
    private OutputWorker? _successor;

    public OutputWorker(IOutput output, OutputRules rules, OutputLedger ledger, DeadLetters deadLetters, RetrySchedule retry, TimeProvider time, ILogger logger)
    {
        Output = output;
        Rules = rules;
        Ledger = ledger;
        ledger.Ask(() => output.Condition);
        _time = time;
        _logger = logger;
        _timer = time.CreateTimer(_ => _wake.Set(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _lanes = new(output.Limits.LaneOf, time);
        _sender = new(output, rules.SkipAfter, ledger, deadLetters, retry, time, logger, _wake);
    }

    private enum Leftover
    {
        Abandon,
        CountAsLost,
        HandOver,
    }

    public IOutput Output { get; }

    public OutputRules Rules { get; }

    public OutputLedger Ledger { get; }

    /// <summary>What of the output is stuck, all of it is: no other way leads through it.</summary>
    public bool HasOneLane => _lanes.IsSingle;

    /// <summary>Called on the worker's loop when <see cref="HasRoom"/> may have turned true again. Set before the first batch.</summary>
    public Action? RoomMade { get; set; }

    /// <summary>False while so much of what goes the target's way waits that reading more of the target had better wait. Memory is bounded in any case.</summary>
    /// <param name="share">Bytes of the memory budget that one way may hold for now.</param>
    public bool HasRoom(TailTarget target, long share) => !Rules.Subset.Takes(target.Fields) || _lanes.Of(target).HasRoom(Output.Limits, share);

    /// <summary>Takes a batch. Thread-safe, never waits. After the stop the batch is abandoned.</summary>
    /// <param name="taken">Records of the batch that the output takes, gap records included, and the bytes of their messages.</param>
    public void Enqueue(LogBatch batch, Amount taken, bool hasGaps)
    {
        Lane lane = _lanes.Of(batch.Target);
        lock (_gate)
        {
            if (!_closed)
            {
                _inbox.Add(new(batch, lane, taken, Rules.Subset.Streams, hasGaps, _time.GetTimestamp()) { Order = _order });
                _order += batch.Count;
                lane.Enter(taken.Bytes, batch.Charge);
                batch = null!;
            }
        }

        batch?.Abandon();
        _wake.Set();
    }

    /// <summary>Runs until it is stopped. An exception is a bug, or <see cref="OutputClosedException"/>, and ends the agent.</summary>
    public async Task RunAsync()
    {
        try
        {
            while (!Step())
            {
                await _wake.WaitAsync().ConfigureAwait(false);
            }
        }
        catch
        {
            EndAfterFailure();
            throw;
        }
        finally
        {
            await _timer.DisposeAsync().ConfigureAwait(false);
            _finished.TrySetResult();
        }
    }

    /// <summary>Sends what is held until nothing is, or until the deadline; what is left then is abandoned: the checkpoints stay before it.</summary>
    public Task StopAsync(CancellationToken deadline) => EndAsync(Leftover.Abandon, null, deadline);

    /// <summary>
    /// Ends an output that a reload has removed or replaced, while the agent goes on. What is left at the deadline goes to the
    /// successor, which has the same name and so the same ledger; without one it counts as lost.
    /// </summary>
    public Task RetireAsync(OutputWorker? successor, CancellationToken deadline)
    {
        if (successor is not null && !ReferenceEquals(successor.Ledger, Ledger))
        {
            throw new ArgumentException("A successor has the same name and the same ledger.", nameof(successor));
        }

        return EndAsync(successor is null ? Leftover.CountAsLost : Leftover.HandOver, successor, deadline);
    }

    /// <summary>One pass of the loop: everything that can be done now. True when the worker has stopped.</summary>
    internal bool Step()
    {
        TakeInbox();
        if (_stopping)
        {
            _sender.Hurry();
        }

        _sender.Pass();
        if (_lanes.RoomMade)
        {
            _lanes.RoomMade = false;
            RoomMade?.Invoke();
        }

        if (IsDone())
        {
            Close();
            return true;
        }

        // A timer counts in milliseconds: one more, so that the thing is due when it rings.
        TimeSpan due = _sender.DueIn() + TimeSpan.FromMilliseconds(1) ?? Timeout.InfiniteTimeSpan;
        _timer.Change(due, Timeout.InfiniteTimeSpan);
        return false;
    }

    private async Task EndAsync(Leftover leftover, OutputWorker? successor, CancellationToken deadline)
    {
        _leftover = leftover;
        _successor = successor;
        _stopping = true;
        _wake.Set();
        try
        {
            await _finished.Task.WaitAsync(deadline).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            _cut = true;
            await _sender.CutOffAsync().ConfigureAwait(false);
            _wake.Set();

            // A send that does not come back keeps its batches: their bytes are still being read.
            await Task.WhenAny(_finished.Task, Task.Delay(Grace, _time, CancellationToken.None)).ConfigureAwait(false);
        }

        await Output.DisposeAsync().ConfigureAwait(false);
    }

    private bool IsDone()
    {
        lock (_gate)
        {
            return _stopping && !_sender.IsSending && (_cut || (_inbox.Count == 0 && _adopted.Count == 0 && _sender.IsEmpty));
        }
    }

    private void TakeInbox()
    {
        List<SendJob> adopted = [];
        lock (_gate)
        {
            (_inbox, _taken) = (_taken, _inbox);
            if (_adopted.Count > 0)
            {
                (_adopted, adopted) = (adopted, _adopted);
            }
        }

        foreach (HeldBatch held in _taken)
        {
            _sender.Queue.Add(held);
        }

        _taken.Clear();
        foreach (SendJob job in adopted)
        {
            _sender.Queue.Wait(job, TimeSpan.Zero);
        }
    }

    /// <summary>Ends the worker: what is left is abandoned, handed over, or counted as lost.</summary>
    private void Close()
    {
        lock (_gate)
        {
            _closed = true;
        }

        TakeInbox();
        List<SendJob> left = _sender.Queue.TakeAll(Output.Limits);
        long records = left.Sum(job => job.Counted().Records);
        switch (_leftover)
        {
            case Leftover.HandOver:
                _successor!.Adopt(left);
                return;
            case Leftover.CountAsLost:
                left.ForEach(job => _sender.Lose(job, "output_removed"));
                break;
            default:
                left.ForEach(job => Array.ForEach(job.Owners, owner => owner.Abandon()));
                break;
        }

        if (records > 0 && _leftover == Leftover.Abandon)
        {
            DeliveryLog.Abandoned(_logger, Output.Name, records);
        }
        else if (records > 0)
        {
            DeliveryLog.Removed(_logger, Output.Name, records);
        }
    }

    private void EndAfterFailure()
    {
        lock (_gate)
        {
            _closed = true;
        }

        // While a send still reads from a batch, no batch can be given back; the process ends soon.
        if (!_sender.IsSending)
        {
            Close();
        }
    }

    private void Adopt(List<SendJob> jobs)
    {
        lock (_gate)
        {
            if (!_closed)
            {
                // Before everything that this worker was given itself.
                jobs.ForEach(job => job.Order += long.MinValue / 2);
                _adopted.AddRange(jobs);
                jobs = [];
            }
        }

        jobs.ForEach(job => Array.ForEach(job.Owners, owner => owner.Abandon()));
        _wake.Set();
    }
}
