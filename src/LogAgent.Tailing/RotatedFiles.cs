using LogAgent.Tailing.Linux;

namespace LogAgent.Tailing;

/// <summary>
/// The generations of a live path that are on disk, by <see cref="RotatedNames"/>. Where one stands there both plain and
/// compressed, compression is still under way and the plain one counts.
/// </summary>
internal static class RotatedFiles
{
    /// <summary>All generations that exist, oldest first, the live one last.</summary>
    public static List<FoundFile> List(string livePath, DirectoryNames directories)
    {
        string directory = Path.GetDirectoryName(livePath) ?? "/";
        string live = Path.GetFileName(livePath);
        List<(string Path, string Date, long Number)> names = [];
        foreach (string name in directories.BeginningWith(directory, live))
        {
            if (RotatedNames.TryParse(name, live, out string date, out long number))
            {
                names.Add((Path.Combine(directory, name), date, number));
            }
        }

        if (names.Count > 1)
        {
            Arrange(names);
        }

        List<FoundFile> found = new(names.Count + 1);
        foreach ((string path, _, _) in names)
        {
            if (Native.TryStat(path, out FileStat stat, out _) && stat.IsRegular)
            {
                found.Add(new FoundFile(path, stat, IsLive: false));
            }
        }

        if (Native.TryStat(livePath, out FileStat liveStat, out _) && liveStat.IsRegular)
        {
            found.RemoveAll(f => f.Stat.Inode == liveStat.Inode && f.Stat.Device == liveStat.Device);
            found.Add(new FoundFile(livePath, liveStat, IsLive: true));
        }

        return found;
    }

    /// <summary>Dated ones by date, then numbered ones from the largest number down.</summary>
    private static void Arrange(List<(string Path, string Date, long Number)> names)
    {
        HashSet<string> paths = [.. names.Select(n => n.Path)];
        names.RemoveAll(n => n.Path.EndsWith(".gz", StringComparison.Ordinal) && paths.Contains(n.Path[..^3]));
        names.Sort((a, b) =>
        {
            int byKind = (a.Date.Length == 0).CompareTo(b.Date.Length == 0);
            int byDate = byKind != 0 ? byKind : string.CompareOrdinal(a.Date, b.Date);
            return byDate != 0 ? byDate : b.Number.CompareTo(a.Number);
        });
    }
}
