using LogAgent.Configuration;
using LogAgent.Outputs;
using LogAgent.Tailing;
using Microsoft.Win32.SafeHandles;

namespace LogAgent.Delivery;

/// <summary>
/// Keeps the records that an output rejected for good, in files of one JSON line each (<see cref="DeadLetter"/>), synced before
/// a record counts as done. Bounded: the oldest file is dropped first, and counted. Shared by all workers; thread-safe. A lock
/// file keeps it and a replay in another process apart.
/// </summary>
internal sealed class DeadLetters(string directory, DeadLetterOptions options, DocumentEncoder documents, Ledger ledger, TimeProvider time, ILogger logger)
{
    private readonly Lock _gate = new();
    private readonly long _fileBytes = Math.Clamp(options.MaxBytes / 16, 64 << 10, 16 << 20);
    private string? _path;
    private int _number;

    /// <summary>True when every one of the records is on disk; none is where it is false.</summary>
    /// <param name="problem">A sentence about what went wrong, where it is false.</param>
    public bool TryAdd(string output, RecordGroup group, IReadOnlyList<RejectedRecord> rejected, out string problem)
    {
        lock (_gate)
        {
            try
            {
                using ByteBuffer lines = new(64 * 1024);
                foreach (RejectedRecord one in rejected)
                {
                    (LogBatch batch, int record) = group.Find(one.Index);
                    DeadLetter.Write(lines, output, one, batch, batch.Records[record], documents, time.GetUtcNow());
                }

                Durable.CreatePrivateDirectory(directory);
                using SafeFileHandle? held = Durable.Lock(DeadLetterFiles.LockPath(directory), wait: true);
                MakeRoom(lines.Length);
                Append(lines.Written);
                problem = "";
                return true;
            }
            catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
            {
                problem = $"Records were rejected, and their dead letters cannot be written to {directory}: {failure.Message} They are kept and tried again; make room or mend the permissions.";
                return false;
            }
        }
    }

    private void Append(ReadOnlySpan<byte> lines)
    {
        // A replay takes files away by renaming them; a new one is begun then.
        bool isNew = _path is null || !File.Exists(_path) || new FileInfo(_path).Length + lines.Length > _fileBytes;
        if (isNew)
        {
            _path = Path.Combine(directory, $"{time.GetUtcNow():yyyyMMdd'T'HHmmss.fff'Z'}-{Environment.ProcessId}-{++_number:D4}{DeadLetterFiles.Extension}");
        }

        using SafeFileHandle file = File.OpenHandle(_path!, FileMode.OpenOrCreate, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete);
        long length = RandomAccess.GetLength(file);
        try
        {
            RandomAccess.Write(file, lines, length);
            RandomAccess.FlushToDisk(file);
            if (isNew)
            {
                Durable.SyncDirectory(directory);
            }
        }
        catch (IOException)
        {
            // The next ones go to a new file: nothing is ever added behind half a line.
            _path = null;
            RandomAccess.SetLength(file, length);
            throw;
        }
    }

    private void MakeRoom(long bytes)
    {
        List<FileInfo> files = [.. new DeadLetterFiles(directory).Paths.Select(path => new FileInfo(path))];
        long total = files.Sum(file => file.Length);
        foreach (FileInfo oldest in files)
        {
            if (total + bytes <= options.MaxBytes)
            {
                return;
            }

            total -= oldest.Length;
            long letters = CountLines(oldest.FullName);
            oldest.Delete();
            ledger.DeadLettersDropped(letters);
            DeliveryLog.DeadLettersDropped(logger, directory, options.MaxBytes, letters);
        }
    }

    private static long CountLines(string path)
    {
        using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        byte[] bytes = new byte[64 * 1024];
        long lines = 0;
        int read;
        while ((read = file.Read(bytes)) > 0)
        {
            lines += bytes.AsSpan(0, read).Count((byte)'\n');
        }

        return lines;
    }
}
