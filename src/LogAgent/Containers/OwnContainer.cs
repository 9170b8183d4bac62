namespace LogAgent.Containers;

/// <summary>
/// Finds out which container this process runs in.
/// <code>
/// /proc/self/mountinfo: id parent major:minor ROOT MOUNTPOINT ...   Docker binds ROOT .../containers/{id}/hostname to MOUNTPOINT /etc/hostname
/// /proc/self/cgroup:    7:cpu:/docker/{id}  or  0::/system.slice/docker-{id}.scope
/// </code>
/// </summary>
internal static class OwnContainer
{
    /// <summary>The id of 64 digits, or null on a host.</summary>
    public static string? Find()
    {
        try
        {
            return Find(File.ReadAllText("/proc/self/mountinfo"), File.ReadAllText("/proc/self/cgroup"));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    internal static string? Find(string mountinfo, string cgroup)
    {
        foreach (string line in mountinfo.Split('\n'))
        {
            string[] parts = line.Split(' ');

            // The mount point decides: on a host, mountinfo too holds paths with containers' ids.
            if (parts.Length > 4 && parts[4] is "/etc/hostname" or "/etc/hosts" or "/etc/resolv.conf")
            {
                string[] root = parts[3].Split('/');
                if (root.Length >= 3 && root[^3] == "containers" && IsId(root[^2]))
                {
                    return root[^2];
                }
            }
        }

        foreach (string line in cgroup.Split('\n'))
        {
            string last = line[(line.LastIndexOf('/') + 1)..];
            const string Prefix = "docker-", Suffix = ".scope";
            if (last.StartsWith(Prefix, StringComparison.Ordinal) && last.EndsWith(Suffix, StringComparison.Ordinal))
            {
                last = last[Prefix.Length..^Suffix.Length];
            }

            if (IsId(last))
            {
                return last;
            }
        }

        return null;
    }

    private static bool IsId(string text) => text.Length == 64 && !text.AsSpan().ContainsAnyExcept("0123456789abcdef");
}
