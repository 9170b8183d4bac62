using System.Buffers.Text;
using System.Runtime.CompilerServices;
using LogAgent.Tailing;

namespace LogAgent.Outputs;

/// <summary>The names of a document's fields.</summary>
internal enum Schema
{
    /// <summary>Elastic Common Schema, nested objects.</summary>
    Ecs,

    /// <summary>The flat names of the fluentd and docker-gen set-ups: time, log, stream, container_id ...</summary>
    Flat,
}

/// <summary>
/// Writes a record as one JSON document in UTF-8, without a line ending: the bytes of an escaped message are copied as they
/// stand (the splice), those of a plain one are escaped on the way. Stateless, thread-safe, no allocation a record.
/// <code>
/// ecs:  {"@timestamp":"T","message":"M","stream":"stdout",FIELDS,"log":{"file":{"path":"P"},"offset":N,"flags":["truncated"]},"event":{"sequence":N}}
/// flat: {"time":"T","log":"M","stream":"stdout",FIELDS,"log_path":"P","log_offset":N,"log_flags":["truncated"],"sequence":N}
/// </code>
/// stream, path and flags are left out where there are none. log.offset is the record's offset in its file.
/// </summary>
internal sealed class DocumentEncoder(Schema schema)
{
    private const RecordFlags Shown = RecordFlags.Truncated | RecordFlags.Corrupt | RecordFlags.Gap | RecordFlags.Binary;

    /// <summary>The arrays of flags, by the four shown bits.</summary>
    private static readonly byte[][] FlagArrays = [.. Enumerable.Range(0, 16).Select(FlagArray)];

    private readonly bool _flat = schema == Schema.Flat;

    public Schema Schema => schema;

    /// <param name="messageLimit">Longest message in bytes; a longer one is cut at a character's (and an escape's) boundary and flagged as truncated.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)] // hot from the first record on: no time to be found hot
    public void Write(ByteBuffer buffer, LogBatch batch, in LogRecord record, int messageLimit = int.MaxValue)
    {
        ReadOnlySpan<byte> message = batch.Message(record);
        RecordFlags flags = record.Flags;
        bool escaped = (flags & RecordFlags.Escaped) != 0;
        if (message.Length > messageLimit)
        {
            message = message[..(escaped ? JsonText.CutEscaped(message, messageLimit) : JsonText.CutPlain(message, messageLimit))];
            flags |= RecordFlags.Truncated;
        }

        // Room for all but a plain message and a path: no piece below asks again where the message is spliced.
        ReadOnlySpan<byte> fields = batch.Fields.Json;
        Span<byte> span = buffer.GetSpan(message.Length + fields.Length + record.TimeLength + 256);
        int at = WriteHead(span, batch, record);
        if ((flags & (RecordFlags.Escaped | RecordFlags.Binary)) == RecordFlags.Escaped)
        {
            message.CopyTo(span[at..]);
            at += message.Length;
        }
        else
        {
            buffer.Advance(at);
            if (escaped)
            {
                JsonText.WriteRepaired(buffer, message);
            }
            else
            {
                JsonText.WriteEscaped(buffer, message);
            }

            span = buffer.GetSpan(fields.Length + 256);
            at = 0;
        }

        at = record.Stream switch
        {
            LogStream.Stdout => Put(span, at, "\",\"stream\":\"stdout\""u8),
            LogStream.Stderr => Put(span, at, "\",\"stream\":\"stderr\""u8),
            _ => Put(span, at, "\""u8),
        };
        if (!fields.IsEmpty)
        {
            span[at++] = (byte)',';
            at = Put(span, at, fields);
        }

        if (batch.Target.ShownPath is { } path)
        {
            at = Put(span, at, _flat ? ",\"log_path\":\""u8 : ",\"log\":{\"file\":{\"path\":\""u8);
            buffer.Advance(at);
            JsonText.WriteEscaped(buffer, path);
            span = buffer.GetSpan(256);
            at = Put(span, 0, _flat ? "\",\"log_offset\":"u8 : "\"},\"offset\":"u8);
        }
        else
        {
            at = Put(span, at, _flat ? ",\"log_offset\":"u8 : ",\"log\":{\"offset\":"u8);
        }

        buffer.Advance(WriteTail(span, at, record, flags));
    }

    private static byte[] FlagArray(int bits)
    {
        string[] names = ["truncated", "corrupt", "gap", "binary"];
        return System.Text.Encoding.ASCII.GetBytes($"[{string.Join(',', names.Where((_, bit) => (bits >> bit & 1) != 0).Select(name => $"\"{name}\""))}]");
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Put(Span<byte> span, int at, ReadOnlySpan<byte> text)
    {
        text.CopyTo(span[at..]);
        return at + text.Length;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int PutNumber(Span<byte> span, int at, long value)
    {
        Utf8Formatter.TryFormat(value, span[at..], out int written);
        return at + written;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private int WriteHead(Span<byte> span, LogBatch batch, in LogRecord record)
    {
        int at = Put(span, 0, _flat ? "{\"time\":\""u8 : "{\"@timestamp\":\""u8);
        at = record.TimeLength > 0
            ? Put(span, at, batch.RawTime(record))
            : at + RecordTime.Write(span[at..], record.TimeNanos);
        return Put(span, at, _flat ? "\",\"log\":\""u8 : "\",\"message\":\""u8);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private int WriteTail(Span<byte> span, int at, in LogRecord record, RecordFlags flags)
    {
        at = PutNumber(span, at, record.Offset);
        if ((flags & Shown) != 0)
        {
            at = Put(span, at, _flat ? ",\"log_flags\":"u8 : ",\"flags\":"u8);
            at = Put(span, at, FlagArrays[(int)(flags & Shown) >> 1]);
        }

        at = Put(span, at, _flat ? ",\"sequence\":"u8 : "},\"event\":{\"sequence\":"u8);
        at = PutNumber(span, at, record.Sequence);
        return Put(span, at, _flat ? "}"u8 : "}}"u8);
    }
}
