using System.Globalization;

namespace LogAgent.Configuration;

/// <summary>Sizes and times as they are written in the configuration.</summary>
internal static class Quantity
{
    public const string SizeForm = "a size such as 512, 64KiB, 5MB or 1GiB";
    public const string DurationForm = "a time such as 500ms, 30s, 5m, 1h or 7d";

    private static readonly (string Unit, long Factor)[] Sizes =
    [
        ("TiB", 1L << 40), ("GiB", 1L << 30), ("MiB", 1L << 20), ("KiB", 1L << 10),
        ("TB", 1_000_000_000_000), ("GB", 1_000_000_000), ("MB", 1_000_000), ("KB", 1000), ("B", 1), ("", 1),
    ];

    private static readonly (string Unit, long Ticks)[] Times =
    [
        ("ms", TimeSpan.TicksPerMillisecond), ("s", TimeSpan.TicksPerSecond), ("m", TimeSpan.TicksPerMinute),
        ("h", TimeSpan.TicksPerHour), ("d", TimeSpan.TicksPerDay),
    ];

    public static bool TrySize(string text, out long bytes) => TryScale(text, Sizes, out bytes);

    public static bool TryDuration(string text, out TimeSpan duration)
    {
        bool good = TryScale(text, Times, out long ticks);
        duration = TimeSpan.FromTicks(good ? ticks : 0);
        return good || text.Trim() == "0";
    }

    /// <summary>The size in the largest unit that divides it.</summary>
    public static string Text(long bytes)
    {
        foreach ((string unit, long factor) in Sizes)
        {
            if (bytes != 0 && bytes % factor == 0 && unit != "B")
            {
                return (bytes / factor).ToString(CultureInfo.InvariantCulture) + unit;
            }
        }

        return "0";
    }

    /// <summary>The time in the largest unit that divides it.</summary>
    public static string Text(TimeSpan duration)
    {
        for (int i = Times.Length - 1; i > 0; i--)
        {
            if (duration != TimeSpan.Zero && duration.Ticks % Times[i].Ticks == 0)
            {
                return (duration.Ticks / Times[i].Ticks).ToString(CultureInfo.InvariantCulture) + Times[i].Unit;
            }
        }

        return duration.TotalMilliseconds.ToString(CultureInfo.InvariantCulture) + "ms";
    }

    private static bool TryScale(string text, (string Unit, long Factor)[] units, out long value)
    {
        value = 0;
        text = text.Trim();
        int digits = text.AsSpan().LastIndexOfAnyInRange('0', '9') + 1;
        string unit = text[digits..].Trim();
        foreach ((string name, long factor) in units)
        {
            if (name.Equals(unit, StringComparison.OrdinalIgnoreCase)
                && decimal.TryParse(text.AsSpan(0, digits), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out decimal number)
                && number <= long.MaxValue / factor)
            {
                value = (long)(number * factor);
                return true;
            }
        }

        return false;
    }
}
