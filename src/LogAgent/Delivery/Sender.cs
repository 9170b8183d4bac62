using System.Collections.Concurrent;
using System.Net.Sockets;
using System.Runtime.ExceptionServices;

namespace LogAgent.Delivery;

/// <summary>
/// Sends what one worker holds: begins sends, takes their outcomes, books what was delivered or rejected, keeps the rest to be
/// sent again, and skips when the output has been down for too long. Owned by the worker's loop; only <see cref="CutOffAsync"/>
/// and the ends of sends come from other threads.
/// </summary>
internal sealed class Sender(IOutput output, TimeSpan? skipAfter, OutputLedger ledger, DeadLetters deadLetters, RetrySchedule retry, TimeProvider time, ILogger logger, WakeSignal wake)
{
    /// <summary>A single message that is too large even at this length, in bytes, is rejected.</summary>
    private const int ShortestMessage = 1024;

    /// <summary>Sends that come back sooner have nothing to gain from more of them at once; each would only hold memory.</summary>
    private static readonly TimeSpan SlowSend = TimeSpan.FromMilliseconds(50);

    private static readonly TimeSpan LongestDelayInHurry = TimeSpan.FromSeconds(1);

    private readonly ConcurrentQueue<(SendJob Job, Task<SendResult> Send)> _outcomes = new();
    private readonly CancellationTokenSource _cutOff = new();
    private readonly AdaptiveConcurrency _concurrency = new();
    private readonly OutputTrouble _trouble = new(output.Name, ledger, time, logger);
    private readonly GapSchedule _gaps = new(output.Name, time);
    private int _sending;
    private long _lookedAt; // the last look for something to send: what was not due then is told by DueIn, however long the look took
    private int _reportedLimit;
    private bool _skipping;
    private bool _hurry;

    public SendQueue Queue { get; } = new(time);

    public bool IsSending => _sending > 0;

    /// <summary>Nothing is left to be sent, gap records included.</summary>
    public bool IsEmpty => _sending == 0 && Queue.IsEmpty && !_gaps.Any;

    /// <summary>Cancels the sends and begins no more. From any thread.</summary>
    public Task CutOffAsync() => _cutOff.CancelAsync();

    /// <summary>The worker stops: groups need not fill, and delays are short.</summary>
    public void Hurry()
    {
        if (!_hurry)
        {
            _hurry = true;
            _gaps.Hurry();
            Queue.SendWaitingNow();
        }
    }

    /// <summary>Does everything that can be done now.</summary>
    public void Pass()
    {
        bool again;
        do
        {
            again = TakeOutcomes();
            SkipIfDown();
            again |= BeginSends();
        }
        while (again);

        int limit = _concurrency.Limit(output.Limits);
        if (limit != _reportedLimit)
        {
            _reportedLimit = limit;
            _trouble.Report(limit);
        }
    }

    /// <summary>How long until something is due that neither a send nor a batch will tell of; null where nothing is.</summary>
    public TimeSpan? DueIn()
    {
        TimeSpan? skip = !_skipping && _trouble.IsDown ? skipAfter - _trouble.DownFor : null;
        TimeSpan? due = new[] { Queue.DueIn(output.Limits, _lookedAt), _gaps.DueIn(_lookedAt), skip }.Min();
        return due < TimeSpan.Zero ? TimeSpan.Zero : due;
    }

    /// <summary>Counts the job's records as lost and is done with them.</summary>
    public void Lose(SendJob job, string reason)
    {
        ledger.Lost(reason, job.Counted());
        job.FinishAll();
    }

    private bool BeginSends()
    {
        bool any = false;
        while (!_cutOff.IsCancellationRequested && Next() is { } job)
        {
            any = true;
            _sending++;
            job.Lane.Sending++;
            job.Epoch = _concurrency.Epoch;
            job.Began = time.GetTimestamp();
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
                    wake.Set();
                },
                CancellationToken.None,
                TaskContinuationOptions.ExecuteSynchronously,
                TaskScheduler.Default);
        }

        return any;
    }

    /// <summary>The job to send next, or null where none is due or none may be sent now. Nothing overtakes the gap records.</summary>
    private SendJob? Next()
    {
        SendLimits limits = output.Limits;
        _lookedAt = time.GetTimestamp();
        return !_gaps.Any ? Queue.Next(limits, _concurrency.Limit(limits) - _sending, _hurry, _lookedAt)
            : _sending == 0 ? _gaps.Next(_lookedAt)
            : null;
    }

    private bool TakeOutcomes()
    {
        bool any = false;
        while (_outcomes.TryDequeue(out (SendJob Job, Task<SendResult> Send) outcome))
        {
            any = true;
            _sending--;
            (SendJob job, Task<SendResult> send) = outcome;
            job.Lane.Sending--;
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

        Settlement.Of(job, again, rejected, result.Cut, ledger);
        if (rejected.Count > 0)
        {
            _trouble.Rejected(rejected.Count, rejected[0]);
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
        Queue.Wait(rest, Delay(rest.Attempt));
        string what = why.Length > 0 ? why : "The receiver does not take them for now.";
        _trouble.Failed($"{again.Count} of {job.Group.Count} records were not taken: {what}", progress, _concurrency.Limit(output.Limits));
    }

    private void Succeeded(SendJob job)
    {
        SendLimits limits = output.Limits;
        _concurrency.Succeeded(job.HeldBack && time.GetElapsedTime(job.Began) >= SlowSend, limits);
        bool wasDown = _trouble.IsDown;
        _trouble.Succeeded(Queue.NothingWaits && !_gaps.Any, _concurrency.Limit(limits));
        if (wasDown)
        {
            Queue.SendWaitingNow(job.IsGap ? null : job.Lane);
        }
    }

    private void Failed(SendJob job, string what, bool throttled)
    {
        _concurrency.Cut(job.Epoch);
        _trouble.Failed(what, false, _concurrency.Limit(output.Limits));
        if (job.IsGap)
        {
            job.FinishAll();
            _gaps.Wait(Delay(_gaps.CountFailure()));
            return;
        }

        ledger.Retried(job.Group.Count);
        job.Attempt++;
        job.Throttled = throttled;
        Queue.Wait(job, Delay(job.Attempt));
    }

    private void TooLarge(SendJob job)
    {
        if (job.IsGap)
        {
            job.FinishAll();
            _gaps.TooLarge();
            return;
        }

        if (job.Group.Count > 1)
        {
            (SendJob first, SendJob second) = job.Halve();
            Queue.Wait(first, TimeSpan.Zero);
            Queue.Wait(second, TimeSpan.Zero);
            return;
        }

        int length = (int)Math.Min(job.Group.MessageBytes, job.Group.MessageLimit);
        if (length > ShortestMessage)
        {
            Queue.Wait(job.WithMessageLimit(Math.Max(ShortestMessage, length / 2)), TimeSpan.Zero);
            return;
        }

        Sent(job, new() { Rejected = [new(0, "too_large", $"The receiver finds the record too large even with a message of {length} bytes: its fields are too large, or the receiver's limit is too small.")] });
    }

    private void GapSent(SendJob job, IReadOnlyList<int> again, string why)
    {
        job.FinishAll();
        if (again.Count > 0)
        {
            _trouble.Failed($"The gap records were not taken: {why}", false, _concurrency.Limit(output.Limits));
            _gaps.Wait(Delay(_gaps.CountFailure()));
            return;
        }

        Amount total = _gaps.Total;
        _gaps.Told();
        _skipping = false;
        Succeeded(job);
        if (!_gaps.Any)
        {
            DeliveryLog.SkippingEnded(logger, output.Name, total.Records, total.Bytes);
        }
    }

    private void SkipIfDown()
    {
        if (skipAfter is not { } after || _cutOff.IsCancellationRequested)
        {
            return;
        }

        if (!_skipping && _trouble.IsDown && _trouble.DownFor >= after)
        {
            _skipping = true;
            DeliveryLog.SkippingBegan(logger, output.Name, after);
        }

        if (_skipping)
        {
            foreach (SendJob job in Queue.TakeAll(output.Limits))
            {
                _gaps.Add(job.Group);
                Lose(job, "skipped");
            }
        }
    }

    private void KeepUnsent(SendJob job)
    {
        if (job.IsGap)
        {
            job.FinishAll();
            return;
        }

        Queue.Wait(job, TimeSpan.Zero);
    }

    private TimeSpan Delay(int attempt)
    {
        TimeSpan delay = retry.Delay(attempt);
        return _hurry && delay > LongestDelayInHurry ? LongestDelayInHurry : delay;
    }
}
