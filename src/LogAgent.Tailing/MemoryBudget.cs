namespace LogAgent.Tailing;

/// <summary>
/// The bytes that records in flight may hold, for the whole agent (limits.memory). The tail loop takes before it reads, the
/// completion of a batch gives back; while nothing is left, nothing is read. Thread-safe.
/// </summary>
/// <param name="limit">Bytes; at least one slice must fit.</param>
public sealed class MemoryBudget(long limit)
{
    private long _used;
    private long _reserved;

    /// <summary>Raised, on the thread that gives back, after bytes were given back.</summary>
    public event Action? Released;

    /// <summary>What was configured.</summary>
    public long Total => limit;

    /// <summary>What outputs hold for themselves: it is not there for records.</summary>
    public long Reserved => Volatile.Read(ref _reserved);

    /// <summary>What is there for records.</summary>
    public long Limit => Math.Max(0, limit - Reserved);

    public long Used => Volatile.Read(ref _used);

    /// <summary>Takes the bytes, or returns false and takes none. When nothing but <paramref name="own"/> is in use, anything is granted, so that one large record cannot block for ever.</summary>
    /// <param name="own">What the same batch has taken before.</param>
    public bool TryTake(long bytes, long own = 0)
    {
        while (true)
        {
            long used = Volatile.Read(ref _used);
            if (used > own && used + bytes > Limit)
            {
                return false;
            }

            if (Interlocked.CompareExchange(ref _used, used + bytes, used) == used)
            {
                return true;
            }
        }
    }

    /// <summary>An output holds so many bytes for itself from now on; negative where it gives them back. What is in use already stays in use.</summary>
    public void Reserve(long bytes)
    {
        Interlocked.Add(ref _reserved, bytes);
        Released?.Invoke();
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
