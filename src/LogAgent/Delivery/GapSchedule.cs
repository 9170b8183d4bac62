namespace LogAgent.Delivery;

/// <summary>When a worker that has skipped tells its output so: before anything else, and again until it is taken. Owned by the worker's loop.</summary>
internal sealed class GapSchedule(string output, TimeProvider time)
{
    private readonly SkippedRecords _skipped = new(output, time);
    private int _attempt;
    private long _due;
    private int _targets = 100;

    /// <summary>There is something to tell.</summary>
    public bool Any => _skipped.Any;

    public Amount Total => _skipped.Total;

    public void Add(RecordGroup group) => _skipped.Add(group);

    /// <summary>The gap records, or null where they are not due at this timestamp.</summary>
    public SendJob? Next(long now) => _due <= now ? _skipped.GapJob(_targets, now) : null;

    /// <summary>Counts a failed attempt and says how many there were.</summary>
    public int CountFailure() => ++_attempt;

    public void Wait(TimeSpan delay) => _due = time.GetTimestamp() + (long)(delay.TotalSeconds * time.TimestampFrequency);

    public void TooLarge()
    {
        // Even one is too large: this receiver cannot be told.
        if (_targets == 1)
        {
            _skipped.Told();
        }

        _targets = Math.Max(1, _targets / 2);
    }

    public void Told()
    {
        _attempt = 0;
        _skipped.Told();
    }

    public void Hurry() => _due = 0;

    /// <summary>How long after this timestamp the gap records are due that were not due then.</summary>
    public TimeSpan? DueIn(long now) => Any && _due > now ? time.GetElapsedTime(now, _due) : null;
}
