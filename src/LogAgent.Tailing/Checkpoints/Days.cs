namespace LogAgent.Tailing.Checkpoints;

/// <summary>
/// Records without a time of their own carry the time of reading, and an output chooses the index by the record's day. So
/// that bytes read again after a crash get the same day, the checkpoint says at which offset which UTC day began, before any
/// record of that day is handed out.
/// </summary>
internal static class Days
{
    private const long Nanos = 86_400_000_000_000;

    public static int Of(long nanos) => (int)Math.Floor((double)(nanos / 1_000_000_000) / 86_400);

    /// <summary>The time of reading, brought into the days that the offset lies in.</summary>
    public static long Clamp(List<DayMark> marks, long offset, long now)
    {
        for (int i = marks.Count - 1; i >= 0; i--)
        {
            if (offset < marks[i].Offset)
            {
                continue;
            }

            long earliest = marks[i].Day * Nanos;
            long latest = i + 1 < marks.Count ? (marks[i + 1].Day * Nanos) - 1 : long.MaxValue;
            return Math.Clamp(now, earliest, Math.Max(earliest, latest));
        }

        return marks.Count == 0 ? now : Math.Min(now, (marks[0].Day * Nanos) - 1);
    }

    /// <summary>True where the mark was not there: it must be on disk before anything after <paramref name="offset"/> is handed out.</summary>
    public static bool Mark(List<DayMark> marks, long offset, long now)
    {
        int day = Of(now);
        if (marks.Count > 0 && marks[^1].Day >= day)
        {
            return false;
        }

        marks.Add(new DayMark(offset, day));
        return true;
    }

    /// <summary>Drops the marks that no byte after <paramref name="offset"/> needs.</summary>
    public static void Trim(List<DayMark> marks, long offset)
    {
        while (marks.Count > 1 && marks[1].Offset <= offset)
        {
            marks.RemoveAt(0);
        }
    }
}
