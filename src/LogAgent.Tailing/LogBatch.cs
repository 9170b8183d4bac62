namespace LogAgent.Tailing;

/// <summary>
/// Records of one file, in order, with the bytes that they point into. It is completed exactly once: acknowledged when each
/// output has called <see cref="Acknowledge"/>, or abandoned at the first <see cref="Abandon"/> (a stop; the checkpoint stays).
/// It owns its buffers from the pool and its share of the memory budget; both go back at completion, so nobody may touch the
/// bytes after his own call. The calls may come from any thread.
/// </summary>
public sealed class LogBatch
{
    private readonly byte[] _buffer;
    private readonly LogRecord[] _records;
    private readonly Action<LogBatch, bool> _completed;
    private int _outputs = 1;
    private int _state; // 0 open, 1 completed
    private bool _abandoned;

    /// <param name="target">The target whose fields the records carry.</param>
    /// <param name="idPrefix">Start of each record's id: ASCII, the same for each reading of this file generation; see RecordId.</param>
    /// <param name="buffer">Owned by the batch from here on: nobody else may use or return it.</param>
    /// <param name="records">As the buffer.</param>
    /// <param name="count">How many of <paramref name="records"/> are filled; may be 0 (a batch that only moves the checkpoint).</param>
    /// <param name="inputBytes">Bytes of the file that this batch covers, for the ledger.</param>
    /// <param name="charge">Bytes taken from the memory budget for it.</param>
    /// <param name="completed">Called once, on the completing thread, before the buffers go back: true = acknowledged.</param>
    public LogBatch(TailTarget target, byte[] idPrefix, byte[] buffer, LogRecord[] records, int count, long inputBytes, int charge, Action<LogBatch, bool> completed)
    {
        Target = target;
        IdPrefix = idPrefix;
        _buffer = buffer;
        _records = records;
        Count = count;
        InputBytes = inputBytes;
        Charge = charge;
        _completed = completed;
    }

    public TailTarget Target { get; }

    public FieldSet Fields => Target.Fields;

    public byte[] IdPrefix { get; }

    public int Count { get; }

    public long InputBytes { get; }

    public int Charge { get; }

    public ReadOnlySpan<LogRecord> Records => _records.AsSpan(0, Count);

    /// <summary>For the reader of the file: state of its own that it finds again at completion.</summary>
    public object? Tag { get; init; }

    /// <summary>Offset in the file after the last byte that this batch covers.</summary>
    public long EndOffset { get; init; }

    public ReadOnlySpan<byte> Message(in LogRecord record) => _buffer.AsSpan(record.MessageStart, record.MessageLength);

    /// <summary>The record's own timestamp as it stands in the file; empty where it has none.</summary>
    public ReadOnlySpan<byte> RawTime(in LogRecord record) => _buffer.AsSpan(record.TimeStart, record.TimeLength);

    /// <summary>How many outputs have to acknowledge. Called once, before the batch is handed to any of them; 0 acknowledges at once.</summary>
    public void ExpectOutputs(int count)
    {
        if (count == 0)
        {
            Complete(true);
            return;
        }

        Volatile.Write(ref _outputs, count);
    }

    /// <summary>One output is done with every record: delivered, filtered, rejected or counted as lost.</summary>
    public void Acknowledge()
    {
        if (Interlocked.Decrement(ref _outputs) == 0)
        {
            Complete(true);
        }
    }

    /// <summary>
    /// One output gives up because the agent stops: the batch will never count as acknowledged. The buffers go back only when
    /// every other output has called, too.
    /// </summary>
    public void Abandon()
    {
        Volatile.Write(ref _abandoned, true);
        if (Interlocked.Decrement(ref _outputs) == 0)
        {
            Complete(true);
        }
    }

    private void Complete(bool acknowledged)
    {
        if (Interlocked.Exchange(ref _state, 1) != 0)
        {
            throw new InvalidOperationException("The batch was completed before: an output has called twice.");
        }

        _completed(this, acknowledged && !Volatile.Read(ref _abandoned));
        ArrayStock<LogRecord>.Shared.Return(_records);
        ArrayStock<byte>.Shared.Return(_buffer);
    }
}
