using System.Runtime.CompilerServices;

namespace LogAgent.Tailing;

/// <summary>
/// The id of a record: the same for each reading of the same bytes, so that what is sent twice is stored once.
/// <code>
/// id = prefix (batch.IdPrefix, 10 to 16 characters of the file generation)
///      time   (11 characters: 64 bits of nanoseconds, only where the time is the record's own)
///      offset (the fewest characters that hold it, at least 1)
/// each character one of - 0-9 A-Z _ a-z: 6 bits, most significant first, in the order of their ASCII codes
/// </code>
/// </summary>
public static class RecordId
{
    /// <summary>Longest id in bytes: 16 + 11 + 11.</summary>
    public const int MaxLength = 38;

    private static ReadOnlySpan<byte> Alphabet => "-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"u8;

    /// <summary>Writes the id and returns its length. <paramref name="destination"/> holds at least <see cref="MaxLength"/> bytes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)] // hot from the first record on: no time to be found hot
    public static int Write(Span<byte> destination, LogBatch batch, in LogRecord record)
    {
        byte[] prefix = batch.IdPrefix;
        prefix.CopyTo(destination);
        int length = prefix.Length;
        if (record.TimeLength > 0)
        {
            WriteBits(destination.Slice(length, 11), (ulong)record.TimeNanos);
            length += 11;
        }

        ulong offset = (ulong)record.Offset;
        int digits = Math.Max(1, (64 - System.Numerics.BitOperations.LeadingZeroCount(offset) + 5) / 6);
        WriteBits(destination.Slice(length, digits), offset);
        return length + digits;
    }

    /// <summary>A prefix of 10 characters: the upper 60 bits of a hash.</summary>
    public static byte[] Prefix(ulong hash)
    {
        byte[] prefix = new byte[10];
        WriteBits(prefix, hash >> 4);
        return prefix;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void WriteBits(Span<byte> destination, ulong value)
    {
        ReadOnlySpan<byte> alphabet = Alphabet;
        for (int i = destination.Length - 1; i >= 0; i--)
        {
            destination[i] = alphabet[(int)(value & 63)];
            value >>= 6;
        }
    }
}
