using System.Runtime.CompilerServices;

namespace LogAgent.Tailing.Parsing;

/// <summary>RFC 3339 timestamps to nanoseconds since 1970, by hand: DateTimeOffset keeps only seven of the nine digits.</summary>
internal static class Rfc3339
{
    private const long Second = 1_000_000_000;

    private static readonly int[] s_daysBefore = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];

    private static readonly int[] s_scale = [1_000_000_000, 100_000_000, 10_000_000, 1_000_000, 100_000, 10_000, 1_000, 100, 10, 1];

    /// <summary>2026-11-20T20:35:46.685148284Z, with 0 to 9 digits after the point, or with an offset such as +01:00 for the Z.</summary>
    public static bool TryParse(ReadOnlySpan<byte> text, out long nanos)
    {
        nanos = 0;
        if (text.Length < 20 || text[4] != '-' || text[7] != '-' || (text[10] | 0x20) != 't' || text[13] != ':' || text[16] != ':')
        {
            return false;
        }

        int century = Two(text, 0);
        int yearInCentury = Two(text, 2);
        int month = Two(text, 5);
        int day = Two(text, 8);
        int hour = Two(text, 11);
        int minute = Two(text, 14);
        int second = Two(text, 17);
        if ((century | yearInCentury | month | day | hour | minute | second) < 0)
        {
            return false;
        }

        int year = (century * 100) + yearInCentury;
        // Years that fit into 64 bits of nanoseconds; a leap second counts as the second after it.
        if (year is < 1678 or > 2261 || month is < 1 or > 12 || day < 1 || day > DateTime.DaysInMonth(year, month) || hour > 23 || minute > 59 || second > 60)
        {
            return false;
        }

        int position = 19;
        int fraction = 0;
        if (text[position] == '.')
        {
            int digits = 0;
            for (position++; position < text.Length && (uint)(text[position] - '0') <= 9; position++)
            {
                if (digits < 9)
                {
                    fraction = (fraction * 10) + (text[position] - '0');
                    digits++;
                }
            }

            if (digits == 0)
            {
                return false;
            }

            fraction = Nanos(fraction, digits);
        }

        if (!TryZone(text[position..], out int zoneMinutes))
        {
            return false;
        }

        nanos = (((((Days(year, month, day) * 24L) + hour) * 60) + minute - zoneMinutes) * 60 * Second) + (second * Second) + fraction;
        return true;
    }

    /// <summary>Nanoseconds of the digits after the point.</summary>
    /// <param name="digits">How many there are, 0 to 9.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Nanos(int fraction, int digits) => fraction * s_scale[digits];

    private static bool TryZone(ReadOnlySpan<byte> zone, out int minutes)
    {
        minutes = 0;
        if (zone.Length == 1 && (zone[0] | 0x20) == 'z')
        {
            return true;
        }

        if (zone.Length != 6 || zone[3] != ':' || zone[0] is not ((byte)'+' or (byte)'-'))
        {
            return false;
        }

        int hours = Two(zone, 1);
        int rest = Two(zone, 4);
        minutes = ((hours * 60) + rest) * (zone[0] == '-' ? -1 : 1);
        return hours is >= 0 and < 24 && rest is >= 0 and < 60;
    }

    private static int Days(int year, int month, int day)
    {
        int before = year - 1;
        int leap = month > 2 && DateTime.IsLeapYear(year) ? 1 : 0;
        return (before * 365) + (before / 4) - (before / 100) + (before / 400) + s_daysBefore[month - 1] + leap + day - 1 - 719162;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Two(ReadOnlySpan<byte> text, int at)
    {
        uint tens = (uint)(text[at] - '0');
        uint ones = (uint)(text[at + 1] - '0');
        return tens > 9 || ones > 9 ? -1 : (int)((tens * 10) + ones);
    }
}
