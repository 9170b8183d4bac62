using System.Collections.Concurrent;
using System.Globalization;
using System.Text;

namespace LogAgent.Outputs.Elasticsearch;

/// <summary>One index: its name, and the same in UTF-8 for an action line. It needs no escape in a URL or in JSON.</summary>
internal sealed record IndexOfDay(string Name, byte[] Utf8);

/// <summary>
/// The configured name of an index, with or without parts that follow a record's day in UTC: <c>logagent-%{yyyy.MM.dd}</c>.
/// It was checked at the start, so that no record, label or field can choose an index outside the pattern. Thread-safe.
/// </summary>
internal sealed class IndexName
{
    /// <summary>Days whose names are kept; records of more days than this in flight only cost the making of the name again.</summary>
    private const int CachedDays = 512;

    /// <summary>Elasticsearch's limit for the name of an index.</summary>
    private const int MaxBytes = 255;

    private readonly string[] _parts; // literal, date, literal, date, ... literal
    private readonly ConcurrentDictionary<int, IndexOfDay> _days = new();
    private readonly IndexOfDay? _fixed;

    private IndexName(string pattern, string[] parts)
    {
        Pattern = pattern;
        _parts = parts;
        _fixed = parts.Length == 1 ? Named(pattern) : null;
    }

    public string Pattern { get; }

    /// <summary>True where every record goes to the same index.</summary>
    public bool IsFixed => _fixed is not null;

    /// <summary>The pattern as an index template wants it: each date is a star.</summary>
    public string Wildcard => string.Concat(_parts.Select((part, i) => i % 2 == 0 ? part : "*"));

    /// <summary>The name without its dates and without a final separator.</summary>
    public string Stem => string.Concat(_parts.Where((_, i) => i % 2 == 0)).TrimEnd('-', '_', '.', '+');

    /// <summary>Reads a pattern; where it returns false, <paramref name="problem"/> says what is wrong and what is allowed.</summary>
    public static bool TryParse(string pattern, out IndexName name, out string problem)
    {
        name = null!;
        List<string> parts = [];
        string rest = pattern;
        while (true)
        {
            int start = rest.IndexOf("%{", StringComparison.Ordinal);
            int end = start < 0 ? -1 : rest.IndexOf('}', start);
            if (end < 0)
            {
                parts.Add(rest);
                break;
            }

            string date = rest[(start + 2)..end];
            if (!IsDate(date))
            {
                problem = $"%{{{date}}} is no date: use yyyy, MM and dd with . - or _ between them, as in logagent-%{{yyyy.MM.dd}}";
                return false;
            }

            parts.Add(rest[..start]);
            parts.Add(date);
            rest = rest[(end + 1)..];
        }

        for (int i = 0; i < parts.Count; i += 2)
        {
            if (parts[i].FirstOrDefault(c => !(char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '.' or '-' or '_' or '+')) is var bad and not '\0')
            {
                problem = $"'{bad}' is not allowed in the name of an index: use a-z, 0-9, . - _ + and dates as %{{yyyy.MM.dd}}";
                return false;
            }
        }

        if (parts[0].Length == 0 || !char.IsAsciiLetterOrDigit(parts[0][0]))
        {
            problem = "the name of an index begins with a-z or 0-9, as in logagent-%{yyyy.MM.dd}";
            return false;
        }

        if (parts.Sum(part => part.Length) > MaxBytes)
        {
            problem = $"the name of an index has at most {MaxBytes} characters";
            return false;
        }

        name = new(pattern, [.. parts]);
        problem = "";
        return true;
    }

    /// <summary>The index of a day. Allocates once a day.</summary>
    public IndexOfDay Of(UtcDay day)
    {
        if (_fixed is not null)
        {
            return _fixed;
        }

        if (_days.TryGetValue(day.Number, out IndexOfDay? known))
        {
            return known;
        }

        if (_days.Count >= CachedDays)
        {
            _days.Clear();
        }

        DateOnly date = day.ToDate();
        return _days[day.Number] = Named(string.Concat(_parts.Select((part, i) => i % 2 == 0 ? part : Format(part, date))));
    }

    private static IndexOfDay Named(string name) => new(name, Encoding.ASCII.GetBytes(name));

    /// <summary>Year, month and day only, each at most once, so that a name has a bounded number of values a year.</summary>
    private static bool IsDate(string text)
    {
        string[] units = text.Split('.', '-', '_');
        return units.All(unit => unit is "yyyy" or "MM" or "dd") && units.Distinct().Count() == units.Length;
    }

    private static string Format(string part, DateOnly date) => part
        .Replace("yyyy", date.Year.ToString("0000", CultureInfo.InvariantCulture), StringComparison.Ordinal)
        .Replace("MM", date.Month.ToString("00", CultureInfo.InvariantCulture), StringComparison.Ordinal)
        .Replace("dd", date.Day.ToString("00", CultureInfo.InvariantCulture), StringComparison.Ordinal);
}
