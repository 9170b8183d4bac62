namespace LogAgent.Delivery;

/// <summary>
/// What one worker has yet to send: groups that wait to be sent again, in the order of their records, and batches that are
/// not cut into groups yet, by lane. Owned by the worker's loop.
/// </summary>
internal sealed class SendQueue(TimeProvider time)
{
    /// <summary>Those in which something waits to be cut.</summary>
    private readonly List<Lane> _lanes = [];
    private readonly List<SendJob> _waiting = [];

    public bool IsEmpty => _waiting.Count == 0 && _lanes.Count == 0;

    /// <summary>True while nothing waits to be sent again.</summary>
    public bool NothingWaits => _waiting.Count == 0;

    public void Add(HeldBatch held)
    {
        if (held.Lane.Cutter.IsEmpty)
        {
            _lanes.Add(held.Lane);
        }

        held.Lane.Cutter.Add(held);
    }

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
    public void SendWaitingNow()
    {
        long now = time.GetTimestamp();
        _waiting.ForEach(job => job.Due = Math.Min(job.Due, now));
    }

    /// <summary>What waits in the lane (null: in any) is due now, except for what waits because the receiver asked for less.</summary>
    public void SendWaitingNow(Lane? lane)
    {
        long now = time.GetTimestamp();
        foreach (SendJob job in _waiting)
        {
            job.Due = job.Throttled || (lane is not null && job.Lane != lane) ? job.Due : Math.Min(job.Due, now);
        }
    }

    /// <summary>The job to send next, or null where none is due or none may be sent now.</summary>
    /// <param name="free">How many sends may begin; where the output is pipelined, each lane has its own limit instead.</param>
    /// <param name="flush">Do not wait for a group to fill.</param>
    /// <param name="now">The timestamp of this look.</param>
    public SendJob? Next(SendLimits limits, int free, bool flush, long now)
    {
        if (free <= 0 && !limits.Pipelined)
        {
            return null;
        }

        foreach (Lane lane in _lanes)
        {
            lane.IsHeldUp = false;
        }

        return TakeWaiting(limits, ref free, now) ?? (free > 0 || limits.Pipelined ? CutNext(limits, now, flush) : null);
    }

    /// <summary>Takes out everything, as jobs, in order.</summary>
    public List<SendJob> TakeAll(SendLimits limits)
    {
        List<SendJob> jobs = [.. _waiting];
        _waiting.Clear();
        while (_lanes.Count > 0)
        {
            jobs.Add(Cut(_lanes[^1], limits));
        }

        return jobs;
    }

    /// <summary>How long after this time something is due that was not due then; null where nothing will be.</summary>
    /// <param name="now">The timestamp of the look that found nothing more to send: what came due since is no exception.</param>
    public TimeSpan? DueIn(SendLimits limits, long now)
    {
        TimeSpan? next = null;
        foreach (Lane lane in _lanes)
        {
            TimeSpan? age = lane.Cutter.DueIn(limits, now);
            next = age > TimeSpan.Zero && (next is null || age < next) ? age : next;
        }

        foreach (SendJob job in _waiting)
        {
            if (job.Due > now && (next is null || time.GetElapsedTime(now, job.Due) < next))
            {
                next = time.GetElapsedTime(now, job.Due);
            }
        }

        return next;
    }

    private static bool MayBegin(Lane lane, SendLimits limits) => !limits.Pipelined || lane.Sending < limits.MaxConcurrency;

    private SendJob? TakeWaiting(SendLimits limits, ref int free, long now)
    {
        bool oneByOne = limits.MaxConcurrency == 1;
        foreach (SendJob job in _waiting)
        {
            job.Lane.IsHeldUp = false;
        }

        for (int i = 0; i < _waiting.Count; i++)
        {
            SendJob job = _waiting[i];
            if (job.Due <= now && !job.Lane.IsHeldUp && MayBegin(job.Lane, limits))
            {
                _waiting.RemoveAt(i);
                return job;
            }

            if (job.Partial && !oneByOne)
            {
                continue;
            }

            // Where the output keeps an order nothing of the lane may overtake a whole group; elsewhere it keeps its place among the sends.
            if (oneByOne || limits.Pipelined)
            {
                job.Lane.IsHeldUp = true;
            }
            else if (--free == 0)
            {
                break;
            }
        }

        return null;
    }

    private SendJob? CutNext(SendLimits limits, long now, bool flush)
    {
        foreach (Lane lane in _lanes)
        {
            if (!lane.IsHeldUp && MayBegin(lane, limits) && lane.Cutter.IsReady(limits, now, flush))
            {
                return Cut(lane, limits);
            }
        }

        return null;
    }

    private SendJob Cut(Lane lane, SendLimits limits)
    {
        int batches = lane.Cutter.Count;
        long bytes = lane.Cutter.Bytes;
        SendJob job = lane.Cutter.Cut(limits);
        lane.Cut(batches - lane.Cutter.Count, bytes - lane.Cutter.Bytes);
        if (lane.Cutter.IsEmpty)
        {
            _lanes.Remove(lane);
        }

        return job;
    }
}
