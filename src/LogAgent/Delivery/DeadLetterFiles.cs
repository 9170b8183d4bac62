using Microsoft.Win32.SafeHandles;

namespace LogAgent.Delivery;

/// <summary>
/// The files of a directory of dead letters, oldest first. A file that is being replayed, or whose replay was cut short, has
/// <see cref="TakenExtension"/> after its name and is listed like any other.
/// </summary>
internal sealed class DeadLetterFiles(string directory)
{
    public const string Extension = ".ndjson";
    public const string TakenExtension = ".replaying";

    public string Directory => directory;

    /// <summary>Paths, oldest first; none where the directory does not exist.</summary>
    public IReadOnlyList<string> Paths => !System.IO.Directory.Exists(directory)
        ? []
        : [.. System.IO.Directory.EnumerateFiles(directory)
            .Where(path => path.EndsWith(Extension, StringComparison.Ordinal) || path.EndsWith(TakenExtension, StringComparison.Ordinal))
            .Order(StringComparer.Ordinal)];

    /// <summary>The lock that whoever appends, drops or takes files away holds meanwhile.</summary>
    public static string LockPath(string directory) => Path.Combine(directory, ".lock");

    /// <summary>The letters of one file, in order; null for a line that is none (the last one of a file may be torn).</summary>
    public static IEnumerable<DeadLetter?> Read(string path)
    {
        using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        using MemoryStream line = new();
        byte[] bytes = new byte[64 * 1024];
        int read;
        while ((read = file.Read(bytes)) > 0)
        {
            int start = 0;
            int end;
            while ((end = Array.IndexOf(bytes, (byte)'\n', start, read - start)) >= 0)
            {
                line.Write(bytes, start, end - start);
                yield return DeadLetter.TryParse(line.ToArray());
                line.SetLength(0);
                start = end + 1;
            }

            line.Write(bytes, start, read - start);
        }

        if (line.Length > 0)
        {
            yield return DeadLetter.TryParse(line.ToArray());
        }
    }

    /// <summary>Every letter that can be read, oldest first.</summary>
    public IEnumerable<DeadLetter> ReadAll() => Paths.SelectMany(Read).OfType<DeadLetter>();

    /// <summary>Takes a file away from the agent that may be writing to it; returns its path from then on.</summary>
    public string Take(string path)
    {
        if (path.EndsWith(TakenExtension, StringComparison.Ordinal))
        {
            return path;
        }

        using SafeFileHandle? held = Durable.Lock(LockPath(directory), wait: true);
        string taken = path + TakenExtension;
        File.Move(path, taken);
        return taken;
    }

    /// <summary>Ends a replay of a taken file: only these lines of it remain, synced, under the file's first name; without any it is removed.</summary>
    public void Keep(string taken, IReadOnlyList<byte[]> lines)
    {
        string path = taken[..^TakenExtension.Length];
        if (lines.Count > 0)
        {
            string temporary = taken + ".tmp";
            using (FileStream file = new(temporary, FileMode.Create, FileAccess.Write))
            {
                foreach (byte[] line in lines)
                {
                    file.Write(line);
                    file.WriteByte((byte)'\n');
                }

                file.Flush(flushToDisk: true);
            }

            File.Move(temporary, path, overwrite: true);
        }

        File.Delete(taken);
        Durable.SyncDirectory(directory);
    }
}
