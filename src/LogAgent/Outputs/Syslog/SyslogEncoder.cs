using System.Buffers;
using System.Buffers.Text;
using System.Runtime.CompilerServices;
using LogAgent.Delivery;
using LogAgent.Tailing;

namespace LogAgent.Outputs.Syslog;

/// <summary>
/// Writes a group as syslog messages, one after the other; over a stream each is preceded by its length (octet counting,
/// RFC 6587): <c>LENGTH SP MESSAGE</c>. The message's own bytes are sent unescaped and without a byte order mark. Not
/// thread-safe; owns its buffers. No allocation a record.
/// </summary>
internal sealed class SyslogEncoder(SyslogOptions options, TimeZoneInfo zone) : IDisposable
{
    /// <summary>If a header leaves less for the message than this, it goes without structured data.</summary>
    private const int SmallestRoom = 64;

    /// <summary>Room kept for what a piece or a cut adds to its header: part="10000/10000", truncated="true".</summary>
    private const int PartRoom = 24;

    private static readonly SearchValues<byte> Control = SearchValues.Create(
        "\0\u0001\u0002\u0003\u0004\u0005\u0006\u0007\u0008\u0009\u000a\u000b\u000c\u000d\u000e\u000f\u0010\u0011\u0012\u0013\u0014\u0015\u0016\u0017\u0018\u0019\u001a\u001b\u001c\u001d\u001e\u001f\u007f"u8);

    private static readonly byte[][] Months = [.. "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".Split(' ').Select(System.Text.Encoding.ASCII.GetBytes)];

    private readonly bool _counted = options.Protocol != SyslogProtocol.Udp;
    private readonly ConditionalWeakTable<TailTarget, SyslogHeader> _headers = [];
    private readonly ByteBuffer _frames = new(64 * 1024);
    private readonly ByteBuffer _plain = new(16 * 1024);
    private readonly ByteBuffer _clean = new(16 * 1024);
    private readonly ByteBuffer _head = new(4 * 1024);
    private readonly List<int> _ends = [];

    /// <summary>All messages of the last group.</summary>
    public ReadOnlyMemory<byte> Frames => _frames.WrittenMemory;

    /// <summary>Where each message ends in <see cref="Frames"/>.</summary>
    public IReadOnlyList<int> Ends => _ends;

    /// <summary>Records of the last group whose message was cut at max_message, and the bytes cut off them.</summary>
    public Amount Cut { get; private set; }

    public void Encode(RecordGroup group)
    {
        Cut = default;
        _frames.Clear();
        _ends.Clear();
        foreach (RecordRun run in group.Runs)
        {
            LogBatch batch = run.Batch;
            SyslogHeader header = _headers.TryGetValue(batch.Target, out SyslogHeader? known) ? known : _headers.GetValue(batch.Target, target => SyslogHeader.Of(target, options));
            foreach (ref readonly LogRecord record in batch.Records.Slice(run.Start, run.Count))
            {
                Encode(batch, record, header, group.MessageLimit);
            }
        }
    }

    public void Dispose()
    {
        _frames.Dispose();
        _plain.Dispose();
        _clean.Dispose();
        _head.Dispose();
    }

    private void Encode(LogBatch batch, in LogRecord record, SyslogHeader header, int limit)
    {
        ReadOnlySpan<byte> message = Plain(batch.Message(record), record.Flags);
        bool truncated = (record.Flags & RecordFlags.Truncated) != 0;
        if (message.Length > limit)
        {
            message = message[..JsonText.CutPlain(message, limit)];
            truncated = true;
        }

        WriteHead(batch, record, header, truncated, 0, 0);
        int room = options.MaxMessage - _head.Length;
        if (message.Length <= room)
        {
            WriteFrame(message);
            return;
        }

        // Both rules add to the header.
        room = Math.Max(1, room - PartRoom);
        if (options.Oversize == SyslogOversize.Truncate)
        {
            WriteHead(batch, record, header, true, 0, 0);
            int kept = JsonText.CutPlain(message, room);
            WriteFrame(message[..kept]);
            Cut += new Amount(1, Math.Min(record.MessageLength, message.Length - kept));
            return;
        }

        int parts = CountParts(message, room);
        int part = 0;
        for (ReadOnlySpan<byte> rest = message; !rest.IsEmpty;)
        {
            int cut = Fitting(rest, room);
            WriteHead(batch, record, header, truncated, ++part, parts);
            WriteFrame(rest[..cut]);
            rest = rest[cut..];
        }
    }

    private static int Fitting(ReadOnlySpan<byte> rest, int room) => Math.Max(1, JsonText.CutPlain(rest, Math.Min(room, rest.Length)));

    private static int CountParts(ReadOnlySpan<byte> message, int room)
    {
        int parts = 0;
        for (; !message.IsEmpty; parts++)
        {
            message = message[Fitting(message, room)..];
        }

        return parts;
    }

    private ReadOnlySpan<byte> Plain(ReadOnlySpan<byte> message, RecordFlags flags)
    {
        if ((flags & RecordFlags.Escaped) != 0 && message.Contains((byte)'\\'))
        {
            _plain.Clear();
            JsonUnescaper.Write(message, _plain);
            message = _plain.Written;
        }

        if (options.Newlines == SyslogNewlines.Keep || !message.ContainsAny(Control))
        {
            return message;
        }

        _clean.Clear();
        while (message.IndexOfAny(Control) is >= 0 and int next)
        {
            _clean.Write(message[..next]);
            byte control = message[next];
            if (options.Newlines == SyslogNewlines.Space || control == '\t')
            {
                _clean.Write(control == '\t' ? "\t"u8 : " "u8);
            }
            else
            {
                _clean.Write([(byte)'#', (byte)('0' + (control >> 6)), (byte)('0' + (control >> 3 & 7)), (byte)('0' + (control & 7))]);
            }

            message = message[(next + 1)..];
        }

        _clean.Write(message);
        return _clean.Written;
    }

    private void WriteHead(LogBatch batch, in LogRecord record, SyslogHeader header, bool truncated, int part, int parts)
    {
        _head.Clear();
        Put("<"u8);
        PutNumber(((int)options.Facility * 8) + (int)options.SeverityOf(record.Stream));
        Put(">"u8);
        if (options.Format == SyslogFormat.Rfc3164)
        {
            PutOldTime(record.TimeNanos);
            Put(header.Names);
            return;
        }

        Put("1 "u8);

        // TIME-SECFRAC has six digits at most (RFC 5424, section 6.2.3): the last three are cut, not rounded.
        Span<byte> time = stackalloc byte[RecordTime.Length];
        RecordTime.Write(time, record.TimeNanos);
        Put(time[..26]);
        Put("Z"u8);
        Put(header.Names);
        if (header.Data.Length == 0 || _head.Length + header.Data.Length + 100 + SmallestRoom > options.MaxMessage)
        {
            Put("- "u8);
            return;
        }

        Put(header.Data);
        PutData(batch, record, truncated, part, parts);
        Put("] "u8);
    }

    private void PutData(LogBatch batch, in LogRecord record, bool truncated, int part, int parts)
    {
        Put(record.Stream switch
        {
            LogStream.Stdout => " stream=\"stdout\""u8,
            LogStream.Stderr => " stream=\"stderr\""u8,
            _ => default,
        });
        if (options.FullTime)
        {
            Span<byte> time = stackalloc byte[RecordTime.Length];
            RecordTime.Write(time, record.TimeNanos);
            Put(" time=\""u8);
            Put(time);
            Put("\""u8);
        }

        if (truncated)
        {
            Put(" truncated=\"true\""u8);
        }

        if ((record.Flags & RecordFlags.Gap) != 0)
        {
            Put(" gap=\"true\""u8);
        }

        if (parts > 0)
        {
            Put(" part=\""u8);
            PutNumber(part);
            Put("/"u8);
            PutNumber(parts);
            Put("\""u8);
        }
    }

    private void WriteFrame(ReadOnlySpan<byte> message)
    {
        if (_counted)
        {
            Span<byte> length = _frames.GetSpan(12);
            Utf8Formatter.TryFormat(_head.Length + message.Length, length, out int digits);
            length[digits] = (byte)' ';
            _frames.Advance(digits + 1);
        }

        _frames.Write(_head.Written);
        _frames.Write(message);
        _ends.Add(_frames.Length);
    }

    /// <summary>Mmm dd hh:mm:ss in local time, the day padded with a space (RFC 3164, section 4.1.2).</summary>
    private void PutOldTime(long nanos)
    {
        DateTimeOffset utc = DateTimeOffset.UnixEpoch.AddTicks(nanos / 100);
        DateTime time = utc.UtcDateTime + zone.GetUtcOffset(utc);
        Put(Months[time.Month - 1]);
        Span<byte> digits =
        [
            (byte)' ', time.Day < 10 ? (byte)' ' : Digit(time.Day / 10), Digit(time.Day), (byte)' ',
            Digit(time.Hour / 10), Digit(time.Hour), (byte)':',
            Digit(time.Minute / 10), Digit(time.Minute), (byte)':',
            Digit(time.Second / 10), Digit(time.Second),
        ];
        Put(digits);

        static byte Digit(int value) => (byte)('0' + (value % 10));
    }

    private void Put(ReadOnlySpan<byte> text) => _head.Write(text);

    private void PutNumber(int value)
    {
        Utf8Formatter.TryFormat(value, _head.GetSpan(11), out int written);
        _head.Advance(written);
    }
}
