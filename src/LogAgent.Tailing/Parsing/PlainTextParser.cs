using System.Text;

namespace LogAgent.Tailing.Parsing;

/// <summary>Any text, a record a line; ends \n or \r\n. An empty line is no record. What is not UTF-8 is converted, behind what was read.</summary>
internal sealed class PlainTextParser(TextEncoding encoding) : ILineParser
{
    private Encoding _utf16 = Encoding.Unicode;

    public bool PieceIsShort => false;

    public ulong PieceGroup => 0;

    public void Begin(TailedFile file) => _utf16 = file.IsBigEndian ? Encoding.BigEndianUnicode : Encoding.Unicode;

    public int FindEnd(ReadOnlySpan<byte> data, long offset)
    {
        if (encoding != TextEncoding.Utf16)
        {
            return data.IndexOf((byte)'\n') + 1 is > 0 and int end ? end : -1;
        }

        // A unit of two bytes begins at an even offset of the file.
        int low = _utf16 == Encoding.Unicode ? 0 : 1;
        for (int position = 0; ;)
        {
            int found = data[position..].IndexOf((byte)'\n');
            if (found < 0)
            {
                return -1;
            }

            position += found;
            bool isLow = ((offset + position) & 1) == low;
            int other = isLow && low == 0 ? position + 1 : position - 1;
            if (isLow && other >= 0 && other < data.Length && data[other] == 0)
            {
                return Math.Max(position, other) + 1;
            }

            position++;
        }
    }

    public int LastEnd(ReadOnlySpan<byte> data) => data.LastIndexOf((byte)'\n') + 1;

    public LineKind Parse(BatchBuffer batch, int start, int length, ref LogRecord record)
    {
        if (encoding == TextEncoding.Utf16)
        {
            return ParseUtf16(batch, start, length, ref record);
        }

        ReadOnlySpan<byte> line = batch.Buffer.AsSpan(start, length);
        if (record.Offset == 0 && encoding == TextEncoding.Utf8 && line.StartsWith("\uFEFF"u8))
        {
            start += 3;
            line = line[3..];
        }

        line = line.EndsWith((byte)'\n') ? line[..^1] : line;
        line = line.EndsWith((byte)'\r') ? line[..^1] : line;
        if (line.IsEmpty)
        {
            return LineKind.Nothing;
        }

        if (encoding == TextEncoding.Latin1 && !Ascii.IsValid(line))
        {
            return Convert(batch, start, line.Length, Encoding.Latin1, ref record);
        }

        record.MessageStart = start;
        record.MessageLength = line.Length;
        if (!JsonText.IsUtf8(line))
        {
            record.Flags |= RecordFlags.Binary;
        }

        return LineKind.Record;
    }

    private LineKind ParseUtf16(BatchBuffer batch, int start, int length, ref LogRecord record)
    {
        ReadOnlySpan<byte> line = batch.Buffer.AsSpan(start, length);
        if (record.Offset == 0 && line.Length >= 2 && line[..2] is [0xff, 0xfe] or [0xfe, 0xff])
        {
            start += 2;
            length -= 2;
        }

        LineKind kind = Convert(batch, start, length, _utf16, ref record);
        if (kind != LineKind.Record)
        {
            return kind;
        }

        ReadOnlySpan<byte> text = batch.Buffer.AsSpan(record.MessageStart, record.MessageLength);
        text = text.EndsWith((byte)'\n') ? text[..^1] : text;
        text = text.EndsWith((byte)'\r') ? text[..^1] : text;
        record.MessageLength = text.Length;
        return text.IsEmpty ? LineKind.Nothing : LineKind.Record;
    }

    private static LineKind Convert(BatchBuffer batch, int start, int length, Encoding from, ref LogRecord record)
    {
        // Latin-1 doubles at most; a unit of UTF-16 becomes three bytes at most.
        if (!batch.TryReserveBytes(length * 2))
        {
            return LineKind.NoRoom;
        }

        Span<char> part = stackalloc char[512];
        record.MessageStart = batch.Used;
        Decoder decoder = from.GetDecoder();
        Encoder encoder = Encoding.UTF8.GetEncoder();
        int position = start;
        bool completed;
        do
        {
            decoder.Convert(batch.Buffer.AsSpan(position, start + length - position), part, flush: true, out int bytes, out int chars, out completed);
            position += bytes;
            batch.Used += encoder.GetBytes(part[..chars], batch.Buffer.AsSpan(batch.Used), completed);
        }
        while (!completed);

        record.MessageLength = batch.Used - record.MessageStart;
        return LineKind.Record;
    }
}
