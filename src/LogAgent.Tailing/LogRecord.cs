using System.Runtime.InteropServices;

namespace LogAgent.Tailing;

/// <summary>
/// One record: where its bytes stand in its batch, and where it stands in its source.
/// A value of 48 bytes; it owns nothing and means nothing without its <see cref="LogBatch"/>.
/// </summary>
[StructLayout(LayoutKind.Auto)]
public struct LogRecord
{
    /// <summary>Start of the message in the batch's buffer, in bytes.</summary>
    public int MessageStart;

    /// <summary>Length of the message in bytes, its line ending not included.</summary>
    public int MessageLength;

    /// <summary>Start of the record's own timestamp in the batch's buffer: RFC 3339 as it stands in the file, or made of its nanoseconds.</summary>
    public int TimeStart;

    /// <summary>Length of that timestamp; 0 where the record has none of its own and <see cref="TimeNanos"/> is the time of reading.</summary>
    public byte TimeLength;

    public LogStream Stream;

    public RecordFlags Flags;

    /// <summary>Offset in bytes of the record's first byte in its file (decompressed, where the file is compressed).</summary>
    public long Offset;

    /// <summary>Order within the source across rotations (event.sequence): grows with every record, has holes.</summary>
    public long Sequence;

    /// <summary>Nanoseconds since 1970-01-01 UTC.</summary>
    public long TimeNanos;
}
