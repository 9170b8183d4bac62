namespace LogAgent.Enrichment;

/// <summary>
/// Which of a container's labels its records carry, and how much of them: a hostile label may hold megabytes, and every record
/// would. Labels of the agent itself (logagent.*) are left out; deny wins over allow; the compose project is kept unless denied.
/// In the order of their names: at most 64 labels, 16 KiB in all, a name of at most 256 and a value of at most 1024 bytes (cut at
/// a character, ended by "…"). How many were left out for their size stands in the label "logagent.left_out".
/// </summary>
internal sealed class LabelRules(IReadOnlyList<string> allow, IReadOnlyList<string> deny)
{
    public const string ComposeProject = "com.docker.compose.project";
    public const string ComposeService = "com.docker.compose.service";
    public const string LeftOut = "logagent.left_out";
    public const int ValueLimit = 1024;
    private const int NameLimit = 256;
    private const int CountLimit = 64;
    private const int TotalLimit = 16 * 1024;

    public SortedDictionary<string, string> Apply(IReadOnlyDictionary<string, string> labels)
    {
        SortedDictionary<string, string> kept = new(StringComparer.Ordinal);
        int total = 0, leftOut = 0;
        foreach ((string name, string value) in labels.OrderBy(l => l.Key, StringComparer.Ordinal))
        {
            if (!IsWanted(name))
            {
                continue;
            }

            string cut = Cut(value, ValueLimit);
            int size = Size(name) + Size(cut);

            // Elasticsearch takes neither an empty key nor a NUL in one.
            if (name.Contains('\0', StringComparison.Ordinal) || Size(name) > NameLimit || kept.Count == CountLimit || total + size > TotalLimit)
            {
                leftOut++;
                continue;
            }

            total += size;
            kept[name] = cut;
        }

        if (leftOut > 0)
        {
            kept[LeftOut] = leftOut.ToString(System.Globalization.CultureInfo.InvariantCulture);
        }

        return kept;
    }

    /// <summary>The text, or its beginning with "…", in at most that many bytes of UTF-8 (and those of the "…").</summary>
    public static string Cut(string text, int limit)
    {
        if (Size(text) <= limit)
        {
            return text;
        }

        int length = 0, bytes = 0;
        foreach (System.Text.Rune rune in text.EnumerateRunes())
        {
            if (bytes + rune.Utf8SequenceLength > limit)
            {
                break;
            }

            bytes += rune.Utf8SequenceLength;
            length += rune.Utf16SequenceLength;
        }

        return text[..length] + "…";
    }

    private bool IsWanted(string name)
    {
        if (name.Length == 0 || name.StartsWith("logagent.", StringComparison.Ordinal) || TextGlob.MatchesAny(deny, name))
        {
            return false;
        }

        return name == ComposeProject || TextGlob.MatchesAny(allow, name);
    }

    private static int Size(string text) => System.Text.Encoding.UTF8.GetByteCount(text);
}
