using System.Collections.Concurrent;
using System.Globalization;

namespace LogAgent.IntegrationTests.Support;

/// <summary>
/// The oracle: every line that a test writes carries its source and a number that counts up from 0; what arrived is compared
/// with what was written. A line reads <c>seq source=web n=17 ...</c>.
/// </summary>
internal sealed class Sequences
{
    private readonly ConcurrentDictionary<string, ConcurrentDictionary<long, int>> _seen = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, long> _last = new(StringComparer.Ordinal);
    private long _total;
    private long _distinct;
    private long _backwards;

    /// <summary>How many were added, doubles included.</summary>
    public long Total => Interlocked.Read(ref _total);

    public long Distinct => Interlocked.Read(ref _distinct);

    /// <summary>How many came after a later one of the same source.</summary>
    public long Backwards => Interlocked.Read(ref _backwards);

    public static string Line(string source, long number, string rest = "") =>
        string.Create(CultureInfo.InvariantCulture, $"seq source={source} n={number} {rest}");

    /// <summary>Adds a message; one that is not of a test is left out, and false is returned.</summary>
    public bool Add(string message)
    {
        if (!TryParse(message, out string source, out long number))
        {
            return false;
        }

        Add(source, number);
        return true;
    }

    /// <summary>Adds what the other one has seen.</summary>
    /// <param name="once">What was seen several times counts as seen once.</param>
    public void AddAll(Sequences other, bool once = false)
    {
        foreach ((string source, ConcurrentDictionary<long, int> numbers) in other._seen)
        {
            foreach ((long number, int times) in numbers)
            {
                for (int i = 0; i < (once ? 1 : times); i++)
                {
                    Add(source, number);
                }
            }
        }
    }

    public bool Contains(string source, long number) => _seen.TryGetValue(source, out ConcurrentDictionary<long, int>? numbers) && numbers.ContainsKey(number);

    public long CountOf(string source) => _seen.TryGetValue(source, out ConcurrentDictionary<long, int>? numbers) ? numbers.Count : 0;

    /// <summary>True when each number below the count of each source is there.</summary>
    public bool IsComplete(IReadOnlyDictionary<string, long> written) => written.All(source => CountOf(source.Key) >= source.Value);

    /// <summary>What is missing and doubled, in words; "0 missing, 0 doubled" is what a test hopes for.</summary>
    public string Compare(IReadOnlyDictionary<string, long> written)
    {
        long missing = 0, doubled = 0, foreign = 0;
        var examples = new List<string>();
        foreach ((string source, long count) in written)
        {
            ConcurrentDictionary<long, int> numbers = _seen.GetValueOrDefault(source) ?? new();
            for (long n = 0; n < count; n++)
            {
                int times = numbers.GetValueOrDefault(n);
                missing += times == 0 ? 1 : 0;
                doubled += times > 1 ? 1 : 0;
                if (times != 1 && examples.Count < 10)
                {
                    examples.Add($"{source} n={n}: {times} times");
                }
            }

            foreign += numbers.Keys.Count(n => n >= count);
        }

        foreign += _seen.Keys.Count(source => !written.ContainsKey(source));
        return $"{missing} missing, {doubled} doubled"
            + (foreign > 0 ? $", {foreign} that nobody wrote" : "")
            + (examples.Count > 0 ? $" ({string.Join("; ", examples)})" : "");
    }

    /// <summary>Which of the numbers that are in the other are not in this one, and which are here twice: for writers whose files are the oracle.</summary>
    public string Compare(Sequences written)
    {
        long missing = 0, doubled = 0;
        var examples = new List<string>();
        foreach ((string source, ConcurrentDictionary<long, int> numbers) in written._seen)
        {
            ConcurrentDictionary<long, int> arrived = _seen.GetValueOrDefault(source) ?? new();
            foreach (long n in numbers.Keys.Where(n => !arrived.ContainsKey(n)).Order())
            {
                missing++;
                if (examples.Count < 10)
                {
                    examples.Add($"{source} n={n}: not there");
                }
            }

            int twice = arrived.Values.Count(times => times > 1);
            doubled += twice;
            if (twice > 0)
            {
                examples.Add($"{source}: {twice} doubled from n={arrived.Where(number => number.Value > 1).Min(number => number.Key)}");
            }
        }

        return $"{missing} missing, {doubled} doubled" + (examples.Count > 0 ? $" ({string.Join("; ", examples)})" : "");
    }

    private void Add(string source, long number)
    {
        ConcurrentDictionary<long, int> numbers = _seen.GetOrAdd(source, _ => new());
        if (numbers.AddOrUpdate(number, 1, (_, count) => count + 1) == 1)
        {
            Interlocked.Increment(ref _distinct);
        }

        Interlocked.Increment(ref _total);
        long last = _last.GetOrAdd(source, -1);
        if (number < last)
        {
            Interlocked.Increment(ref _backwards);
        }

        _last[source] = Math.Max(last, number);
    }

    private static bool TryParse(string message, out string source, out long number)
    {
        source = "";
        number = 0;
        const string Start = "seq source=";
        int begin = message.IndexOf(Start, StringComparison.Ordinal);
        if (begin < 0)
        {
            return false;
        }

        begin += Start.Length;
        int space = message.IndexOf(" n=", begin, StringComparison.Ordinal);
        if (space < 0)
        {
            return false;
        }

        source = message[begin..space];
        int end = message.IndexOf(' ', space + 3);
        ReadOnlySpan<char> digits = end < 0 ? message.AsSpan(space + 3) : message.AsSpan(space + 3, end - space - 3);
        return long.TryParse(digits, CultureInfo.InvariantCulture, out number);
    }
}
