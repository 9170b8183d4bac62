using System.Runtime.CompilerServices;
using System.Text.Json;

namespace LogAgent.Tailing.Parsing;

/// <summary>
/// Docker's json-file driver. One JSON object a line, keys always in this order; attrs only with label, env or tag options:
/// <code>
/// {"log":"text, escaped, with its line ending\n","stream":"stdout","attrs":{...},"time":"2026-11-20T20:35:46.685148284Z"}
/// </code>
/// Text without a final \n is a piece of a longer line. The bytes ," cannot occur inside an escaped string, so that
/// ","stream":" is an exact end of the text. Any other JSON object with these keys is read too, more slowly.
/// </summary>
internal sealed class DockerJsonParser : ILineParser
{
    /// <summary>Bytes of text at which dockerd cuts a line into pieces.</summary>
    public const int PieceLength = 16384;

    private const int ShortestTail = 44; // ","stream":"stdout","time":""} and a time of 20 bytes, roughly

    private static ReadOnlySpan<byte> Head => "{\"log\":\""u8;

    private static ReadOnlySpan<byte> Stream => "\",\"stream\":\"std"u8;

    private static ReadOnlySpan<byte> Time => ",\"time\":\""u8;

    /// <summary>For the lines in the exact form, many at a time.</summary>
    public DockerJsonRun Run { get; } = new();

    public bool PieceIsShort { get; private set; }

    public ulong PieceGroup => 0;

    public void Begin(TailedFile file)
    {
    }

    public int FindEnd(ReadOnlySpan<byte> data, long offset) => data.IndexOf((byte)'\n') + 1 is > 0 and int end ? end : -1;

    public int LastEnd(ReadOnlySpan<byte> data) => data.LastIndexOf((byte)'\n') + 1;

    public LineKind Parse(BatchBuffer batch, int start, int length, ref LogRecord record)
    {
        ReadOnlySpan<byte> line = batch.Buffer.AsSpan(start, length);
        line = line.EndsWith((byte)'\n') ? line[..^1] : line;
        if (!TrySplit(line, ref record) && !TrySplitAny(line, ref record))
        {
            return LineKind.Corrupt;
        }

        ReadOnlySpan<byte> text = line.Slice(record.MessageStart, record.MessageLength);
        if (!Rfc3339.TryParse(line.Slice(record.TimeStart, record.TimeLength), out record.TimeNanos)
            || !JsonText.IsValid(text, out int lastEscape, out int textLength))
        {
            return LineKind.Corrupt;
        }

        record.Flags = RecordFlags.Escaped;
        if (!JsonText.IsUtf8(text))
        {
            record.Flags |= RecordFlags.Binary;
        }

        record.MessageStart += start;
        record.TimeStart += start;
        if (lastEscape < 0 || lastEscape != text.Length - 2 || text[^1] != 'n')
        {
            PieceIsShort = textLength < PieceLength;
            return LineKind.Piece;
        }

        // A terminal ends its lines with \r\n. The backslash before the r begins an escape when its run is odd.
        record.MessageLength -= 2;
        text = text[..^2];
        if (text.EndsWith("\\r"u8) && (text.Length - 1 - text[..^1].LastIndexOfAnyExcept((byte)'\\') - 1) % 2 == 1)
        {
            record.MessageLength -= 2;
        }

        return LineKind.Record;
    }

    /// <summary>The exact form that dockerd writes, from both ends: the time, the stream, and what is between is the text.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool TrySplit(ReadOnlySpan<byte> line, ref LogRecord record)
    {
        if (line.Length < Head.Length + ShortestTail || !line.StartsWith(Head) || !line.EndsWith("\"}"u8))
        {
            return false;
        }

        // The time is 20 to 35 bytes long; its own bytes hold no quote.
        int timeEnd = line.Length - 2;
        int timeStart = line[..timeEnd].LastIndexOf((byte)'"') + 1;
        int streamEnd = timeStart - Time.Length;
        if (streamEnd < Head.Length || timeEnd - timeStart > 40 || !line[streamEnd..timeStart].SequenceEqual(Time))
        {
            return false;
        }

        record.TimeStart = timeStart;
        record.TimeLength = (byte)(timeEnd - timeStart);
        record.MessageStart = Head.Length;
        int textEnd;
        if (line[streamEnd - 1] == '"')
        {
            // ..text","stream":"stdout" with out or err last.
            streamEnd--;
            textEnd = streamEnd - 3 - Stream.Length;
        }
        else
        {
            // ..text","stream":"stdout","attrs":{..}
            textEnd = Head.Length + line[Head.Length..streamEnd].IndexOf(Stream);
            int end = textEnd + Stream.Length + 3;
            if (textEnd < Head.Length || end > streamEnd || !line[end..streamEnd].StartsWith("\",\"attrs\":{"u8) || line[streamEnd - 1] != '}')
            {
                return false;
            }

            streamEnd = end;
        }

        if (textEnd < Head.Length || !line.Slice(textEnd, Stream.Length).SequenceEqual(Stream))
        {
            return false;
        }

        record.MessageLength = textEnd - Head.Length;
        ReadOnlySpan<byte> stream = line.Slice(streamEnd - 3, 3);
        record.Stream = stream.SequenceEqual("out"u8) ? LogStream.Stdout : stream.SequenceEqual("err"u8) ? LogStream.Stderr : LogStream.None;
        return record.Stream != LogStream.None;
    }

    private static bool TrySplitAny(ReadOnlySpan<byte> line, ref LogRecord record)
    {
        record.MessageLength = -1;
        record.TimeLength = 0;
        record.Stream = LogStream.None;
        if (line.IsEmpty || line[0] != '{')
        {
            return false;
        }

        try
        {
            Utf8JsonReader reader = new(line);
            reader.Read();
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                int key = reader.ValueTextEquals("log"u8) ? 1 : reader.ValueTextEquals("stream"u8) ? 2 : reader.ValueTextEquals("time"u8) ? 3 : 0;
                reader.Read();
                if (key == 0 || reader.TokenType != JsonTokenType.String)
                {
                    reader.Skip();
                    continue;
                }

                int start = (int)reader.TokenStartIndex + 1;
                ReadOnlySpan<byte> value = reader.ValueSpan;
                if (key == 1)
                {
                    record.MessageStart = start;
                    record.MessageLength = value.Length;
                }
                else if (key == 2)
                {
                    record.Stream = value.SequenceEqual("stdout"u8) ? LogStream.Stdout : value.SequenceEqual("stderr"u8) ? LogStream.Stderr : LogStream.None;
                }
                else if (value.Length <= 40)
                {
                    record.TimeStart = start;
                    record.TimeLength = (byte)value.Length;
                }
            }

            // Nothing but space may follow the object.
            return reader.TokenType == JsonTokenType.EndObject && !reader.Read() && record.MessageLength >= 0 && record.TimeLength > 0;
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
