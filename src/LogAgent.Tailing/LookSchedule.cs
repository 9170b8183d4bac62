namespace LogAgent.Tailing;

/// <summary>
/// When all targets are looked at, whatever inotify tells: each poll interval, and more and more seldom while such a look finds
/// nothing that inotify had not told of. Used on the tail loop's thread only.
/// </summary>
internal sealed class LookSchedule(TailContext context)
{
    /// <summary>Poll intervals between two looks, at most: a file system that tells nothing (NFS, FUSE) is behind by no more.</summary>
    private const int MostIntervals = 4;

    private int _intervals = 1;
    private long _last;
    private bool _any;

    /// <summary>The time between two looks, for now.</summary>
    public TimeSpan Interval => context.Options.PollInterval * _intervals;

    public bool IsDue => !_any || context.HasPassed(_last, Interval);

    /// <summary>All were looked at.</summary>
    /// <param name="needed">Something was found that nothing had told of, or nothing can tell of it.</param>
    public void Looked(bool needed)
    {
        _any = true;
        _last = context.Timestamp;
        _intervals = needed ? 1 : Math.Min(2 * _intervals, MostIntervals);
    }
}
