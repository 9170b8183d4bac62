namespace LogAgent.Tests.Support;

/// <summary>A clock that stands still until it is advanced; timers ring on the advancing thread, in order.</summary>
internal sealed class TestClock : TimeProvider
{
    private readonly Lock _gate = new();
    private readonly List<Timer> _timers = [];
    private DateTimeOffset _wall = new(2026, 11, 20, 12, 0, 0, TimeSpan.Zero);
    private long _ticks;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

    public override DateTimeOffset GetUtcNow()
    {
        lock (_gate)
        {
            return _wall;
        }
    }

    /// <summary>What passes at each reading of the timestamp, as on a machine that is busy. Timers do not ring for it.</summary>
    public TimeSpan PerReading { get; set; }

    /// <summary>How long until the next timer rings; null where none is set.</summary>
    public TimeSpan? NextRing
    {
        get
        {
            lock (_gate)
            {
                long due = _timers.Select(timer => timer.Due).DefaultIfEmpty(long.MaxValue).Min();
                return due < long.MaxValue ? TimeSpan.FromTicks(due - _ticks) : null;
            }
        }
    }

    public override long GetTimestamp()
    {
        lock (_gate)
        {
            return _ticks += PerReading.Ticks;
        }
    }

    public void Advance(TimeSpan by)
    {
        long end = GetTimestamp() + by.Ticks;
        while (true)
        {
            Timer? next;
            lock (_gate)
            {
                next = _timers.Where(timer => timer.Due <= end).MinBy(timer => timer.Due);
                long now = next is null ? end : Math.Max(_ticks, next.Due);
                _wall += TimeSpan.FromTicks(now - _ticks);
                _ticks = now;
                if (next is null)
                {
                    return;
                }

                next.Rang();
            }

            next.Ring();
        }
    }

    /// <summary>Sets the wall clock, as an administrator or NTP does; timers and timestamps do not move.</summary>
    public void SetWallClock(DateTimeOffset wall)
    {
        lock (_gate)
        {
            _wall = wall;
        }
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        Timer timer = new(this, callback, state);
        timer.Change(dueTime, period);
        lock (_gate)
        {
            _timers.Add(timer);
        }

        return timer;
    }

    private sealed class Timer(TestClock clock, TimerCallback callback, object? state) : ITimer
    {
        private TimeSpan _period;

        public long Due { get; private set; } = long.MaxValue;

        public void Rang() => Due = _period > TimeSpan.Zero ? Due + _period.Ticks : long.MaxValue;

        public void Ring() => callback(state);

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            lock (clock._gate)
            {
                Due = dueTime < TimeSpan.Zero ? long.MaxValue : clock._ticks + dueTime.Ticks;
                _period = period;
            }

            return true;
        }

        public void Dispose()
        {
            lock (clock._gate)
            {
                clock._timers.Remove(this);
            }
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
