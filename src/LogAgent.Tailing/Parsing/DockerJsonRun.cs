using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Text.Unicode;

namespace LogAgent.Tailing.Parsing;

/// <summary>
/// Takes whole lines, one after the other, that stand exactly as dockerd writes them without attrs:
/// <code>
/// {"log":"text, escaped, and always\n","stream":"stdout","time":"2026-11-20T20:35:46.685148284Z"}
/// </code>
/// in one scan each. Whatever differs (a piece, attrs, damage, a line that is not whole) it leaves where it is, to
/// <see cref="DockerJsonParser"/>, which says the same of each line that this takes. Used on the tail loop's thread only.
/// </summary>
internal sealed class DockerJsonRun
{
    private const int ScanRoom = 40;  // one step of the scan, and an escape that begins at its end
    private const int TailRoom = 72;  // stream, a time of 35 bytes at most, the end of the line, and what is loaded beyond
    private const long Second = 1_000_000_000;
    private const long Minute = 60 * Second;

    // Lines come in the order of time: the minute of the last one most often is that of the next.
    private Vector128<byte> _minute; // 2026-11-20T20:35
    private long _minuteNanos;

    /// <summary>Position after the last line that was taken; <paramref name="position"/> where none was.</summary>
    /// <param name="batch">Takes the records; as many lines are taken as it has room for.</param>
    /// <param name="position">Where a line begins in the batch's buffer.</param>
    /// <param name="end">Where the buffer's bytes of the file end.</param>
    /// <param name="bufferOffset">Offset in the file of the buffer's first byte.</param>
    /// <param name="sequence">What is added to an offset to make the record's sequence.</param>
    /// <param name="limit">Longest message in bytes.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)] // hot from the first line on: no time to be found hot
    public int Take(BatchBuffer batch, int position, int end, long bufferOffset, long sequence, int limit)
    {
        if (!Vector256.IsHardwareAccelerated)
        {
            return position;
        }

        ref byte data = ref MemoryMarshal.GetReference(batch.Buffer.AsSpan(0, end));
        Span<LogRecord> records = batch.Free;
        int count = 0;
        while (count < records.Length)
        {
            ref LogRecord record = ref records[count];
            int length = TakeLine(ref data, position, end, limit, ref record);
            if (length == 0)
            {
                break;
            }

            record.Offset = bufferOffset + position;
            record.Sequence = sequence + record.Offset;
            position += length;
            count++;
        }

        batch.Filled(count);
        return position;
    }

    /// <summary>Length of the line with its ending, or 0 where it is not taken: <paramref name="record"/> means nothing then.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private int TakeLine(ref byte data, int start, int end, int limit, ref LogRecord record)
    {
        if (start > end - TailRoom || !Is(ref data, start, "{\"log\":\""u8))
        {
            return 0;
        }

        int text = start + 8;
        int at = text;
        int escape = 0;        // where the last escape began
        int escapeBefore = 0;  // and the one before
        Vector256<byte> high = Vector256<byte>.Zero;
        uint highAtStop = 0;
        while (true)
        {
            if (at > end - ScanRoom)
            {
                return 0;
            }

            Vector256<byte> bytes = Vector256.LoadUnsafe(ref data, (nuint)at);
            Vector256<byte> stops = Vector256.Equals(bytes, Vector256.Create((byte)'"')) | Vector256.Equals(bytes, Vector256.Create((byte)'\\'))
                | Vector256.Equals(Vector256.Min(bytes, Vector256.Create((byte)0x1f)), bytes);
            uint mask = stops.ExtractMostSignificantBits();
            if (mask == 0)
            {
                high |= bytes;
                at += Vector256<byte>.Count;
                continue;
            }

            int step = BitOperations.TrailingZeroCount(mask);
            highAtStop |= bytes.ExtractMostSignificantBits() & ((1u << step) - 1);
            at += step;
            byte stop = Unsafe.Add(ref data, at);
            if (stop == '"')
            {
                break;
            }

            int length = stop == '\\' ? EscapeLength(ref data, at + 1) : 0;
            if (length == 0)
            {
                return 0;
            }

            escapeBefore = escape;
            escape = at;
            at += length;
        }

        // The text ends with \n, or with \r\n from a terminal.
        int textEnd = at - 2;
        if (textEnd < text || escape != textEnd || Unsafe.Add(ref data, at - 1) != 'n' || at > end - TailRoom)
        {
            return 0;
        }

        int messageEnd = escapeBefore == textEnd - 2 && escapeBefore >= text && Unsafe.Add(ref data, textEnd - 1) == 'r' ? textEnd - 2 : textEnd;
        int time = at + 28;
        record.Stream = Is(ref data, at, "\",\"stream\":\"stdo"u8) && Is(ref data, at + 12, "stdout\",\"time\":\""u8) ? LogStream.Stdout
            : Is(ref data, at, "\",\"stream\":\"stde"u8) && Is(ref data, at + 12, "stderr\",\"time\":\""u8) ? LogStream.Stderr
            : LogStream.None;
        if (record.Stream == LogStream.None || messageEnd - text > limit || !TryTime(ref data, time, end, out int zone, out record.TimeNanos))
        {
            return 0;
        }

        int next = zone + 4;
        if (!Is(ref data, zone, "Z\"}\n"u8) || next > end)
        {
            return 0;
        }

        record.Flags = RecordFlags.Escaped;
        if ((high.ExtractMostSignificantBits() | highAtStop) != 0 && !Utf8.IsValid(MemoryMarshal.CreateReadOnlySpan(ref Unsafe.Add(ref data, text), at - text)))
        {
            record.Flags |= RecordFlags.Binary;
        }

        record.MessageStart = text;
        record.MessageLength = messageEnd - text;
        record.TimeStart = time;
        record.TimeLength = (byte)(zone + 1 - time);
        return next - start;
    }

    /// <param name="zone">Where the zone begins.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool TryTime(ref byte data, int time, int end, out int zone, out long nanos)
    {
        zone = time + 19;
        nanos = 0;
        if (Vector128.LoadUnsafe(ref data, (nuint)time) != _minute || Unsafe.Add(ref data, time + 16) != ':')
        {
            return TryOtherMinute(ref data, time, end, out zone, out nanos);
        }

        uint tens = (uint)(Unsafe.Add(ref data, time + 17) - '0');
        uint ones = (uint)(Unsafe.Add(ref data, time + 18) - '0');
        if (tens > 5 || ones > 9)
        {
            return false;
        }

        nanos = _minuteNanos + (((tens * 10) + ones) * Second);
        if (Unsafe.Add(ref data, zone) != '.')
        {
            return true;
        }

        // Nine digits most often: dockerd leaves out the zeros at the end.
        ulong eight = Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref data, time + 20));
        uint ninth = (uint)(Unsafe.Add(ref data, time + 28) - '0');
        if (ninth <= 9 && AreDigits(eight) && Unsafe.Add(ref data, time + 29) == 'Z')
        {
            nanos += ((long)Number(eight) * 10) + ninth;
            zone = time + 29;
            return true;
        }

        int digits = 0;
        int fraction = 0;
        for (zone++; digits < 9 && (uint)(Unsafe.Add(ref data, zone) - '0') <= 9; zone++, digits++)
        {
            fraction = (fraction * 10) + (Unsafe.Add(ref data, zone) - '0');
        }

        nanos += Rfc3339.Nanos(fraction, digits);
        return digits > 0;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool TryOtherMinute(ref byte data, int time, int end, out int zone, out long nanos)
    {
        ReadOnlySpan<byte> text = MemoryMarshal.CreateReadOnlySpan(ref Unsafe.Add(ref data, time), Math.Min(40, end - time));
        int length = Math.Max(text.IndexOf((byte)'"'), 0);
        zone = time + length - 1;
        if (!Rfc3339.TryParse(text[..length], out nanos) || text[length - 1] != 'Z')
        {
            return false;
        }

        // A second 60 belongs to the minute after the one that stands there.
        if (text[17] <= '5')
        {
            _minute = Vector128.LoadUnsafe(ref Unsafe.Add(ref data, time));
            long since = nanos % Minute;
            _minuteNanos = nanos - (since < 0 ? since + Minute : since);
        }

        return true;
    }

    /// <summary>Bytes of the escape whose backslash stands before <paramref name="at"/>; 0 where it is none.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int EscapeLength(ref byte data, int at) => Unsafe.Add(ref data, at) switch
    {
        (byte)'n' or (byte)'"' or (byte)'\\' or (byte)'t' or (byte)'r' or (byte)'/' or (byte)'b' or (byte)'f' => 2,
        (byte)'u' when char.IsAsciiHexDigit((char)Unsafe.Add(ref data, at + 1)) && char.IsAsciiHexDigit((char)Unsafe.Add(ref data, at + 2))
            && char.IsAsciiHexDigit((char)Unsafe.Add(ref data, at + 3)) && char.IsAsciiHexDigit((char)Unsafe.Add(ref data, at + 4)) => 6,
        _ => 0,
    };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool Is(ref byte data, int at, ReadOnlySpan<byte> text) => MemoryMarshal.CreateReadOnlySpan(ref Unsafe.Add(ref data, at), text.Length).SequenceEqual(text);

    /// <summary>Each of the eight bytes is 0 to 9 in ASCII: the upper half of each is 3, and stays so with 6 added.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool AreDigits(ulong bytes) =>
        (((bytes & 0xf0f0f0f0f0f0f0f0) | (((bytes + 0x0606060606060606) & 0xf0f0f0f0f0f0f0f0) >> 4)) == 0x3333333333333333);

    /// <summary>Eight digits, the first in the lowest byte: pairs, then fours, then all, each by one multiplication.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Number(ulong digits)
    {
        digits -= 0x3030303030303030;
        digits = (digits * 10) + (digits >> 8);
        return (uint)((((digits & 0x000000ff000000ff) * 0x000f424000000064) + (((digits >> 16) & 0x000000ff000000ff) * 0x0000271000000001)) >> 32);
    }
}
