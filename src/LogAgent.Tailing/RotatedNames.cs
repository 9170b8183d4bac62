using System.Globalization;

namespace LogAgent.Tailing;

/// <summary>
/// The names that rotation gives to the generations of a file app.log, which are read with it and are no targets of their own:
/// <code>
/// app.log.N                     N of at most 5 digits; a larger N is older
/// app.log-DATE   app.log.DATE   DATE of 8 or more digits, with - . _ or T between
/// ... .gz                       each of them compressed
/// *.gz *.bz2 *.xz *.zst *.lz4 *.zip *.Z   whatever comes before: what is compressed was read when it was not
/// </code>
/// </summary>
public static class RotatedNames
{
    private static readonly string[] s_compressed = [".gz", ".bz2", ".xz", ".zst", ".lz4", ".zip", ".Z"];

    public static bool IsCompressed(string path) => Array.Exists(s_compressed, end => path.EndsWith(end, StringComparison.Ordinal));

    /// <summary>The live paths that this one may be a generation of, the longest first.</summary>
    public static IEnumerable<string> LivePathsOf(string path)
    {
        int name = path.LastIndexOf('/') + 1;
        int end = path.EndsWith(".gz", StringComparison.Ordinal) ? path.Length - 3 : path.Length;
        for (int cut = end - 1; cut > name; cut--)
        {
            char c = path[cut];
            if (!char.IsAsciiDigit(c) && c is not ('-' or '.' or '_' or 'T'))
            {
                yield break;
            }

            if (c is '-' or '.' or '_' && TryParse(path.AsSpan(name), path.AsSpan(name, cut - name), out _, out _))
            {
                yield return path[..cut];
            }
        }
    }

    /// <summary>True where a file name is that of a generation of the live one. It has a number or a date (the other one is 0 or empty).</summary>
    internal static bool TryParse(ReadOnlySpan<char> file, ReadOnlySpan<char> live, out string date, out long number)
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
