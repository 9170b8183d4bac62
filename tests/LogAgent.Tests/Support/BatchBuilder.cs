using System.Buffers;
using System.Text;
using LogAgent.Delivery;
using LogAgent.Tailing;

namespace LogAgent.Tests.Support;

/// <summary>Builds batches of records for tests of outputs: each Add is one record; offsets and sequences count up by 100 unless given.</summary>
internal sealed class BatchBuilder
{
    private readonly List<byte> _bytes = [];
    private readonly List<LogRecord> _records = [];

    public TailTarget Target { get; init; } = new()
    {
        Id = "container:test",
        Path = "/logs/test.log",
        Format = TailFormat.DockerJson,
        Fields = FieldSet.Empty,
    };

    public string IdPrefix { get; init; } = "prefix0000";

    /// <summary>What the batch was completed with: true = acknowledged, null = not yet.</summary>
    public bool? Completed { get; private set; }

    /// <param name="rawTime">The time as it stands in the file; null = the record has none of its own.</param>
    public BatchBuilder Add(string message, RecordFlags flags = RecordFlags.None, string? rawTime = null, LogStream stream = LogStream.Stdout, long nanos = 0, long? offset = null, long? sequence = null) =>
        Add(Encoding.UTF8.GetBytes(message), flags, rawTime, stream, nanos, offset, sequence);

    public BatchBuilder Add(byte[] message, RecordFlags flags = RecordFlags.None, string? rawTime = null, LogStream stream = LogStream.Stdout, long nanos = 0, long? offset = null, long? sequence = null)
    {
        byte[] time = Encoding.ASCII.GetBytes(rawTime ?? "");
        LogRecord record = new()
        {
            MessageStart = _bytes.Count,
            MessageLength = message.Length,
            TimeStart = _bytes.Count + message.Length,
            TimeLength = (byte)time.Length,
            Flags = flags,
            Stream = stream,
            TimeNanos = nanos,
            Offset = offset ?? _records.Count * 100,
            Sequence = sequence ?? _records.Count * 100,
        };
        _bytes.AddRange(message);
        _bytes.AddRange(time);
        _records.Add(record);
        return this;
    }

    public LogBatch Build()
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(Math.Max(1, _bytes.Count));
        _bytes.CopyTo(buffer);
        LogRecord[] records = ArrayPool<LogRecord>.Shared.Rent(Math.Max(1, _records.Count));
        _records.CopyTo(records);
        return new(Target, Encoding.ASCII.GetBytes(IdPrefix), buffer, records, _records.Count, _bytes.Count, _bytes.Count, (_, acknowledged) => Completed = acknowledged);
    }

    /// <summary>The whole batch as one group.</summary>
    public RecordGroup BuildGroup(int messageLimit = int.MaxValue)
    {
        LogBatch batch = Build();
        long bytes = 0;
        foreach (LogRecord record in batch.Records)
        {
            bytes += record.MessageLength;
        }

        return new([new(batch, 0, batch.Count)], batch.Count, bytes) { MessageLimit = messageLimit };
    }
}
