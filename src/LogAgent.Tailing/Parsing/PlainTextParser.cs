namespace LogAgent.Tailing.Parsing;

/// <summary>Any text, a record a line; ends \n or \r\n. An empty line is no record.</summary>
internal sealed class PlainTextParser : ILineParser
{
    public int FindEnd(ReadOnlySpan<byte> data, long offset) => data.IndexOf((byte)'\n') + 1 is > 0 and int end ? end : -1;

    public LineKind Parse(byte[] buffer, int start, int length, ref LogRecord record)
    {
        ReadOnlySpan<byte> line = buffer.AsSpan(start, length);
        line = line.EndsWith((byte)'\n') ? line[..^1] : line;
        line = line.EndsWith((byte)'\r') ? line[..^1] : line;
        if (line.IsEmpty)
        {
            return LineKind.Nothing;
        }

        record.MessageStart = start;
        record.MessageLength = line.Length;
        if (!JsonText.IsUtf8(line))
        {
            record.Flags |= RecordFlags.Binary;
        }

        return LineKind.Record;
    }
}
