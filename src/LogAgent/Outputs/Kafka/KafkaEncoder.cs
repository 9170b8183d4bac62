using System.Runtime.InteropServices;
using LogAgent.Tailing;

namespace LogAgent.Outputs.Kafka;

/// <summary>
/// Puts a record together for librdkafka: document, key, time in milliseconds and headers. Used by one thread; owns its
/// buffers. No allocation a record.
/// </summary>
internal sealed unsafe class KafkaEncoder : IDisposable
{
    /// <summary>
    /// What a record costs beside its document: in librdkafka's memory (200 bytes of its own, key, three headers), and in a
    /// batch on the wire, which is less.
    /// </summary>
    public const int Overhead = 512;

    private const int ValueAt = 2;
    private const int TimestampAt = 3;
    private const int OpaqueAt = 4;
    private const int HeadersAt = 5;

    private readonly KafkaOptions _options;
    private readonly DocumentEncoder _documents;
    private readonly ByteBuffer _document = new(64 * 1024);
    private readonly KafkaArgument* _arguments = (KafkaArgument*)NativeMemory.AllocZeroed(7, (nuint)sizeof(KafkaArgument));
    private readonly KafkaHeaders? _headers;
    private readonly int _fixedArguments;
    private int _keyLength;
    private int _count;

    public KafkaEncoder(KafkaOptions options, DocumentEncoder documents)
    {
        _options = options;
        _documents = documents;
        _arguments[0].Kind = KafkaArgumentKind.TopicHandle;
        _arguments[1].Kind = KafkaArgumentKind.CopyFlags;
        _arguments[1].Flags = 2; // RD_KAFKA_MSG_F_COPY
        _arguments[ValueAt].Kind = KafkaArgumentKind.Value;
        _arguments[TimestampAt].Kind = KafkaArgumentKind.Timestamp;
        _arguments[OpaqueAt].Kind = KafkaArgumentKind.Opaque;
        _fixedArguments = HeadersAt;
        if (options.Headers)
        {
            _headers = new(documents.Schema);
            _arguments[HeadersAt].Kind = KafkaArgumentKind.Headers;
            _fixedArguments++;
        }
    }

    /// <summary>Bytes that were cut off the last record's message so that it fits.</summary>
    public int CutBytes { get; private set; }

    /// <summary>Length of the last document.</summary>
    public int DocumentLength => _document.Length;

    /// <summary>Topic and key of the records that follow.</summary>
    public void Begin(nint topic, KafkaRoute route)
    {
        _arguments[0].Pointer = topic;
        _keyLength = route.KeyLength;
        _count = _fixedArguments;
        if (route.Key != 0)
        {
            _arguments[_count].Kind = KafkaArgumentKind.Key;
            _arguments[_count].Pointer = route.Key;
            _arguments[_count].Length = route.KeyLength;
            _count++;
        }
    }

    /// <summary>
    /// Writes the document. False: it does not fit into <paramref name="room"/> bytes, and must not be cut or cannot be cut enough.
    /// </summary>
    public bool TryEncode(LogBatch batch, in LogRecord record, int messageLimit, int room)
    {
        room = Math.Min(room, _options.MaxMessage - _keyLength - Overhead);
        CutBytes = 0;
        _document.Clear();
        _documents.Write(_document, batch, record, messageLimit);
        return _document.Length <= room || (_options.Oversize == KafkaOversize.Truncate && TryCut(batch, record, messageLimit, room));
    }

    /// <summary>Gives the encoded record to librdkafka; returns its error code.</summary>
    public int Produce(KafkaProducer producer, LogBatch batch, in LogRecord record, nint opaque)
    {
        nint headers = 0;
        if (_headers is not null)
        {
            headers = _headers.Make(batch, record);
            _arguments[HeadersAt].Pointer = headers;
        }

        _arguments[TimestampAt].Milliseconds = record.TimeNanos / 1_000_000;
        _arguments[OpaqueAt].Pointer = opaque;
        fixed (byte* document = _document.Written)
        {
            _arguments[ValueAt].Pointer = (nint)document;
            _arguments[ValueAt].Length = _document.Length;
            int code = producer.Produce(_arguments, _count);
            if (code != 0 && headers != 0)
            {
                KafkaHeaders.Drop(headers);
            }

            return code;
        }
    }

    public void Dispose()
    {
        NativeMemory.Free(_arguments);
        _headers?.Dispose();
        _document.Dispose();
    }

    private bool TryCut(LogBatch batch, in LogRecord record, int messageLimit, int room)
    {
        int whole = _document.Length;
        _document.Clear();
        _documents.Write(_document, batch, record, 0);
        int without = _document.Length;
        int message = Math.Min(record.MessageLength, messageLimit);

        // A plain message grows as it is escaped: in proportion first, then less and less.
        long cut = (long)message * Math.Max(0, room - without) / Math.Max(1, whole - without);
        while (cut > 0)
        {
            _document.Clear();
            int kept = (int)Math.Min(cut, message - 1);
            _documents.Write(_document, batch, record, kept);
            if (_document.Length <= room)
            {
                CutBytes = message - kept;
                return true;
            }

            cut = cut * 7 / 8;
        }

        return false;
    }
}
