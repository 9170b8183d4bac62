using System.Runtime.CompilerServices;

namespace LogAgent.Tailing;

/// <summary>
/// The batch that is being filled: its buffer (what was read from the file, then what was put together from pieces), its
/// records, and what they take from the memory budget. Each growth is asked of the budget first. One instance is used again
/// and again by the tail loop's thread.
/// </summary>
internal sealed class BatchBuffer(MemoryBudget budget)
{
    private LogRecord[] _records = [];

    public byte[] Buffer { get; private set; } = [];

    /// <summary>Bytes of the buffer in use.</summary>
    public int Used { get; set; }

    public int Count { get; private set; }

    public int Charge { get; private set; }

    /// <summary>False where the budget has no room.</summary>
    public bool TryStart(int bytes, int records)
    {
        int charge = Cost(bytes, records);
        if (!budget.TryTake(charge))
        {
            return false;
        }

        Buffer = ArrayStock<byte>.Shared.Rent(bytes);
        _records = ArrayStock<LogRecord>.Shared.Rent(records);
        Charge = charge;
        Used = 0;
        Count = 0;
        return true;
    }

    /// <summary>Room for so many more records. False where the budget has none.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryReserveRecords(int count) => Count + count <= _records.Length || TryGrowRecords(count);

    /// <summary>Room for so many more bytes after <see cref="Used"/>; the buffer may be another one afterwards. False where the budget has none.</summary>
    public bool TryReserveBytes(int count)
    {
        int needed = Used + count;
        if (needed <= Buffer.Length)
        {
            return true;
        }

        int larger = (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)Math.Max(needed, Buffer.Length * 2));
        if (!budget.TryTake(larger - Buffer.Length, Charge))
        {
            return false;
        }

        Charge += larger - Buffer.Length;
        byte[] grown = ArrayStock<byte>.Shared.Rent(larger);
        Buffer.AsSpan(0, Used).CopyTo(grown);
        ArrayStock<byte>.Shared.Return(Buffer);
        Buffer = grown;
        return true;
    }

    /// <summary>The room for it must have been reserved.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Add(in LogRecord record) => _records[Count++] = record;

    /// <summary>Room for records that nobody has filled; what is filled of it, from its start, counts after <see cref="Filled"/>.</summary>
    public Span<LogRecord> Free => _records.AsSpan(Count);

    public void Filled(int count) => Count += count;

    /// <summary>The records so far.</summary>
    public ReadOnlySpan<LogRecord> Taken => _records.AsSpan(0, Count);

    /// <summary>Puts bytes after what is used and returns where they stand. The room must have been reserved.</summary>
    public int Append(ReadOnlySpan<byte> bytes)
    {
        int start = Used;
        bytes.CopyTo(Buffer.AsSpan(start));
        Used += bytes.Length;
        return start;
    }

    /// <summary>Hands everything over to a batch.</summary>
    public LogBatch Build(TailTarget target, byte[] idPrefix, long inputBytes, long endOffset, object tag, Action<LogBatch, bool> completed)
    {
        LogBatch batch = new(target, idPrefix, Buffer, _records, Count, inputBytes, Charge, completed) { Tag = tag, EndOffset = endOffset };
        Buffer = [];
        _records = [];
        return batch;
    }

    /// <summary>Gives everything back, where no batch was made of it.</summary>
    public void DiscardUnlessBuilt()
    {
        if (Buffer.Length == 0)
        {
            return;
        }

        ArrayStock<LogRecord>.Shared.Return(_records);
        ArrayStock<byte>.Shared.Return(Buffer);
        Buffer = [];
        _records = [];
        budget.Release(Charge);
    }

    private bool TryGrowRecords(int count)
    {
        int larger = (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)Math.Max(Count + count, _records.Length * 2));
        int cost = Cost(0, larger) - Cost(0, _records.Length);
        if (!budget.TryTake(cost, Charge))
        {
            return false;
        }

        Charge += cost;
        LogRecord[] grown = ArrayStock<LogRecord>.Shared.Rent(larger);
        _records.AsSpan(0, Count).CopyTo(grown);
        ArrayStock<LogRecord>.Shared.Return(_records);
        _records = grown;
        return true;
    }

    /// <summary>What arrays from the pool for this request really take: it gives powers of two, 16 at least.</summary>
    private static int Cost(int bytes, int records) =>
        (bytes == 0 ? 0 : (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)Math.Max(bytes, 16)))
        + ((int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)Math.Max(records, 16)) * Unsafe.SizeOf<LogRecord>());
}
