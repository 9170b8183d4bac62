using LogAgent.Tailing.Linux;
using Microsoft.Win32.SafeHandles;

namespace LogAgent.Tailing;

/// <summary>
/// Files that were opened as they appeared, before a target took them: a container that lives for milliseconds takes its log's
/// name away with it, but not what is open. Bounded in number and time; owns the handles until they are taken. Thread-safe.
/// </summary>
internal sealed class HeldFiles(TimeProvider time, int most) : IDisposable
{
    /// <summary>What no target has taken by then is of a container that is not read.</summary>
    private static readonly TimeSpan s_longest = TimeSpan.FromMinutes(1);

    private readonly Lock _gate = new();
    private readonly Dictionary<string, Held> _files = new(StringComparer.Ordinal);
    private readonly List<string> _new = [];
    private volatile int _count;

    public int Count => _count;

    /// <summary>Opens the file now. True where it is held, by this call or an earlier one; false where there is no regular file, or it may not be read.</summary>
    public bool TryHold(string path)
    {
        // The gate is held from before the opening: whoever asks in vain can be sure that the file was not there.
        lock (_gate)
        {
            SafeFileHandle? handle = Native.TryOpen(path, out _);
            if (handle is null)
            {
                return _files.ContainsKey(path);
            }

            if (!Native.Stat(handle).IsRegular)
            {
                handle.Dispose();
                return false;
            }

            LetGoOfOld();
            if (_files.Remove(path, out Held before))
            {
                before.Handle.Dispose();
            }

            _files[path] = new Held(handle, time.GetTimestamp());
            _count = _files.Count;
            _new.Add(path);
            return true;
        }
    }

    /// <summary>The paths of the files that were opened since the last call.</summary>
    public IReadOnlyList<string> TakeNew()
    {
        if (_count == 0)
        {
            return [];
        }

        lock (_gate)
        {
            string[] paths = [.. _new];
            _new.Clear();
            return paths;
        }
    }

    /// <summary>The file that is held for this path, from now on the caller's; null where none is.</summary>
    public IByteSource? TryTake(string path, out FileStat stat)
    {
        stat = default;
        lock (_gate)
        {
            if (!_files.Remove(path, out Held held))
            {
                return null;
            }

            _count = _files.Count;
            stat = Native.Stat(held.Handle);
            return new PlainSource(held.Handle);
        }
    }

    /// <summary>Closes what nobody has taken for a time.</summary>
    public void Trim()
    {
        if (_count > 0)
        {
            lock (_gate)
            {
                LetGoOfOld();
            }
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            foreach (Held held in _files.Values)
            {
                held.Handle.Dispose();
            }

            _files.Clear();
            _count = 0;
        }
    }

    private void LetGoOfOld()
    {
        foreach ((string path, Held held) in _files.OrderBy(f => f.Value.Since).ToList())
        {
            if (_files.Count < most && time.GetElapsedTime(held.Since) < s_longest)
            {
                break;
            }

            held.Handle.Dispose();
            _files.Remove(path);
        }

        _count = _files.Count;
    }

    private readonly record struct Held(SafeFileHandle Handle, long Since);
}
