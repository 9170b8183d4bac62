namespace LogAgent.Tailing;

/// <summary>
/// The bytes that records in flight may hold, for the whole agent (limits.memory). The tail loop takes before it reads, the
/// completion of a batch gives back; while nothing is left, nothing is read. Thread-safe.
/// </summary>
/// <param name="limit">Bytes; at least one slice must fit.</param>
public sealed class MemoryBudget(long limit)
{
    private long _used;

    /// <summary>Raised, on the thread that gives back, after bytes were given back.</summary>
    public event Action? Released;

    public long Limit => limit;

    public long Used => Volatile.Read(ref _used);

    /// <summary>Takes the bytes, or returns false and takes none. When nothing but <paramref name="own"/> is in use, anything is granted, so that one large record cannot block for ever.</summary>
    /// <param name="own">What the same batch has taken before.</param>
    public bool TryTake(long bytes, long own = 0)
    {
        while (true)
        {
            long used = Volatile.Read(ref _used);
            if (used > own && used + bytes > limit)
            {
                return false;
            }

            if (Interlocked.CompareExchange(ref _used, used + bytes, used) == used)
            {
                return true;
            }
        }
    }

    public void Release(long bytes)
    {
        if (Interlocked.Add(ref _used, -bytes) < 0)
        {
            throw new InvalidOperationException("More bytes were given back to the memory budget than were taken.");
        }

        Released?.Invoke();
    }
}
