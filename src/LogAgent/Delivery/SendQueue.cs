namespace LogAgent.Delivery;

/// <summary>
/// What one worker has yet to send: groups that wait to be sent again, in the order of their records, and batches that are
/// not cut into groups yet. Owned by the worker's loop.
/// </summary>
internal sealed class SendQueue(TimeProvider time)
{
    private readonly GroupCutter _cutter = new(time);
    private readonly List<SendJob> _waiting = [];

    public bool IsEmpty => _waiting.Count == 0 && _cutter.IsEmpty;

    /// <summary>True while nothing waits to be sent again.</summary>
    public bool NothingWaits => _waiting.Count == 0;

    /// <summary>Batches of which something is not cut yet.</summary>
    public int UncutBatches => _cutter.Count;

    /// <summary>Bytes of messages that are not cut yet.</summary>
    public long UncutBytes => _cutter.Bytes;

    public void Add(HeldBatch held) => _cutter.Add(held);

    /// <summary>The job is to be sent again after a delay.</summary>
    public void Wait(SendJob job, TimeSpan delay)
    {
        job.Due = time.GetTimestamp() + (long)(delay.TotalSeconds * time.TimestampFrequency);
        int at = _waiting.Count;
        while (at > 0 && _waiting[at - 1].Order > job.Order)
        {
            at--;
        }

        _waiting.Insert(at, job);
    }

    /// <summary>What waits is due now.</summary>
    /// <param name="throttled">Also that which waits because the receiver asked for less.</param>
    public void SendWaitingNow(bool throttled)
    {
        long now = time.GetTimestamp();
        foreach (SendJob job in _waiting)
        {
            job.Due = throttled || !job.Throttled ? Math.Min(job.Due, now) : job.Due;
        }
    }

    /// <summary>The job to send next, or null where none is due or none may be sent now.</summary>
    /// <param name="free">How many sends may begin.</param>
    /// <param name="flush">Do not wait for a group to fill.</param>
    public SendJob? Next(SendLimits limits, int free, bool flush)
    {
        if (free <= 0)
        {
            return null;
        }

        long now = time.GetTimestamp();
        bool oneByOne = limits.MaxConcurrency == 1;
        for (int i = 0; i < _waiting.Count; i++)
        {
            SendJob job = _waiting[i];
            if (job.Due <= now)
            {
                _waiting.RemoveAt(i);
                return job;
            }

            if (job.Partial && !oneByOne)
            {
                continue;
            }

            // Where the output keeps an order nothing may overtake a whole group; elsewhere it keeps its place among the sends.
            if (oneByOne || limits.Pipelined || --free == 0)
            {
                return null;
            }
        }

        return _cutter.IsReady(limits, now, flush) ? _cutter.Cut(limits) : null;
    }

    /// <summary>Takes out everything, as jobs, in order.</summary>
    public List<SendJob> TakeAll(SendLimits limits)
    {
        List<SendJob> jobs = [.. _waiting];
        _waiting.Clear();
        while (!_cutter.IsEmpty)
        {
            jobs.Add(_cutter.Cut(limits));
        }

        return jobs;
    }

    /// <summary>How long until something is due that is not due now; null where nothing will be.</summary>
    public TimeSpan? DueIn(SendLimits limits)
    {
        long now = time.GetTimestamp();
        TimeSpan? next = _cutter.DueIn(limits, now) is { } age && age > TimeSpan.Zero ? age : null;
        foreach (SendJob job in _waiting)
        {
            if (job.Due > now && (next is null || time.GetElapsedTime(now, job.Due) < next))
            {
                next = time.GetElapsedTime(now, job.Due);
            }
        }

        return next;
    }
}
