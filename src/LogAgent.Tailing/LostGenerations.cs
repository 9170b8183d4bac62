using LogAgent.Tailing.Linux;

namespace LogAgent.Tailing;

/// <summary>
/// Whether whole generations came and went between two looks. The file that was live has no name any more, and none of those
/// that stand there now was seen before: it was rotated at least as often as rotated files are kept. It lost its name when the
/// rotation that was one too many made a new file; where two or more files are younger than that, rotation went on and took away
/// what was between. Where rotated files are compressed (they are made anew later), and on a file system without birth times, it
/// cannot be told whether one more rotation took something away: then it is said that it may be so. With only one name
/// (max-file 1) nothing can be told.
/// </summary>
internal static class LostGenerations
{
    private const string Reason = "rotated_away";

    /// <param name="before">The file that was live at the last look.</param>
    /// <param name="found">What stands there now.</param>
    /// <param name="areNew">None of them was known before.</param>
    public static Gap? Between(TailedFile? before, List<FoundFile> found, bool areNew)
    {
        if (before is not { Nameless: true, Source: { IsCompressed: false } source } || !areNew || found.Count < 2)
        {
            return null;
        }

        FileStat gone = source.Stat();
        if (gone.Links != 0)
        {
            return null;
        }

        int younger = 0;
        foreach (FoundFile file in found)
        {
            if (file.Stat.BirthNanos == 0 || file.IsCompressed)
            {
                return new Gap(0, Reason, "it was rotated at least as often between two looks as rotated files are kept; what stood in between may be gone");
            }

            younger += file.Stat.BirthNanos >= gone.ChangeNanos ? 1 : 0;
        }

        return younger >= 2 ? new Gap(0, Reason, "it was rotated more often between two looks than rotated files are kept") : null;
    }
}
