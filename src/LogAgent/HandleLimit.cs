using System.Globalization;

namespace LogAgent;

/// <summary>How many log files this process may hold open by its own limit of handles (RLIMIT_NOFILE), whatever the configuration allows.</summary>
internal static class HandleLimit
{
    /// <summary>For the runtime and its libraries (about 150 were counted), connections, watches and the files of the state directory.</summary>
    private const int ForItself = 192;

    /// <summary>As few as limits.open_files may be.</summary>
    private const int Least = 16;

    private const string Line = "Max open files";

    /// <summary>The process's own /proc/self/limits; empty where it cannot be read.</summary>
    public static string Read()
    {
        try
        {
            return File.ReadAllText("/proc/self/limits");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }

    /// <param name="limits">Text of /proc/PID/limits: a line reads <c>Max open files   1024   524288   files</c>, the limit in force first.</param>
    /// <returns>What of <paramref name="wanted"/> may be open; all of it where no limit is known.</returns>
    public static int LogFiles(int wanted, string limits)
    {
        foreach (ReadOnlySpan<char> line in limits.AsSpan().EnumerateLines())
        {
            if (line.StartsWith(Line, StringComparison.Ordinal))
            {
                ReadOnlySpan<char> value = line[Line.Length..].TrimStart();
                int end = value.IndexOf(' ');
                return end > 0 && long.TryParse(value[..end], CultureInfo.InvariantCulture, out long limit)
                    ? (int)Math.Min(wanted, Math.Max(Least, limit - ForItself))
                    : wanted;
            }
        }

        return wanted;
    }
}
