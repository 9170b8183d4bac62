namespace LogAgent.Containers;

/// <summary>
/// From a path as a container sees it to the path on the host: the mount with the longest destination wins; what is on no mount
/// lies in the container's own file system.
/// </summary>
internal sealed class MountTable
{
    private readonly List<(string Destination, string Source, string Reason)> _mounts;
    private readonly string _upper;
    private readonly string _merged;

    private MountTable(List<(string Destination, string Source, string Reason)> mounts, string upper, string merged)
    {
        _mounts = mounts;
        _upper = upper;
        _merged = merged;
    }

    /// <summary>The host's own view.</summary>
    public static MountTable Host { get; } = new([("/", "", "")], "", "");

    public static MountTable Of(ContainerInfo container, string hostRoot)
    {
        List<(string, string, string)> mounts = [];
        string root = ProcessRoot(container, hostRoot, out string reason);
        foreach (ContainerMount mount in container.Mounts.OrderByDescending(m => m.Destination.Length))
        {
            if (mount.Source.Length > 0)
            {
                mounts.Add((mount.Destination, mount.Source == "/" ? hostRoot : hostRoot + mount.Source, ""));
            }
            else
            {
                string source = root.Length > 0 ? root + mount.Destination : "";
                mounts.Add((mount.Destination, source, source.Length > 0 ? "" : $"{mount.Destination} is a {mount.Type}, which is reached through the container's process alone, and {reason}"));
            }
        }

        string upper = container.UpperDirectory.Length > 0 ? hostRoot + container.UpperDirectory : "";
        string merged = container.MergedDirectory.Length > 0 ? hostRoot + container.MergedDirectory : root;
        return new MountTable(mounts, upper, merged);
    }

    /// <summary>
    /// The host's path, where a file that the container wrote would be: on a mount, or in its writable layer. False with a reason
    /// where the agent cannot get there.
    /// </summary>
    public bool TryToHost(string path, out string hostPath, out string reason)
    {
        foreach ((string destination, string source, string why) in _mounts)
        {
            if (IsBelow(path, destination, out string rest))
            {
                hostPath = source + rest;
                reason = why;
                return why.Length == 0;
            }
        }

        // The writable layer rather than the merged directory: it outlives the stop of the container, its files have the same
        // identity all the time, and an open handle in it keeps no mount busy.
        string root = _upper.Length > 0 ? _upper : _merged;
        hostPath = root + path;
        reason = root.Length > 0 ? "" : "it is on no mount, and the container's own file system is not known on this host";
        return root.Length > 0;
    }

    /// <summary>The host's path for looking at directories and links, where the image's own count too.</summary>
    public bool TryToLook(string path, out string hostPath)
    {
        if (_mounts.Exists(m => IsBelow(path, m.Destination, out _)) || _merged.Length == 0 || !Directory.Exists(_merged))
        {
            return TryToHost(path, out hostPath, out _);
        }

        hostPath = _merged + path;
        return true;
    }

    /// <summary>Whether a mount lies below this directory, which therefore is there, though it may not be reachable itself.</summary>
    public bool IsAbove(string path) => _mounts.Exists(m => m.Destination != path && IsBelow(m.Destination, path, out _));

    private static bool IsBelow(string path, string destination, out string rest)
    {
        rest = destination == "/" ? path : "";
        if (destination == "/")
        {
            return true;
        }

        if (!path.StartsWith(destination, StringComparison.Ordinal) || (path.Length > destination.Length && path[destination.Length] != '/'))
        {
            return false;
        }

        rest = path[destination.Length..];
        return true;
    }

    /// <summary>/proc/(pid)/root, if that process is indeed the container's: the agent may have another numbering of processes.</summary>
    private static string ProcessRoot(ContainerInfo container, string hostRoot, out string reason)
    {
        if (!container.IsRunning)
        {
            reason = "it does not run";
            return "";
        }

        string proc = $"/proc/{container.Pid}";
        if (hostRoot.Length > 0 && Directory.Exists(hostRoot + "/proc/1"))
        {
            proc = hostRoot + proc;
        }

        try
        {
            if (!File.ReadAllText(proc + "/cgroup").Contains(container.Id, StringComparison.Ordinal)
                && !File.ReadAllText(proc + "/mountinfo").Contains(container.Id, StringComparison.Ordinal))
            {
                reason = "the agent sees other processes than the host's (run it with --pid=host)";
                return "";
            }

            Directory.GetFileSystemEntries(proc + "/root/", "logagent-permission-probe");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            reason = $"{proc}/root may not be read: the agent needs root and CAP_SYS_PTRACE, and --pid=host where it runs in a container";
            return "";
        }

        reason = "";
        return proc + "/root";
    }
}
