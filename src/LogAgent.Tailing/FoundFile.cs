using LogAgent.Tailing.Linux;

namespace LogAgent.Tailing;

/// <summary>A file on disk that belongs to a live path: the file itself or a rotated generation of it.</summary>
internal readonly record struct FoundFile(string Path, FileStat Stat, bool IsLive)
{
    public bool IsCompressed => Path.EndsWith(".gz", StringComparison.Ordinal);
}
