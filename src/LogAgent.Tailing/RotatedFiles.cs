using System.Globalization;
using LogAgent.Tailing.Linux;

namespace LogAgent.Tailing;

/// <summary>A file on disk that belongs to a live path: the file itself or a rotated generation of it.</summary>
internal readonly record struct FoundFile(string Path, FileStat Stat, bool IsLive);

/// <summary>
/// The names that rotation gives to the generations of a file app.log:
/// <code>
/// app.log.N        app.log.N.gz            a larger N is older
/// app.log-DATE     app.log-DATE.gz         DATE of 8 or more digits, with - . _ or T between; also app-DATE.log
/// </code>
/// Where a generation stands there both plain and compressed, compression is still under way and the plain one counts.
/// </summary>
internal static class RotatedFiles
{
    /// <summary>All generations that exist, oldest first, the live one last.</summary>
    public static List<FoundFile> List(string livePath)
    {
        string directory = Path.GetDirectoryName(livePath) ?? "/";
        string name = Path.GetFileName(livePath);
        List<(string Path, string Date, long Number)> names = [];
        try
        {
            foreach (string path in Directory.EnumerateFiles(directory, name + "*"))
            {
                if (TryParse(Path.GetFileName(path.AsSpan()), name, out string date, out long number))
                {
                    names.Add((path, date, number));
                }
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The directory is gone or may only be passed through: the live file alone.
        }

        names.RemoveAll(n => n.Path.EndsWith(".gz", StringComparison.Ordinal) && names.Exists(p => p.Path.Length == n.Path.Length - 3 && n.Path.StartsWith(p.Path, StringComparison.Ordinal)));

        // Dated ones by date, then numbered ones from the largest number down.
        names.Sort((a, b) =>
        {
            int byKind = (a.Date.Length == 0).CompareTo(b.Date.Length == 0);
            int byDate = byKind != 0 ? byKind : string.CompareOrdinal(a.Date, b.Date);
            return byDate != 0 ? byDate : b.Number.CompareTo(a.Number);
        });

        List<FoundFile> found = new(names.Count + 1);
        foreach ((string path, _, _) in names)
        {
            if (Native.TryStat(path, out FileStat stat, out _) && stat.IsRegular)
            {
                found.Add(new FoundFile(path, stat, IsLive: false));
            }
        }

        if (Native.TryStat(livePath, out FileStat live, out _) && live.IsRegular)
        {
            found.RemoveAll(f => f.Stat.Inode == live.Inode && f.Stat.Device == live.Device);
            found.Add(new FoundFile(livePath, live, IsLive: true));
        }

        return found;
    }

    /// <summary>The live path that this name would be a generation of, or null.</summary>
    public static string? LivePath(string path)
    {
        ReadOnlySpan<char> rest = path.AsSpan();
        rest = rest.EndsWith(".gz") ? rest[..^3] : rest;
        int end = rest.Length;
        while (end > 0 && (char.IsAsciiDigit(rest[end - 1]) || (rest[end - 1] is '-' or '.' or '_' or 'T' && end < rest.Length)))
        {
            end--;
        }

        for (int cut = end; cut < rest.Length; cut++)
        {
            string live = rest[..cut].ToString();
            if (live.Length > 0 && live[^1] != '/' && TryParse(path.AsSpan(live.LastIndexOf('/') + 1), live[(live.LastIndexOf('/') + 1)..], out _, out _))
            {
                return live;
            }
        }

        return null;
    }

    private static bool TryParse(ReadOnlySpan<char> file, string live, out string date, out long number)
    {
        date = "";
        number = 0;
        if (file.Length < live.Length + 2 || !file.StartsWith(live, StringComparison.Ordinal))
        {
            return false;
        }

        ReadOnlySpan<char> rest = file[live.Length..];
        rest = rest.EndsWith(".gz", StringComparison.Ordinal) ? rest[..^3] : rest;
        if (rest.Length < 2)
        {
            return false;
        }

        if (rest[0] == '.' && rest.Length <= 6)
        {
            return long.TryParse(rest[1..], NumberStyles.None, CultureInfo.InvariantCulture, out number);
        }

        if (rest[0] is not ('-' or '.' or '_'))
        {
            return false;
        }

        // logrotate may put a number behind the date where two rotations fall on one.
        ReadOnlySpan<char> text = rest[1..];
        int digits = 0;
        foreach (char c in text)
        {
            digits += char.IsAsciiDigit(c) ? 1 : 0;
            if (!char.IsAsciiDigit(c) && c is not ('-' or '.' or '_' or 'T'))
            {
                return false;
            }
        }

        date = text.ToString();
        return digits >= 8;
    }
}
