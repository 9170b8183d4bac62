using LogAgent.Tailing.Linux;

namespace LogAgent.Tailing.Checkpoints;

/// <summary>
/// The checkpoint file in the state directory: written to a temporary file, synced, renamed, the directory synced, and the
/// file before it kept as .previous. Used by one tail loop only.
/// </summary>
public sealed class CheckpointStore(string directory)
{
    private readonly string _path = Path.Combine(directory, "checkpoints");

    private string PreviousPath => _path + ".previous";

    private string TemporaryPath => _path + ".tmp";

    /// <summary>Where the checkpoints are kept.</summary>
    public string FilePath => _path;

    /// <summary>
    /// All checkpoints. A file that cannot be read is set aside as .corrupt-N and reported; then the one before it counts, and
    /// without that there are none.
    /// </summary>
    /// <exception cref="NewerCheckpointsException">A later version of the agent wrote them.</exception>
    internal IReadOnlyList<TargetCheckpoint> Load(Action<TailNotice> notify)
    {
        foreach (string path in (string[])[_path, PreviousPath])
        {
            if (!File.Exists(path))
            {
                continue;
            }

            string error;
            try
            {
                if (CheckpointFormat.TryDecode(File.ReadAllBytes(path), path, out error) is { } targets)
                {
                    return targets;
                }
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                error = e.Message;
            }

            notify(new TailNotice(TailNoticeKind.CheckpointTrouble, "", path, 0, SetAside(path, error)));
        }

        return [];
    }

    /// <summary>Makes the lines the content of the file, durably. False on trouble, with what it is; the file then stands as before.</summary>
    internal bool TrySave(IReadOnlyCollection<ReadOnlyMemory<byte>> lines, out string error)
    {
        try
        {
            Directory.CreateDirectory(directory);
            using (FileStream stream = new(TemporaryPath, FileMode.Create, FileAccess.Write, FileShare.Read, 64 * 1024))
            {
                stream.Write(CheckpointFormat.Header(lines));
                foreach (ReadOnlyMemory<byte> line in lines)
                {
                    stream.Write(line.Span);
                }

                stream.Flush(flushToDisk: true);
            }

            if (File.Exists(_path))
            {
                File.Move(_path, PreviousPath, overwrite: true);
            }

            File.Move(TemporaryPath, _path, overwrite: true);
            Native.TrySyncDirectory(directory);
            error = "";
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            error = e.Message;
            return false;
        }
    }

    private static string SetAside(string path, string error)
    {
        for (int n = 1; ; n++)
        {
            string aside = $"{path}.corrupt-{n}";
            if (File.Exists(aside))
            {
                continue;
            }

            try
            {
                File.Move(path, aside);
                return $"The checkpoints cannot be read: {error}. They were set aside as {aside}; the ones before them count, or else files are read from their beginning.";
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                return $"The checkpoints cannot be read: {error}. They could not be set aside either ({e.Message}); the ones before them count, or else files are read from their beginning.";
            }
        }
    }
}
