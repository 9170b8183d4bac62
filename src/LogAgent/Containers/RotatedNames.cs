namespace LogAgent.Containers;

/// <summary>
/// Names that are not to be targets of their own, though a glob may match them: the tail loop reads them as generations of the
/// live file.
/// <code>
/// app.log.N   app.log-DATE   app.log.DATE     N of at most 5 digits; DATE of 8 or more digits, with - . _ or T between
/// *.gz *.bz2 *.xz *.zst *.lz4 *.zip *.Z       whatever comes before: what is compressed was read when it was not
/// </code>
/// </summary>
internal static class RotatedNames
{
    private static readonly string[] Compressed = [".gz", ".bz2", ".xz", ".zst", ".lz4", ".zip", ".Z"];

    public static bool IsCompressed(string path) => Array.Exists(Compressed, end => path.EndsWith(end, StringComparison.Ordinal));

    /// <summary>The live paths that this one may be a generation of, the longest first.</summary>
    public static IEnumerable<string> LivePathsOf(string path)
    {
        int end = path.Length;
        while (end > 0 && (char.IsAsciiDigit(path[end - 1]) || path[end - 1] is '-' or '.' or '_' or 'T'))
        {
            end--;
        }

        for (int cut = path.Length - 2; cut >= Math.Max(end, 1); cut--)
        {
            if (path[cut] is '-' or '.' or '_' && path[cut - 1] != '/')
            {
                ReadOnlySpan<char> rest = path.AsSpan(cut + 1);
                int digits = 0;
                foreach (char c in rest)
                {
                    digits += char.IsAsciiDigit(c) ? 1 : 0;
                }

                if (digits >= 8 || (path[cut] == '.' && digits == rest.Length && digits <= 5))
                {
                    yield return path[..cut];
                }
            }
        }
    }
}
