using System.Runtime.InteropServices;
using System.Text;

namespace LogAgent.Tailing.Linux;

/// <summary>Takes a change in a directory: a name in it, and whether only the content of that file has changed.</summary>
internal delegate void ChangeTaker(string directory, ReadOnlySpan<char> name, bool onlyContent);

/// <summary>
/// What ends the wait of the tail loop before its time: a wake from any thread, or a change in a watched directory (one inotify
/// instance). A change is a hint only: whatever inotify cannot tell (no watch left, another file system, too many events) is
/// found at the next regular look. All but <see cref="Wake"/> is called by the loop's thread.
/// <code>
/// struct inotify_event { int wd; uint mask; uint cookie; uint len; char name[len]; }      name ends with 1 or more NULs
/// </code>
/// </summary>
internal sealed unsafe partial class LoopWait : IDisposable
{
    private const int NonBlockingCloseOnExec = 0x800 | 0x80000; // IN_NONBLOCK | IN_CLOEXEC and EFD_ the same, on x64 and arm64
    private const uint Modified = 0x2;
    private const uint Changes = Modified | 0x40 | 0x80 | 0x100 | 0x200 | 0x0100_0000; // MOVED_FROM, MOVED_TO, CREATE, DELETE, ONLYDIR
    private const uint Overflow = 0x4000;
    private const uint Ignored = 0x8000;
    private const int NoSpace = 28; // ENOSPC: fs.inotify.max_user_watches is reached
    private const short Readable = 1;

    private readonly Lock _gate = new();
    private readonly int _signal = eventfd(0, NonBlockingCloseOnExec);
    private readonly int _inotify = inotify_init1(NonBlockingCloseOnExec);
    private readonly Dictionary<string, int> _watches = new(StringComparer.Ordinal); // by directory; -1 where there is none
    private readonly Dictionary<int, List<string>> _directories = []; // by watch: one directory may have two paths
    private readonly byte[] _events = new byte[16 * 1024];
    private readonly char[] _name = new char[1024];
    private bool _signalled;
    private bool _closed;

    /// <summary>No watch could be had for some directory, or inotify not at all.</summary>
    public bool IsShort { get; private set; }

    /// <summary>Ends the present wait, or the next one. Thread-safe.</summary>
    public void Wake()
    {
        lock (_gate)
        {
            if (_closed || _signalled)
            {
                return;
            }

            _signalled = true;
            ulong one = 1;
            write(_signal, (byte*)&one, sizeof(ulong));
        }
    }

    /// <summary>Watches exactly these directories, as far as can be; those that could not be watched before are tried again.</summary>
    public void Watch(IReadOnlyCollection<string> directories)
    {
        IsShort = _inotify < 0;
        if (IsShort)
        {
            return;
        }

        HashSet<string> wanted = new(directories, StringComparer.Ordinal);
        foreach ((string directory, int watch) in _watches)
        {
            if (!wanted.Contains(directory))
            {
                _watches.Remove(directory);
                if (_directories.TryGetValue(watch, out List<string>? paths) && paths.Remove(directory) && paths.Count == 0)
                {
                    _directories.Remove(watch);
                    inotify_rm_watch(_inotify, watch);
                }
            }
        }

        foreach (string directory in wanted)
        {
            if (IsShort || (_watches.TryGetValue(directory, out int watch) && watch >= 0))
            {
                continue;
            }

            int added = inotify_add_watch(_inotify, directory, Changes);
            IsShort = added < 0 && Marshal.GetLastPInvokeError() == NoSpace;
            _watches[directory] = added;
            if (added >= 0)
            {
                CollectionsMarshal.GetValueRefOrAddDefault(_directories, added, out _) ??= [];
                _directories[added].Add(directory);
            }
        }
    }

    /// <summary>Takes what has changed since the last call, and gives each change to <paramref name="changed"/>.</summary>
    /// <returns>False where changes were lost: then anything may have changed.</returns>
    public bool TakeChanges(ChangeTaker changed)
    {
        bool complete = true;
        for (long length; _inotify >= 0 && (length = Read()) > 0;)
        {
            for (int at = 0; at + 16 <= length;)
            {
                int watch = BitConverter.ToInt32(_events, at);
                uint mask = BitConverter.ToUInt32(_events, at + 4);
                int nameLength = BitConverter.ToInt32(_events, at + 12);
                ReadOnlySpan<byte> name = _events.AsSpan(at + 16, nameLength).TrimEnd((byte)0);
                at += 16 + nameLength;
                complete &= (mask & Overflow) == 0;
                Tell(watch, mask, name, changed);
            }
        }

        return complete;

        long Read()
        {
            fixed (byte* events = _events)
            {
                return read(_inotify, events, (nuint)_events.Length);
            }
        }
    }

    /// <summary>Waits until a wake, a change or the end of the time.</summary>
    /// <param name="quiet">Changes end the wait only after this time, so that those of a busy file are taken together.</param>
    public void Wait(TimeSpan quiet, TimeSpan time)
    {
        if (!Poll(1, quiet))
        {
            Poll(_inotify < 0 ? 1 : 2, time - quiet);
        }

        lock (_gate)
        {
            ulong count;
            read(_signal, (byte*)&count, sizeof(ulong));
            _signalled = false;
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _closed = true;
            close(_signal);
            if (_inotify >= 0)
            {
                close(_inotify);
            }
        }
    }

    private void Tell(int watch, uint mask, ReadOnlySpan<byte> name, ChangeTaker changed)
    {
        int length = Encoding.UTF8.GetMaxCharCount(name.Length) > _name.Length ? 0 : Encoding.UTF8.GetChars(name, _name);
        if (!_directories.TryGetValue(watch, out List<string>? directories))
        {
            return;
        }

        foreach (string directory in directories)
        {
            if ((mask & Ignored) != 0)
            {
                _watches[directory] = -1; // the directory is gone; a new one of this name is watched later
            }
            else
            {
                changed(directory, _name.AsSpan(0, length), (mask & Modified) != 0);
            }
        }

        if ((mask & Ignored) != 0)
        {
            _directories.Remove(watch);
        }
    }

    private bool Poll(int count, TimeSpan time)
    {
        PollDescriptor* descriptors = stackalloc PollDescriptor[2];
        descriptors[0] = new PollDescriptor { Descriptor = _signal, Events = Readable };
        descriptors[1] = new PollDescriptor { Descriptor = _inotify, Events = Readable };
        return poll(descriptors, (nuint)count, Math.Max(0, (int)Math.Ceiling(time.TotalMilliseconds))) > 0;
    }

    [LibraryImport("libc")]
    private static partial int eventfd(uint initial, int flags);

    [LibraryImport("libc")]
    private static partial int inotify_init1(int flags);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int inotify_add_watch(int descriptor, string path, uint mask);

    [LibraryImport("libc")]
    private static partial int inotify_rm_watch(int descriptor, int watch);

    [LibraryImport("libc")]
    private static partial nint read(int descriptor, byte* buffer, nuint length);

    [LibraryImport("libc")]
    private static partial nint write(int descriptor, byte* buffer, nuint length);

    [LibraryImport("libc")]
    private static partial int poll(PollDescriptor* descriptors, nuint count, int milliseconds);

    [LibraryImport("libc")]
    private static partial int close(int descriptor);

    /// <summary>struct pollfd.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct PollDescriptor
    {
        public int Descriptor;
        public short Events;
        public short Returned;
    }
}
