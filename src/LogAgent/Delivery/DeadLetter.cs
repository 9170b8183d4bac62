using System.Buffers;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Unicode;
using LogAgent.Outputs;
using LogAgent.Tailing;

namespace LogAgent.Delivery;

/// <summary>
/// A record that an output rejected for good, as one line of a dead letter file: what a person asks for, the document, and
/// every part of the record that is needed to send it again.
/// <code>
/// {"time":"when it was rejected","output":"O","reason":"label","detail":"what the receiver said","id":"_id","target":"T",
///  "record":{"prefix":"P","offset":N,"sequence":N,"nanos":N,"time":"as in the file","stream":N,"flags":N,
///            "message":"M" or "message_base64":"bytes that are no text","base64_flags":N,"file":"F","path":"shown path",
///            "values":{"container.name":"v" ...},"fields":{members of the document}},
///  "document":{...}}
/// </code>
/// </summary>
internal sealed class DeadLetter
{
    private static readonly JsonWriterOptions WriterOptions = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private readonly JsonElement _record;

    private DeadLetter(byte[] line, JsonElement root)
    {
        Line = line;
        _record = root.GetProperty("record");
        Time = root.GetProperty("time").GetDateTimeOffset();
        Output = Text(root, "output");
        Reason = Text(root, "reason");
        Detail = Text(root, "detail");
        Id = Text(root, "id");
        Target = Text(root, "target");
        Document = root.GetProperty("document").GetRawText();
    }

    /// <summary>The line as it stands in its file, without its line ending.</summary>
    public byte[] Line { get; }

    public DateTimeOffset Time { get; }

    public string Output { get; }

    public string Reason { get; }

    public string Detail { get; }

    public string Id { get; }

    public string Target { get; }

    /// <summary>The document as JSON.</summary>
    public string Document { get; }

    /// <summary>Writes one line, its line ending included.</summary>
    public static void Write(ByteBuffer buffer, string output, in RejectedRecord rejected, LogBatch batch, in LogRecord record, DocumentEncoder documents, DateTimeOffset now)
    {
        using ByteBuffer scratch = new(4096);
        using (Utf8JsonWriter json = new(buffer, WriterOptions))
        {
            Span<byte> id = stackalloc byte[RecordId.MaxLength];
            json.WriteStartObject();
            json.WriteString("time", now);
            json.WriteString("output", output);
            json.WriteString("reason", rejected.Reason);
            json.WriteString("detail", rejected.Detail);
            json.WriteString("id", id[..RecordId.Write(id, batch, record)]);
            json.WriteString("target", batch.Target.Id);
            json.WriteStartObject("record");
            json.WriteString("prefix", batch.IdPrefix);
            json.WriteNumber("offset", record.Offset);
            json.WriteNumber("sequence", record.Sequence);
            json.WriteNumber("nanos", record.TimeNanos);
            json.WriteString("time", batch.RawTime(record));
            json.WriteNumber("stream", (int)record.Stream);
            json.WriteNumber("flags", (int)(record.Flags & ~RecordFlags.Escaped));
            WriteMessage(json, scratch, batch.Message(record), record.Flags);
            json.WriteString("file", batch.Target.Path);
            if (batch.Target.ShownPath is { } path)
            {
                json.WriteString("path", path);
            }

            json.WriteStartObject("values");
            foreach ((string name, string value) in batch.Fields.Values)
            {
                json.WriteString(name, value);
            }

            json.WriteEndObject();
            scratch.Clear();
            scratch.Write("{"u8);
            scratch.Write(batch.Fields.Json);
            scratch.Write("}"u8);
            json.WritePropertyName("fields");
            json.WriteRawValue(scratch.Written);
            json.WriteEndObject();
            scratch.Clear();
            documents.Write(scratch, batch, record);
            json.WritePropertyName("document");
            json.WriteRawValue(scratch.Written, skipInputValidation: true);
            json.WriteEndObject();
        }

        buffer.Write("\n"u8);
    }

    /// <summary>Null where the line is no dead letter (torn by a crash, or changed by someone).</summary>
    public static DeadLetter? TryParse(byte[] line)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(line);
            DeadLetter letter = new(line, document.RootElement.Clone());
            return letter._record.TryGetProperty("message", out _) || letter._record.TryGetProperty("message_base64", out _) ? letter : null;
        }
        catch (Exception wrong) when (wrong is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            return null;
        }
    }

    /// <summary>The record again, as a batch of one: its document and its id are the same as before.</summary>
    public LogBatch ToBatch(Action<LogBatch, bool> completed)
    {
        RecordFlags flags = (RecordFlags)_record.GetProperty("flags").GetInt32();
        byte[] message;
        if (_record.TryGetProperty("message", out JsonElement text))
        {
            message = JsonMarshal.GetRawUtf8Value(text)[1..^1].ToArray();
            flags |= RecordFlags.Escaped;
        }
        else
        {
            message = _record.GetProperty("message_base64").GetBytesFromBase64();
            flags |= (RecordFlags)_record.GetProperty("base64_flags").GetInt32();
        }

        byte[] time = Encoding.UTF8.GetBytes(Text(_record, "time"));
        byte[] buffer = ArrayPool<byte>.Shared.Rent(Math.Max(1, message.Length + time.Length));
        message.CopyTo(buffer, 0);
        time.CopyTo(buffer, message.Length);
        LogRecord[] records = ArrayPool<LogRecord>.Shared.Rent(1);
        records[0] = new()
        {
            MessageLength = message.Length,
            TimeStart = message.Length,
            TimeLength = (byte)time.Length,
            Stream = (LogStream)_record.GetProperty("stream").GetInt32(),
            Flags = flags,
            Offset = _record.GetProperty("offset").GetInt64(),
            Sequence = _record.GetProperty("sequence").GetInt64(),
            TimeNanos = _record.GetProperty("nanos").GetInt64(),
        };
        ReadOnlySpan<byte> fields = JsonMarshal.GetRawUtf8Value(_record.GetProperty("fields"));
        TailTarget target = new()
        {
            Id = Target,
            Path = Text(_record, "file"),
            Format = TailFormat.PlainText,
            ShownPath = _record.TryGetProperty("path", out JsonElement path) ? path.GetString() : null,
            Fields = new(
                _record.GetProperty("values").EnumerateObject().Select(value => new KeyValuePair<string, string>(value.Name, value.Value.GetString()!)),
                fields[1..^1].ToArray()),
        };
        return new(target, Encoding.ASCII.GetBytes(Text(_record, "prefix")), buffer, records, 1, message.Length, 0, completed);
    }

    private static void WriteMessage(Utf8JsonWriter json, ByteBuffer scratch, ReadOnlySpan<byte> message, RecordFlags flags)
    {
        if ((flags & RecordFlags.Binary) != 0 || !Utf8.IsValid(message))
        {
            json.WriteBase64String("message_base64", message);
            json.WriteNumber("base64_flags", (int)(flags & RecordFlags.Escaped));
            return;
        }

        scratch.Clear();
        scratch.Write("\""u8);
        if ((flags & RecordFlags.Escaped) != 0)
        {
            scratch.Write(message);
        }
        else
        {
            JsonText.WriteEscaped(scratch, message);
        }

        scratch.Write("\""u8);
        json.WritePropertyName("message");
        json.WriteRawValue(scratch.Written, skipInputValidation: true);
    }

    private static string Text(JsonElement element, string name) => element.GetProperty(name).GetString() ?? "";
}
