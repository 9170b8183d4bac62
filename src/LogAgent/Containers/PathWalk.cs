using LogAgent.Tailing;

namespace LogAgent.Containers;

/// <summary>
/// Finds the files that globs match, in the claimer's view of the file system: links lead where they lead inside the container,
/// never to the host's own files. Links to directories are followed where the glob names them or matches them by *, not by **.
/// A name that begins with a dot is matched only where the glob's name begins with one. What lies under /proc, /sys and /dev
/// (but /dev/shm) is no log file. Stateless between calls of <see cref="Find"/>.
/// </summary>
/// <param name="say">Takes a sentence about each thing that cannot be reached; the caller drops repetitions.</param>
internal sealed class PathWalk(MountTable mounts, IReadOnlyList<PathGlob> exclude, Action<string> say)
{
    /// <summary>Most files of one claim; a glob over a whole disk must not take the agent's memory.</summary>
    public const int MostFiles = 20_000;
    private const int MostLinks = 40;

    private readonly Dictionary<string, FoundPath> _found = new(StringComparer.Ordinal);

    /// <summary>The files by their path on the host: each once, under the first path that matched, one without a link before others.</summary>
    public IReadOnlyDictionary<string, FoundPath> Find(IReadOnlyList<PathGlob> globs)
    {
        _found.Clear();
        foreach (PathGlob glob in globs)
        {
            foreach (IReadOnlyList<PathGlobPart> parts in glob.Walks)
            {
                Walk(glob, parts, 0, "", "");
            }
        }

        return _found;
    }

    /// <param name="shown">The directory as matched, without a final slash.</param>
    /// <param name="real">The same with its links resolved.</param>
    private void Walk(PathGlob glob, IReadOnlyList<PathGlobPart> parts, int index, string shown, string real)
    {
        PathGlobPart part = parts[index];
        bool last = index == parts.Count - 1;
        if (part.IsLiteral)
        {
            string path = $"{real}/{part.Literal}";
            Step(glob, parts, index, $"{shown}/{part.Literal}", path, last, LinkOf(path) is not null);
            return;
        }

        if (part.IsAnyDepth)
        {
            Walk(glob, parts, index + 1, shown, real);
        }

        foreach (FileSystemInfo child in List(real))
        {
            string name = child.Name;
            if (part.IsAnyDepth)
            {
                if (name[0] != '.' && child is DirectoryInfo && child.LinkTarget is null && !IsSystem($"{real}/{name}"))
                {
                    Walk(glob, parts, index, $"{shown}/{name}", $"{real}/{name}");
                }
            }
            else if ((name[0] != '.' || part.TakesHidden) && part.Matches(name))
            {
                bool isLink = child.LinkTarget is not null;
                if (isLink || last == child is not DirectoryInfo)
                {
                    Step(glob, parts, index, $"{shown}/{name}", $"{real}/{name}", last, isLink);
                }
            }
        }
    }

    private void Step(PathGlob glob, IReadOnlyList<PathGlobPart> parts, int index, string shown, string path, bool last, bool isLink)
    {
        if (exclude.Any(e => e.Matches(shown)))
        {
            return;
        }

        string? real = isLink ? Resolve(path) : path;
        if (real is null || IsSystem(real))
        {
            return;
        }

        if (last)
        {
            AddFile(glob, shown, real, isLink);
        }
        else if (mounts.IsAbove(real) || (mounts.TryToLook(real, out string directory) && Directory.Exists(directory)))
        {
            Walk(glob, parts, index + 1, shown, real);
        }
        else if (!mounts.TryToHost(real, out _, out string reason))
        {
            say($"{shown} cannot be read: {reason}");
        }
    }

    private void AddFile(PathGlob glob, string shown, string real, bool isLink)
    {
        if (!mounts.TryToHost(real, out string hostPath, out string reason))
        {
            say($"{shown} cannot be read: {reason}");
            return;
        }

        if (!File.Exists(hostPath) || RotatedNames.IsCompressed(real))
        {
            return;
        }

        if (_found.TryGetValue(hostPath, out FoundPath before) && (isLink || !before.IsLink))
        {
            return;
        }

        if (_found.Count >= MostFiles)
        {
            say($"'{glob.Text}' matches more than {MostFiles} files; the rest is not read: make it narrower");
            return;
        }

        _found[hostPath] = new FoundPath(shown, isLink, glob);
    }

    private IEnumerable<FileSystemInfo> List(string real)
    {
        if (!mounts.TryToLook(real.Length == 0 ? "/" : real, out string directory))
        {
            return [];
        }

        try
        {
            return new DirectoryInfo(directory).GetFileSystemInfos();
        }
        catch (DirectoryNotFoundException)
        {
            return [];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            say($"{directory} cannot be listed ({e.Message}): the agent needs the right to read it");
            return [];
        }
    }

    private string? LinkOf(string path)
    {
        try
        {
            return mounts.TryToLook(path, out string hostPath) ? new FileInfo(hostPath).LinkTarget : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>The path without links, or null where they lead in a circle.</summary>
    private string? Resolve(string path)
    {
        Stack<string> rest = new(path.Split('/', StringSplitOptions.RemoveEmptyEntries).Reverse());
        string done = "";
        int links = 0;
        while (rest.TryPop(out string? name))
        {
            if (name == "..")
            {
                done = done.Length > 0 ? done[..done.LastIndexOf('/')] : "";
                continue;
            }

            if (name == ".")
            {
                continue;
            }

            string next = $"{done}/{name}";
            if (LinkOf(next) is not { } target)
            {
                done = next;
                continue;
            }

            if (++links > MostLinks)
            {
                return null;
            }

            if (target.StartsWith('/'))
            {
                done = "";
            }

            foreach (string part in target.Split('/', StringSplitOptions.RemoveEmptyEntries).Reverse())
            {
                rest.Push(part);
            }
        }

        return done;
    }

    private static bool IsSystem(string path) =>
        Below(path, "/proc") || Below(path, "/sys") || (Below(path, "/dev") && path != "/dev" && !Below(path, "/dev/shm"));

    private static bool Below(string path, string directory) =>
        path.StartsWith(directory, StringComparison.Ordinal) && (path.Length == directory.Length || path[directory.Length] == '/');
}
