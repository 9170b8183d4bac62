using System.Text;
using LogAgent.Tailing;

namespace LogAgent.Outputs.Kafka;

/// <summary>
/// The headers of records: content-type and schema, which are the same for all and are copied, which is cheaper than adding
/// each, and logagent-id. Used by one thread; owns the set that is copied.
/// </summary>
internal sealed unsafe class KafkaHeaders(Schema schema) : IDisposable
{
    private nint _same;

    /// <summary>The headers of a record; librdkafka owns them once it has taken the record, else <see cref="Drop"/> them.</summary>
    public nint Make(LogBatch batch, in LogRecord record)
    {
        if (_same == 0)
        {
            _same = Librdkafka.HeadersNew(3);
            Add(_same, "content-type"u8, "application/json"u8);
            Add(_same, "schema"u8, Encoding.ASCII.GetBytes(schema.ToString().ToLowerInvariant()));
        }

        Span<byte> id = stackalloc byte[RecordId.MaxLength];
        nint headers = Librdkafka.HeadersCopy(_same);
        Add(headers, "logagent-id"u8, id[..RecordId.Write(id, batch, record)]);
        return headers;
    }

    public static void Drop(nint headers) => Librdkafka.HeadersDestroy(headers);

    public void Dispose()
    {
        if (_same != 0)
        {
            Librdkafka.HeadersDestroy(_same);
            _same = 0;
        }
    }

    private static void Add(nint headers, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        fixed (byte* first = name, data = value)
        {
            _ = Librdkafka.HeaderAdd(headers, first, name.Length, data, value.Length);
        }
    }
}
