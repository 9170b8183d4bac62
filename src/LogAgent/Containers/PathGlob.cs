using System.Text;
using System.Text.RegularExpressions;

namespace LogAgent.Containers;

/// <summary>
/// A glob of paths.
/// <code>
/// *  any text within a name    ?  one character of a name    [abc] [a-z] [!abc]  one of them, or none of them
/// ** as a whole name: any number of directories, none too    {a,b}  either, also nested and with slashes
/// {name}  some text within a name, at least a character, which becomes the field of that name; {service} is short for service.name
/// </code>
/// A glob without a slash matches file names alone. Matching is linear in the path, whatever the glob.
/// </summary>
internal sealed class PathGlob
{
    private const int MostAlternatives = 256;
    private const RegexOptions Options = RegexOptions.NonBacktracking | RegexOptions.CultureInvariant | RegexOptions.Singleline;

    private readonly List<Alternative> _alternatives = [];

    private PathGlob(string text) => Text = text;

    public string Text { get; }

    public bool IsAbsolute => Text.StartsWith('/');

    /// <summary>The glob without braces, as many times as they say, each cut at the slashes: for the walk over directories.</summary>
    public IEnumerable<IReadOnlyList<PathGlobPart>> Walks => _alternatives.Select(a => a.Parts);

    public static bool TryParse(string text, out PathGlob? glob, out string problem)
    {
        glob = null;
        problem = "";
        text = text.Trim();
        if (text.Length == 0 || text.Contains('\0', StringComparison.Ordinal) || text.Length > 4096)
        {
            problem = "it is empty, too long, or no path";
            return false;
        }

        List<string> expanded = [];
        if (!TryExpand("", text, expanded))
        {
            problem = $"a brace is not closed, or the braces stand for more than {MostAlternatives} paths";
            return false;
        }

        PathGlob made = new(text);
        foreach (string one in expanded)
        {
            if (one.Split('/').Any(part => part is ".." or "."))
            {
                problem = "'.' and '..' are not allowed in it";
                return false;
            }

            try
            {
                made._alternatives.Add(new Alternative(one));
            }
            catch (ArgumentException)
            {
                problem = $"'{one}' is no glob: [ ] and {{ }} must be closed, and a range must rise";
                return false;
            }
        }

        glob = made;
        return true;
    }

    /// <summary>Parts a list at the commas that stand outside braces.</summary>
    public static IEnumerable<string> SplitList(string list)
    {
        int depth = 0, start = 0;
        for (int i = 0; i <= list.Length; i++)
        {
            if (i == list.Length || (list[i] == ',' && depth <= 0))
            {
                string part = list[start..i].Trim();
                start = i + 1;
                if (part.Length > 0)
                {
                    yield return part;
                }
            }
            else
            {
                depth += list[i] switch { '{' => 1, '}' => -1, _ => 0 };
            }
        }
    }

    /// <summary>Whether the path matches; a glob without a slash is compared with the path's last name.</summary>
    public bool Matches(string path)
    {
        string compared = Text.Contains('/', StringComparison.Ordinal) ? path : path[(path.LastIndexOf('/') + 1)..];
        return _alternatives.Exists(a => a.Whole.IsMatch(compared));
    }

    /// <summary>The fields that the path gives by {name}; empty where there are none.</summary>
    public IReadOnlyDictionary<string, string> FieldsOf(string path)
    {
        Dictionary<string, string> fields = [];
        foreach (Alternative alternative in _alternatives)
        {
            if (alternative.Names.Count > 0 && alternative.Whole.Match(path) is { Success: true } match)
            {
                for (int i = 0; i < alternative.Names.Count; i++)
                {
                    fields[alternative.Names[i]] = match.Groups[i + 1].Value;
                }

                break;
            }
        }

        return fields;
    }

    /// <summary>Replaces the first brace with a comma by each of its choices, and so on; false where it is not closed or there are too many.</summary>
    private static bool TryExpand(string done, string rest, List<string> results)
    {
        int open = rest.IndexOf('{');
        if (open < 0)
        {
            results.Add(done + rest);
            return results.Count <= MostAlternatives;
        }

        int depth = 0, start = open + 1;
        List<string> choices = [];
        for (int i = open; i < rest.Length; i++)
        {
            if (rest[i] == '{')
            {
                depth++;
            }
            else if (rest[i] == ',' && depth == 1)
            {
                choices.Add(rest[start..i]);
                start = i + 1;
            }
            else if (rest[i] == '}' && --depth == 0)
            {
                string before = done + rest[..open];
                string after = rest[(i + 1)..];
                if (choices.Count == 0)
                {
                    // No comma: a field's name, which stays as it is.
                    return TryExpand(before + rest[open..(i + 1)], after, results);
                }

                choices.Add(rest[start..i]);
                return choices.TrueForAll(choice => TryExpand(before, choice + after, results));
            }
        }

        return false;
    }

    private sealed class Alternative
    {
        public Alternative(string text)
        {
            List<PathGlobPart> parts = [];
            StringBuilder whole = new("^");
            string[] names = text.Split('/');
            for (int i = 0; i < names.Length; i++)
            {
                bool last = i == names.Length - 1;
                if (names[i].Length == 0 && !last)
                {
                    whole.Append(i == 0 ? "/" : "");
                    continue;
                }

                if (names[i] == "**")
                {
                    // At the end it stands for any file below, elsewhere for directories.
                    whole.Append(last ? ".+" : "(?:[^/]+/)*");
                    parts.Add(PathGlobPart.AnyDepth);
                    if (last)
                    {
                        parts.Add(new PathGlobPart("", new Regex("^[^/]+$", Options)));
                    }

                    continue;
                }

                string regex = Translate(names[i], Names, out bool literal);
                whole.Append(regex).Append(last ? "" : "/");
                parts.Add(literal ? new PathGlobPart(names[i], null) : new PathGlobPart("", new Regex("^" + regex + "$", Options)) { TakesHidden = names[i][0] == '.' });
            }

            Parts = parts;
            Whole = new Regex(whole.Append('$').ToString(), Options);
        }

        public List<string> Names { get; } = [];

        public IReadOnlyList<PathGlobPart> Parts { get; }

        public Regex Whole { get; }

        private static string Translate(string name, List<string> fields, out bool literal)
        {
            StringBuilder regex = new();
            literal = true;
            for (int i = 0; i < name.Length; i++)
            {
                switch (name[i])
                {
                    case '*':
                        regex.Append("[^/]*");
                        literal = false;
                        break;
                    case '?':
                        regex.Append("[^/]");
                        literal = false;
                        break;
                    case '[' when name.IndexOf(']', i + 1) is > 0 and int end:
                        string set = name[(i + 1)..end];
                        bool not = set.StartsWith('!') || set.StartsWith('^');
                        regex.Append(not ? "[^/" : "[").Append(Regex.Escape(not ? set[1..] : set).Replace("]", "\\]", StringComparison.Ordinal)).Append(']');
                        i = end;
                        literal = false;
                        break;
                    case '{' when name.IndexOf('}', i + 1) is > 0 and int close:
                        string field = name[(i + 1)..close];
                        if (field.Length == 0 || field.AsSpan().ContainsAnyExcept("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-"))
                        {
                            throw new ArgumentException("No name of a field.");
                        }

                        fields.Add(field == "service" ? "service.name" : field);
                        regex.Append("([^/]+)");
                        i = close;
                        literal = false;
                        break;
                    case '{' or '}':
                        throw new ArgumentException("A brace is not closed.");
                    default:
                        regex.Append(Regex.Escape(name[i].ToString()));
                        break;
                }
            }

            return regex.ToString();
        }
    }
}
