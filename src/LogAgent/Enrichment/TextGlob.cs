namespace LogAgent.Enrichment;

/// <summary>Matches names against globs: * is any text, ? any one character, all else itself.</summary>
internal static class TextGlob
{
    public static bool Matches(string glob, string text)
    {
        // On a mismatch the last star takes one character more: linear in practice, never exponential.
        int g = 0, t = 0, star = -1, resume = 0;
        while (t < text.Length)
        {
            if (g < glob.Length && glob[g] == '*')
            {
                star = g++;
                resume = t;
            }
            else if (g < glob.Length && (glob[g] == '?' || glob[g] == text[t]))
            {
                g++;
                t++;
            }
            else if (star >= 0)
            {
                g = star + 1;
                t = ++resume;
            }
            else
            {
                return false;
            }
        }

        while (g < glob.Length && glob[g] == '*')
        {
            g++;
        }

        return g == glob.Length;
    }

    public static bool MatchesAny(IReadOnlyList<string> globs, string text)
    {
        foreach (string glob in globs)
        {
            if (Matches(glob, text))
            {
                return true;
            }
        }

        return false;
    }
}
