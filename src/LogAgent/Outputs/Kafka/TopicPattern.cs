using System.Diagnostics.CodeAnalysis;
using System.Text;
using LogAgent.Tailing;

namespace LogAgent.Outputs.Kafka;

/// <summary>
/// The topic of a record: a fixed name, or a pattern such as <c>logs.%{cluster}.%{service}</c>. A field's value can only fill
/// its own place: whatever is no letter, digit, '_' or '-' becomes '-' (a dot too, so that a value cannot add a level), an
/// absent value becomes <c>unknown</c>, and a value that would make the name longer than Kafka's 249 characters is cut and
/// ended with a hash of it.
/// </summary>
internal sealed class TopicPattern
{
    private const int LongestName = 249;

    private static readonly Dictionary<string, string> Fields = new(StringComparer.Ordinal)
    {
        ["cluster"] = "orchestrator.cluster.name",
        ["service"] = "service.name",
        ["container"] = "container.name",
        ["image"] = "container.image.name",
        ["tag"] = "container.image.tag",
        ["host"] = "host.name",
        ["project"] = "container.labels.com.docker.compose.project",
    };

    private readonly List<(string Text, bool IsField)> _parts;
    private readonly int _roomForValue;

    private TopicPattern(List<(string Text, bool IsField)> parts)
    {
        _parts = parts;
        int fields = parts.Count(part => part.IsField);
        _roomForValue = fields == 0 ? 0 : (LongestName - parts.Where(part => !part.IsField).Sum(part => part.Text.Length)) / fields;
    }

    /// <summary>The name where every record has the same topic, else null.</summary>
    public string? Fixed => _parts is [(var text, false)] ? text : null;

    public static TopicPattern Parse(string pattern) =>
        TryParse(pattern, out TopicPattern? parsed, out string problem) ? parsed : throw new ArgumentException(problem, nameof(pattern));

    /// <summary>The canonical name of a field that a pattern may name, or null.</summary>
    public static string? FieldOf(string name) => Fields.GetValueOrDefault(name);

    /// <summary>False: the problem says what is wrong and what is allowed.</summary>
    public static bool TryParse(string pattern, [NotNullWhen(true)] out TopicPattern? parsed, out string problem)
    {
        parsed = null;
        problem = "";
        List<(string Text, bool IsField)> parts = [];
        for (int at = 0; at < pattern.Length;)
        {
            int open = pattern.IndexOf("%{", at, StringComparison.Ordinal);
            string literal = open < 0 ? pattern[at..] : pattern[at..open];
            if (literal.FirstOrDefault(letter => !IsNameLetter(letter) && letter != '.') is var wrong and not '\0')
            {
                problem = $"'{wrong}' cannot stand in a topic's name; letters, digits, '.', '_', '-' and %{{field}} can";
                return false;
            }

            if (literal.Length > 0)
            {
                parts.Add((literal, false));
            }

            if (open < 0)
            {
                break;
            }

            int close = pattern.IndexOf('}', open);
            string name = close < 0 ? pattern[(open + 2)..] : pattern[(open + 2)..close];
            if (close < 0 || !Fields.TryGetValue(name, out string? field))
            {
                problem = close < 0 ? $"'%{{{name}' has no closing brace" : $"'%{{{name}}}' is no field of a topic; allowed are {string.Join(", ", Fields.Keys)}";
                return false;
            }

            parts.Add((field, true));
            at = close + 1;
        }

        parsed = new(parts);
        if (parts.Count == 0 || pattern is "." or "..")
        {
            problem = $"'{pattern}' is no name for a topic";
        }
        else if (parsed.Fixed is { Length: > LongestName } || (parsed.Fixed is null && parsed._roomForValue < 20))
        {
            problem = $"the topic's name is too long: Kafka allows {LongestName} characters, and each field needs 20 of them";
        }

        return problem.Length == 0;
    }

    /// <summary>The topic of records with these fields.</summary>
    public string Resolve(FieldSet fields)
    {
        if (Fixed is { } name)
        {
            return name;
        }

        StringBuilder topic = new();
        foreach ((string text, bool isField) in _parts)
        {
            topic.Append(isField ? Sanitise(fields[text]) : text);
        }

        return topic.ToString();
    }

    private static bool IsNameLetter(char letter) => char.IsAsciiLetterOrDigit(letter) || letter is '_' or '-';

    private string Sanitise(string? value)
    {
        if (string.IsNullOrEmpty(value))
        {
            return "unknown";
        }

        string clean = string.Create(value.Length, value, static (target, source) =>
        {
            for (int i = 0; i < target.Length; i++)
            {
                target[i] = IsNameLetter(source[i]) ? source[i] : '-';
            }
        });
        return clean.Length <= _roomForValue
            ? clean
            : $"{clean.AsSpan(0, _roomForValue - 9)}-{Fnv(value):x8}";
    }

    /// <summary>FNV-1a, 32 bits: the same on every host, so that a topic's name is too.</summary>
    private static uint Fnv(string text)
    {
        uint hash = 2166136261;
        foreach (byte part in Encoding.UTF8.GetBytes(text))
        {
            hash = (hash ^ part) * 16777619;
        }

        return hash;
    }
}
