using System.IO.Enumeration;
using LogAgent.Tailing.Linux;

namespace LogAgent.Tailing;

/// <summary>
/// What stands in the directories of the targets: each is listed once a pass, however many targets it has, as long as it does not
/// change. That it did not is certain only where the change before was a while ago: the kernel's clock gives changes within
/// some milliseconds one time. Used on the tail loop's thread only.
/// </summary>
internal sealed class DirectoryNames(TailContext context)
{
    private const long Settled = 100_000_000; // ns; the kernel's clock moves each 10 ms at least

    private readonly Dictionary<string, Listing> _listings = new(StringComparer.Ordinal);

    /// <summary>How often a directory was listed so far.</summary>
    public int Listed { get; private set; }

    /// <summary>The names that begin so, as they are now. Empty where the directory is gone or may only be passed through.</summary>
    public ReadOnlySpan<string> BeginningWith(string directory, string start)
    {
        if (!Native.TryStat(directory, out FileStat stat, out _))
        {
            return [];
        }

        if (!_listings.TryGetValue(directory, out Listing? listing) || !listing.IsSettled || listing.Change != stat.ModifyNanos)
        {
            listing = new Listing(List(directory), stat.ModifyNanos, context.NowNanos - stat.ModifyNanos > Settled);
            _listings[directory] = listing;
        }

        string[] names = listing.Names;
        int from = Array.BinarySearch(names, start, StringComparer.Ordinal);
        from = from < 0 ? ~from : from;
        int to = from;
        while (to < names.Length && names[to].StartsWith(start, StringComparison.Ordinal))
        {
            to++;
        }

        return names.AsSpan(from, to - from);
    }

    /// <summary>Keeps nothing beyond a pass: most passes list nothing.</summary>
    public void Forget()
    {
        if (_listings.Count > 0)
        {
            _listings.Clear();
            _listings.TrimExcess();
        }
    }

    private string[] List(string directory)
    {
        Listed++;
        try
        {
            string[] names = [.. new FileSystemEnumerable<string>(directory, static (ref FileSystemEntry found) => found.FileName.ToString())];
            Array.Sort(names, StringComparer.Ordinal);
            return names;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    private sealed record Listing(string[] Names, long Change, bool IsSettled);
}
