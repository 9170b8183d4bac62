using System.Buffers;
using System.Text;
using LogAgent.Delivery;
using LogAgent.Tailing;

namespace LogAgent.Outputs;

/// <summary>
/// Writes a record as one line for a person: local time, the container's name in a colour of its own, and the text.
/// <code>
/// 2026-11-20 20:35:46.685 web-1 | text of stdout or of a file
/// 2026-11-20 20:35:46.685 web-1 ! text of stderr
/// 2026-11-20 20:35:46.685 web-1 ~ the agent's own words about what is missing here
/// </code>
/// What a terminal could take for a command is shown, never sent: control bytes as \n, \x1b ..., invalid UTF-8 as U+FFFD.
/// Not thread-safe.
/// </summary>
internal sealed class ConsoleEncoder(bool colour, TimeZoneInfo zone) : IDisposable
{
    private const long NanosPerQuarter = 900_000_000_000;

    /// <summary>Codes of the 256-colour palette that are readable on dark and on light ground.</summary>
    private static ReadOnlySpan<byte> Palette => [32, 36, 64, 67, 71, 97, 101, 130, 132, 136, 167, 173];

    /// <summary>Everything but printable ASCII and the tab.</summary>
    private static readonly SearchValues<byte> Special =
        SearchValues.Create([.. Enumerable.Range(0, 256).Where(value => value is (< 0x20 and not '\t') or >= 0x7F).Select(value => (byte)value)]);

    private readonly ByteBuffer _text = new(4096);
    private long _quarter = long.MinValue;
    private long _offset;
    private int _widest;

    public void Write(ByteBuffer buffer, RecordGroup group)
    {
        foreach (RecordRun run in group.Runs)
        {
            byte[] name = Name(run.Batch.Target);
            foreach (ref readonly LogRecord record in run.Batch.Records.Slice(run.Start, run.Count))
            {
                Write(buffer, run.Batch, record, name);
            }
        }
    }

    public void Dispose() => _text.Dispose();

    /// <summary>The palette's code for a name: the same in every run.</summary>
    internal static byte ColourOf(ReadOnlySpan<byte> name)
    {
        uint hash = 2166136261;
        foreach (byte letter in name)
        {
            hash = (hash ^ letter) * 16777619;
        }

        return Palette[(int)((hash ^ (hash >> 16)) % (uint)Palette.Length)];
    }

    private static void Put(ByteBuffer buffer, ReadOnlySpan<byte> text, bool always = true)
    {
        if (always)
        {
            buffer.Write(text);
        }
    }

    private byte[] Name(TailTarget target)
    {
        string name = target.Fields["container.name"] ?? target.Fields["service.name"] ?? Path.GetFileName(target.ShownPath ?? target.Path);
        int width = Math.Min(24, name.Length);
        _widest = Math.Max(_widest, width);
        _text.Clear();
        Sanitize(_text, Encoding.UTF8.GetBytes(name));
        for (int i = name.Length; i < _widest; i++)
        {
            _text.Write(" "u8);
        }

        return _text.Written.ToArray();
    }

    private void Write(ByteBuffer buffer, LogBatch batch, in LogRecord record, ReadOnlySpan<byte> name)
    {
        Put(buffer, "\x1b[2m"u8, colour);
        WriteTime(buffer, record.TimeNanos);
        Put(buffer, "\x1b[0m"u8, colour);
        Put(buffer, " "u8);
        if (colour)
        {
            Put(buffer, "\x1b[38;5;"u8);
            byte code = ColourOf(name.TrimEnd((byte)' '));
            Span<byte> digits = buffer.GetSpan(3);
            code.TryFormat(digits, out int written, default, null);
            buffer.Advance(written);
            Put(buffer, "m"u8);
        }

        buffer.Write(name);
        bool gap = (record.Flags & RecordFlags.Gap) != 0;
        bool error = record.Stream == LogStream.Stderr;
        Put(buffer, "\x1b[0m"u8, colour);
        Put(buffer, gap ? "\x1b[33m ~ "u8 : error ? "\x1b[31m ! "u8 : "\x1b[2m | "u8, colour);
        Put(buffer, gap ? " ~ "u8 : error ? " ! "u8 : " | "u8, !colour);
        Put(buffer, "\x1b[0m"u8, colour);
        if ((record.Flags & RecordFlags.Escaped) != 0)
        {
            _text.Clear();
            JsonUnescaper.Write(batch.Message(record), _text);
            Sanitize(buffer, _text.Written);
        }
        else
        {
            Sanitize(buffer, batch.Message(record));
        }

        Put(buffer, " [truncated]"u8, (record.Flags & RecordFlags.Truncated) != 0);
        Put(buffer, "\n"u8);
    }

    private void WriteTime(ByteBuffer buffer, long nanos)
    {
        // Offsets change at most at a quarter of an hour.
        long quarter = nanos / NanosPerQuarter;
        if (quarter != _quarter)
        {
            _quarter = quarter;
            _offset = zone.GetUtcOffset(DateTimeOffset.UnixEpoch.AddTicks(nanos / 100)).Ticks * 100;
        }

        Span<byte> time = buffer.GetSpan(RecordTime.Length);
        RecordTime.Write(time, nanos + _offset);
        time[10] = (byte)' ';
        buffer.Advance(23);
    }

    private static void Sanitize(ByteBuffer buffer, ReadOnlySpan<byte> text)
    {
        while (true)
        {
            int special = text.IndexOfAny(Special);
            if (special < 0)
            {
                buffer.Write(text);
                return;
            }

            buffer.Write(text[..special]);
            text = text[special..];
            bool valid = Rune.DecodeFromUtf8(text, out Rune rune, out int length) == OperationStatus.Done;
            if (valid && rune.Value is '\n')
            {
                buffer.Write("\\n"u8);
            }
            else if (valid && rune.Value is < 0x20 or (>= 0x7F and < 0xA0))
            {
                // The C1 controls too: a terminal may take U+009B for the beginning of a command.
                buffer.Write("\\x"u8);
                Span<byte> hex = buffer.GetSpan(2);
                hex[0] = "0123456789abcdef"u8[rune.Value >> 4];
                hex[1] = "0123456789abcdef"u8[rune.Value & 15];
                buffer.Advance(2);
            }
            else
            {
                buffer.Advance(rune.EncodeToUtf8(buffer.GetSpan(4)));
            }

            text = text[length..];
        }
    }
}
