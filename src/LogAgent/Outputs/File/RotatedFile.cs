using System.Globalization;
using LogAgent.Delivery;
using Microsoft.Win32.SafeHandles;

namespace LogAgent.Outputs;

/// <summary>
/// A file of lines that only grows by whole, synced blocks: what a failed write or a crash left of a line is cut off before
/// anything is added. Rotated by size and age. Not thread-safe; its owner disposes it.
/// </summary>
internal sealed class RotatedFile(FileOutputOptions options, TimeProvider time) : IDisposable
{
    private SafeFileHandle? _file;
    private SafeFileHandle? _lock;
    private long _length;
    private DateTimeOffset _created;

    /// <summary>Adds whole lines; when it returns they are on disk. On failure none of them is.</summary>
    /// <exception cref="IOException">The disk is full, or broken.</exception>
    /// <exception cref="UnauthorizedAccessException">The file or its directory may not be written.</exception>
    public void Append(ReadOnlySpan<byte> lines)
    {
        // Someone may have moved the file away, as logrotate does.
        if (_file is not null && !File.Exists(options.Path))
        {
            Close();
        }

        Open();
        if (_length > 0 && (_length + lines.Length > options.MaxBytes || time.GetUtcNow() - _created >= options.MaxAge))
        {
            Rotate();
            Open();
        }

        // What lies beyond is of a write that failed, and could not be cut off then.
        if (RandomAccess.GetLength(_file!) > _length)
        {
            RandomAccess.SetLength(_file!, _length);
        }

        try
        {
            RandomAccess.Write(_file!, lines, _length);
            RandomAccess.FlushToDisk(_file!);
            _length += lines.Length;
        }
        catch (IOException)
        {
            TryCut();
            throw;
        }
    }

    public void Dispose()
    {
        Close();
        _lock?.Dispose();
        _lock = null;
    }

    private void Open()
    {
        if (_file is not null)
        {
            return;
        }

        string directory = Path.GetDirectoryName(options.Path)!;
        Directory.CreateDirectory(directory);

        // Two writers, each with its own idea of the end, would overwrite each other: another agent, or this one's output of
        // before a reload that has not ended yet. The lock has a file of its own: the records' file may be locked by readers.
        _lock ??= Durable.Lock(Path.Combine(directory, $".{Path.GetFileName(options.Path)}.lock"), wait: false)
            ?? throw new IOException("Another agent or output is writing to it.");
        bool isNew = !File.Exists(options.Path);
        SafeFileHandle file = File.OpenHandle(options.Path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
        try
        {
            _length = EndOfLastLine(file);
            if (isNew)
            {
                Durable.SyncDirectory(directory);
            }

            _created = isNew ? time.GetUtcNow() : File.GetCreationTimeUtc(options.Path);
            _file = file;
        }
        finally
        {
            if (_file is null)
            {
                file.Dispose();
            }
        }
    }

    private void Close()
    {
        _file?.Dispose();
        _file = null;
    }

    private void Rotate()
    {
        Close();
        string stem = Path.Combine(Path.GetDirectoryName(options.Path)!, Path.GetFileNameWithoutExtension(options.Path));
        string extension = Path.GetExtension(options.Path);
        string stamp = time.GetUtcNow().ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture);
        string rotated = $"{stem}-{stamp}{extension}";
        for (int number = 2; File.Exists(rotated); number++)
        {
            rotated = $"{stem}-{stamp}.{number:D4}{extension}";
        }

        File.Move(options.Path, rotated);
        Durable.SyncDirectory(Path.GetDirectoryName(options.Path)!);
        if (options.Keep > 0)
        {
            RemoveOldest(stem, extension);
        }
    }

    private void RemoveOldest(string stem, string extension)
    {
        // Only names that rotation gives: stem-yyyyMMddTHHmmssZ, and .NNNN after it where a second had several.
        string pattern = $"{Path.GetFileName(stem)}-????????T??????Z*{extension}";
        string[] rotated = [.. Directory.EnumerateFiles(Path.GetDirectoryName(options.Path)!, pattern)
            .Where(path => IsRotated(Path.GetFileName(path).AsSpan(Path.GetFileName(stem).Length + 1)))
            .Order(StringComparer.Ordinal)];
        foreach (string path in rotated.AsSpan(0, Math.Max(0, rotated.Length - options.Keep)))
        {
            File.Delete(path);
        }

        static bool IsRotated(ReadOnlySpan<char> name) =>
            DateTime.TryParseExact(name[..16], "yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture, DateTimeStyles.None, out _);
    }

    /// <summary>Where whole lines end: a crash may have left half a line after that, and no record of it was acknowledged.</summary>
    private static long EndOfLastLine(SafeFileHandle file)
    {
        long end = RandomAccess.GetLength(file);
        byte[] bytes = new byte[64 * 1024];
        while (end > 0)
        {
            int count = (int)Math.Min(bytes.Length, end);
            int read = RandomAccess.Read(file, bytes.AsSpan(0, count), end - count);
            int last = bytes.AsSpan(0, read).LastIndexOf((byte)'\n');
            if (last >= 0)
            {
                return end - count + last + 1;
            }

            end -= count;
        }

        return 0;
    }

    private void TryCut()
    {
        try
        {
            RandomAccess.SetLength(_file!, _length);
        }
        catch (IOException)
        {
            // The next append cuts before it writes.
        }
    }
}
