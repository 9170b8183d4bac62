using System.Collections.Concurrent;
using System.Net.Sockets;
using System.Runtime.ExceptionServices;
using LogAgent.Tailing;

namespace LogAgent.Delivery;

/// <summary>
/// One output's loop: groups the batches that it is given, sends the groups, sends again what was not taken, and acknowledges
/// each batch once, when every record of it is delivered, rejected or lost with a reason. It owns the output and disposes it.
/// All state is the loop's own but the inbox and the outcomes of sends.
/// </summary>
internal sealed class OutputWorker(IOutput output, OutputRules rules, OutputLedger ledger, DeadLetters deadLetters, RetrySchedule retry, TimeProvider time, ILogger logger)
{
    /// <summary>Batches that wait at which <see cref="HasRoom"/> turns false.</summary>
    private const int MostBatches = 4096;

    /// <summary>A single message that is too large even at this length, in bytes, is rejected.</summary>
    private const int ShortestMessage = 1024;

    /// <summary>How long sends have, after they were cancelled, to come back.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan LongestDelayWhileStopping = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private readonly ConcurrentQueue<(SendJob Job, Task<SendResult> Send)> _outcomes = new();
    private readonly WakeSignal _wake = new();
    private readonly TaskCompletionSource _finished = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _cutOff = new();
    private readonly GroupCutter _cutter = new(time);
    private readonly List<SendJob> _waiting = [];
    private readonly AdaptiveConcurrency _concurrency = new();
    private readonly OutputTrouble _trouble = new(output.Name, ledger, time, logger);
    private readonly SkippedRecords _skipped = new(output.Name);
    private List<HeldBatch> _inbox = [];
    private List<HeldBatch> _taken = [];
    private List<SendJob> _adopted = [];
    private ITimer? _timer;
    private long _order;
    private int _queued;
    private int _sending;
    private int _reportedLimit;
    private bool _skipping;
    private int _gapAttempt;
    private long _gapDue;
    private int _gapTargets = 100;
    private bool _hurried;
    private volatile bool _stopping;
    private bool _closed;
    private Leftover _leftover;
    private OutputWorker? _successor;

    private enum Leftover
    {
        Abandon,
        CountAsLost,
        HandOver,
    }

    public IOutput Output => output;

    public OutputRules Rules => rules;

    public OutputLedger Ledger => ledger;

    /// <summary>False while so many batches wait that reading more had better wait.</summary>
    public bool HasRoom => Volatile.Read(ref _queued) < MostBatches;

    /// <summary>Takes a batch. Thread-safe, never waits. After the stop the batch is abandoned.</summary>
    /// <param name="taken">Records of the batch that the output takes, gap records included, and the bytes of their messages.</param>
    public void Enqueue(LogBatch batch, Amount taken, bool hasGaps)
    {
        lock (_gate)
        {
            if (!_closed)
            {
                _inbox.Add(new(batch, taken, rules.Subset.Streams, hasGaps, time.GetTimestamp()) { Order = _order });
                _order += batch.Count;
                Interlocked.Increment(ref _queued);
                batch = null!;
            }
        }

        batch?.Abandon();
        _wake.Set();
    }

    /// <summary>Runs until it is stopped. An exception is a bug, or <see cref="OutputClosedException"/>, and ends the agent.</summary>
    public async Task RunAsync()
    {
        using ITimer timer = time.CreateTimer(_ => _wake.Set(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _timer = timer;
        try
        {
            while (!Step())
            {
                await _wake.WaitAsync().ConfigureAwait(false);
            }
        }
        catch
        {
            Close();
            throw;
        }
        finally
        {
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
        if (successor is not null && !ReferenceEquals(successor.Ledger, ledger))
        {
            throw new ArgumentException("A successor has the same name and the same ledger.", nameof(successor));
        }

        return EndAsync(successor is null ? Leftover.CountAsLost : Leftover.HandOver, successor, deadline);
    }

    /// <summary>One pass of the loop: everything that can be done now. True when the worker has stopped.</summary>
    internal bool Step()
    {
        TakeInbox();
        bool again;
        do
        {
            again = TakeOutcomes();
            SkipIfDown();
            again |= StartSends();
        }
        while (again);

        int limit = _concurrency.Limit(output.Limits);
        if (limit != _reportedLimit)
        {
            _reportedLimit = limit;
            _trouble.Report(limit);
        }

        if (IsDone())
        {
            Close();
            return true;
        }

        SetTimer();
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
            await _cutOff.CancelAsync().ConfigureAwait(false);
            _wake.Set();

            // A send that does not come back keeps its batches: their bytes are still being read.
            await Task.WhenAny(_finished.Task, Task.Delay(Grace, time, CancellationToken.None)).ConfigureAwait(false);
        }

        await output.DisposeAsync().ConfigureAwait(false);
    }

    private bool IsDone()
    {
        lock (_gate)
        {
            return _stopping && _sending == 0 && _outcomes.IsEmpty
                && (_cutOff.IsCancellationRequested || (_inbox.Count == 0 && _adopted.Count == 0 && _waiting.Count == 0 && _cutter.IsEmpty && !_skipped.Any));
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
            _cutter.Add(held);
        }

        _taken.Clear();
        foreach (SendJob job in adopted)
        {
            Wait(job, TimeSpan.Zero);
        }

        if (_stopping && !_hurried)
        {
            _hurried = true;
            _gapDue = 0;
            SendWaitingNow(throttled: true);
        }
    }

    private bool StartSends()
    {
        bool any = false;
        while (!_cutOff.IsCancellationRequested && Next() is { } job)
        {
            any = true;
            _sending++;
            job.Epoch = _concurrency.Epoch;
            job.HeldBack = _sending >= _concurrency.Limit(output.Limits);
            Task<SendResult> send;
            try
            {
                send = output.SendAsync(job.Group, _cutOff.Token);
            }
            catch (Exception failure)
            {
                send = Task.FromException<SendResult>(failure);
            }

            if (send.IsCompleted)
            {
                _outcomes.Enqueue((job, send));
                return true;
            }

            send.ContinueWith(
                done =>
                {
                    _outcomes.Enqueue((job, done));
                    _wake.Set();
                },
                CancellationToken.None,
                TaskContinuationOptions.ExecuteSynchronously,
                TaskScheduler.Default);
        }

        return any;
    }

    /// <summary>The job to send next, or null where none is due or none may be sent now.</summary>
    private SendJob? Next()
    {
        SendLimits limits = output.Limits;
        int allowed = _concurrency.Limit(limits);
        if (_sending >= allowed)
        {
            return null;
        }

        long now = time.GetTimestamp();
        if (_skipped.Any)
        {
            // Nothing overtakes the gap records.
            return _sending == 0 && _gapDue <= now ? _skipped.GapJob(_gapTargets, now) : null;
        }

        bool ordered = limits.MaxConcurrency == 1 || limits.Pipelined;
        int blocking = 0;
        for (int i = 0; i < _waiting.Count; i++)
        {
            SendJob job = _waiting[i];
            if (job.Due <= now)
            {
                _waiting.RemoveAt(i);
                return job;
            }

            if (!job.Partial || limits.MaxConcurrency == 1)
            {
                if (ordered)
                {
                    return null;
                }

                blocking++;
            }
        }

        if (_sending + blocking >= allowed || !_cutter.IsReady(limits, now, _stopping))
        {
            return null;
        }

        int before = _cutter.Count;
        SendJob cut = _cutter.Cut(limits);
        Interlocked.Add(ref _queued, _cutter.Count - before);
        return cut;
    }

    private bool TakeOutcomes()
    {
        bool any = false;
        while (_outcomes.TryDequeue(out (SendJob Job, Task<SendResult> Send) outcome))
        {
            any = true;
            _sending--;
            (SendJob job, Task<SendResult> send) = outcome;
            if (send.IsCompletedSuccessfully)
            {
                Sent(job, send.Result);
                continue;
            }

            Exception failure = send.IsCanceled ? new TaskCanceledException(send) : send.Exception!.InnerException!;
            switch (failure)
            {
                case SendException trouble:
                    Failed(job, trouble.Message, trouble.Trouble == SendTrouble.Throttled);
                    break;
                case OperationCanceledException when _cutOff.IsCancellationRequested:
                    KeepUnsent(job);
                    break;
                case OperationCanceledException or IOException or SocketException or HttpRequestException or TimeoutException:
                    Failed(job, failure.Message, false);
                    break;
                default:
                    KeepUnsent(job);
                    ExceptionDispatchInfo.Throw(failure);
                    break;
            }
        }

        return any;
    }

    private void Sent(SendJob job, SendResult result)
    {
        if (result.IsTooLarge)
        {
            TooLarge(job);
            return;
        }

        IReadOnlyList<int> again = result.Retry;
        IReadOnlyList<RejectedRecord> rejected = result.Rejected;
        string why = result.RetryReason;
        if (rejected.Count > 0 && !deadLetters.TryAdd(output.Name, job.Group, rejected, out string problem))
        {
            // They were not delivered, so that sending them again doubles nothing.
            again = [.. again.Concat(rejected.Select(record => record.Index)).Order()];
            rejected = [];
            why = problem;
        }

        if (job.IsGap)
        {
            GapSent(job, again, why);
            return;
        }

        Settlement.Of(job, again, rejected, ledger);
        if (rejected.Count > 0)
        {
            DeliveryLog.Rejected(logger, output.Name, rejected.Count, rejected[0].Reason, rejected[0].Detail);
        }

        if (again.Count == 0)
        {
            Succeeded(job);
            return;
        }

        bool progress = again.Count < job.Group.Count;
        ledger.Retried(again.Count);
        _concurrency.Cut(job.Epoch);
        SendJob rest = job.Pick(again, progress || job.Partial || output.Limits.Pipelined);
        rest.Attempt++;
        rest.Throttled = true;
        Wait(rest, Delay(rest.Attempt));
        string what = why.Length > 0 ? why : "The receiver does not take them for now.";
        _trouble.Failed($"{again.Count} of {job.Group.Count} records were not taken: {what}", progress, _concurrency.Limit(output.Limits));
    }

    private void Succeeded(SendJob job)
    {
        SendLimits limits = output.Limits;
        _concurrency.Succeeded(job.HeldBack, limits);
        bool wasDown = _trouble.IsDown;
        _trouble.Succeeded(_waiting.Count == 0 && !_skipped.Any, _concurrency.Limit(limits));
        if (wasDown)
        {
            SendWaitingNow(throttled: false);
        }
    }

    private void Failed(SendJob job, string what, bool throttled)
    {
        _concurrency.Cut(job.Epoch);
        _trouble.Failed(what, false, _concurrency.Limit(output.Limits));
        if (job.IsGap)
        {
            job.FinishAll();
            _gapDue = After(Delay(++_gapAttempt));
            return;
        }

        ledger.Retried(job.Group.Count);
        job.Attempt++;
        job.Throttled = throttled;
        Wait(job, Delay(job.Attempt));
    }

    private void TooLarge(SendJob job)
    {
        if (job.IsGap)
        {
            job.FinishAll();
            if (_gapTargets == 1)
            {
                _skipped.Told();
            }

            _gapTargets = Math.Max(1, _gapTargets / 2);
            return;
        }

        if (job.Group.Count > 1)
        {
            (SendJob first, SendJob second) = job.Halve();
            Wait(first, TimeSpan.Zero);
            Wait(second, TimeSpan.Zero);
            return;
        }

        int length = (int)Math.Min(job.Group.MessageBytes, job.Group.MessageLimit);
        if (length > ShortestMessage)
        {
            Wait(job.WithMessageLimit(Math.Max(ShortestMessage, length / 2)), TimeSpan.Zero);
            return;
        }

        Sent(job, new() { Rejected = [new(0, "too_large", $"The receiver finds the record too large even with its message cut to {length} bytes: its fields are too large, or the receiver's limit is too small.")] });
    }

    private void GapSent(SendJob job, IReadOnlyList<int> again, string why)
    {
        job.FinishAll();
        if (again.Count > 0)
        {
            _trouble.Failed($"The gap records were not taken: {why}", false, _concurrency.Limit(output.Limits));
            _gapDue = After(Delay(++_gapAttempt));
            return;
        }

        Amount total = _skipped.Total;
        _skipped.Told();
        _gapAttempt = 0;
        _skipping = false;
        Succeeded(job);
        if (!_skipped.Any)
        {
            DeliveryLog.SkippingEnded(logger, output.Name, total.Records, total.Bytes);
        }
    }

    private void SkipIfDown()
    {
        if (rules.SkipAfter is not { } after || _cutOff.IsCancellationRequested)
        {
            return;
        }

        if (!_skipping && _trouble.IsDown && _trouble.DownFor >= after)
        {
            _skipping = true;
            DeliveryLog.SkippingBegan(logger, output.Name, after);
        }

        if (!_skipping)
        {
            return;
        }

        foreach (SendJob job in Everything())
        {
            _skipped.Add(job.Group);
            Lose(job, "skipped");
        }
    }

    private void Lose(SendJob job, string reason)
    {
        ledger.Lost(reason, job.Counted());
        job.FinishAll();
    }

    /// <summary>Takes out all jobs that wait and all batches that are not cut yet, as jobs, in order.</summary>
    private List<SendJob> Everything()
    {
        List<SendJob> jobs = [.. _waiting];
        _waiting.Clear();
        while (!_cutter.IsEmpty)
        {
            jobs.Add(_cutter.Cut(output.Limits));
        }

        Volatile.Write(ref _queued, 0);
        return jobs;
    }

    /// <summary>Ends the worker: what is left is abandoned, handed over, or counted as lost.</summary>
    private void Close()
    {
        lock (_gate)
        {
            _closed = true;
        }

        TakeInbox();
        List<SendJob> left = Everything();
        long records = left.Sum(job => job.Counted().Records);
        switch (_leftover)
        {
            case Leftover.HandOver:
                _successor!.Adopt(left);
                return;
            case Leftover.CountAsLost:
                left.ForEach(job => Lose(job, "output_removed"));
                break;
            default:
                left.ForEach(job => Array.ForEach(job.Owners, owner => owner.Abandon()));
                break;
        }

        if (records > 0 && _leftover == Leftover.Abandon)
        {
            DeliveryLog.Abandoned(logger, output.Name, records);
        }
        else if (records > 0)
        {
            DeliveryLog.Removed(logger, output.Name, records);
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

    private void KeepUnsent(SendJob job)
    {
        if (job.IsGap)
        {
            job.FinishAll();
            return;
        }

        Wait(job, TimeSpan.Zero);
    }

    private void Wait(SendJob job, TimeSpan delay)
    {
        job.Due = After(delay);
        int at = _waiting.Count;
        while (at > 0 && _waiting[at - 1].Order > job.Order)
        {
            at--;
        }

        _waiting.Insert(at, job);
    }

    private void SendWaitingNow(bool throttled)
    {
        long now = time.GetTimestamp();
        foreach (SendJob job in _waiting)
        {
            job.Due = throttled || !job.Throttled ? Math.Min(job.Due, now) : job.Due;
        }
    }

    private TimeSpan Delay(int attempt)
    {
        TimeSpan delay = retry.Delay(attempt);
        return _stopping && delay > LongestDelayWhileStopping ? LongestDelayWhileStopping : delay;
    }

    private long After(TimeSpan delay) => time.GetTimestamp() + (long)(delay.TotalSeconds * time.TimestampFrequency);

    /// <summary>Wakes the loop when the next thing is due that no send and no batch will wake it for.</summary>
    private void SetTimer()
    {
        long now = time.GetTimestamp();
        TimeSpan next = _cutter.DueIn(output.Limits, now) ?? TimeSpan.MaxValue;
        next = next > TimeSpan.Zero ? next : TimeSpan.MaxValue;
        foreach (SendJob job in _waiting)
        {
            Consider(job.Due);
        }

        if (_skipped.Any)
        {
            Consider(_gapDue);
        }

        if (!_skipping && _trouble.IsDown && rules.SkipAfter is { } after && after - _trouble.DownFor < next)
        {
            next = after - _trouble.DownFor;
        }

        // A timer counts in milliseconds: one more, so that the thing is due when it rings.
        _timer?.Change(next == TimeSpan.MaxValue ? Timeout.InfiniteTimeSpan : next + TimeSpan.FromMilliseconds(1), Timeout.InfiniteTimeSpan);

        void Consider(long due)
        {
            if (due > now && time.GetElapsedTime(now, due) < next)
            {
                next = time.GetElapsedTime(now, due);
            }
        }
    }
}
