namespace LogAgent.Outputs;

/// <summary>A time in nanoseconds since 1970-01-01 UTC as text, with all of its digits.</summary>
internal static class RecordTime
{
    /// <summary>Length of what <see cref="Write"/> writes: 2026-11-20T20:35:46.685148284Z.</summary>
    public const int Length = 30;

    /// <summary>Writes RFC 3339 in UTC with nine digits of a second. <paramref name="destination"/> holds at least <see cref="Length"/> bytes.</summary>
    /// <returns><see cref="Length"/>.</returns>
    public static int Write(Span<byte> destination, long nanos)
    {
        Span<byte> text = destination[..Length];
        UtcDay day = UtcDay.Of(nanos);
        long ofDay = nanos - (day.Number * UtcDay.Nanos);
        long seconds = Math.DivRem(ofDay, 1_000_000_000, out long fraction);
        Digits(text, 0, 4, (uint)day.Year);
        text[4] = (byte)'-';
        Digits(text, 5, 2, (uint)day.Month);
        text[7] = (byte)'-';
        Digits(text, 8, 2, (uint)day.Day);
        text[10] = (byte)'T';
        Digits(text, 11, 2, (uint)(seconds / 3600));
        text[13] = (byte)':';
        Digits(text, 14, 2, (uint)(seconds / 60 % 60));
        text[16] = (byte)':';
        Digits(text, 17, 2, (uint)(seconds % 60));
        text[19] = (byte)'.';
        Digits(text, 20, 9, (uint)fraction);
        text[29] = (byte)'Z';
        return Length;
    }

    private static void Digits(Span<byte> text, int start, int count, uint value)
    {
        for (int i = start + count - 1; i >= start; i--)
        {
            uint rest = value / 10;
            text[i] = (byte)('0' + (value - (rest * 10)));
            value = rest;
        }
    }
}
