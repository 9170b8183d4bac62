namespace LogAgent.Outputs;

/// <summary>A day of the calendar in UTC: what a record's index is named after.</summary>
/// <param name="Number">Days since 1970-01-01; negative before it.</param>
internal readonly record struct UtcDay(int Number)
{
    /// <summary>Nanoseconds of a day.</summary>
    public const long Nanos = 86_400_000_000_000;

    public int Year => Date.Year;

    public int Month => Date.Month;

    public int Day => Date.Day;

    private DateOnly Date => DateOnly.FromDayNumber(719_162 + Number);

    /// <summary>The day of a time in nanoseconds since 1970-01-01 UTC. All 64 bits have a day: 1677 to 2262.</summary>
    public static UtcDay Of(long nanos)
    {
        long day = nanos / Nanos;
        return new((int)(nanos < day * Nanos ? day - 1 : day));
    }

    public DateOnly ToDate() => Date;
}
