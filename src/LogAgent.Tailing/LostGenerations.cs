using LogAgent.Tailing.Linux;

namespace LogAgent.Tailing;

/// <summary>
/// Whether whole generations came and went between two looks. The file that was live has no name any more, and none of those
/// that stand there now was seen before. It lost its name when the rotation that was one too many made a new file; where two
/// or more files are younger than that, rotation went on and took away what was between. What cannot be told: with only one
/// name (max-file 1), where rotated files are compressed (they are made anew later), and on a file system without birth times.
/// </summary>
internal static class LostGenerations
{
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
        int younger = 0;
        foreach (FoundFile file in found)
        {
            if (file.Stat.BirthNanos == 0 || file.Path.EndsWith(".gz", StringComparison.Ordinal))
            {
                return null;
            }

            younger += file.Stat.BirthNanos >= gone.ChangeNanos ? 1 : 0;
        }

        return gone.Links == 0 && younger >= 2
            ? new Gap(0, "rotated_away", "it was rotated more often between two looks than rotated files are kept")
            : null;
    }
}
