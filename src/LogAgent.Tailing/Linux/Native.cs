using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace LogAgent.Tailing.Linux;

/// <summary>The system calls that .NET does not give: opening without a lock and without blocking, statx, holes, fsync of a directory.</summary>
internal static unsafe partial class Native
{
    public const int NoSuchFile = 2;
    public const int NotADirectory = 20;

    private const int OpenFlags = 0x800 | 0x80000; // O_RDONLY | O_NONBLOCK | O_CLOEXEC, the same on x64 and arm64
    private const int CurrentDirectory = -100;     // AT_FDCWD
    private const int EmptyPath = 0x1000;          // AT_EMPTY_PATH
    private const uint BasicAndBirth = 0xfff;      // STATX_BASIC_STATS | STATX_BTIME
    private const uint Birth = 0x800;
    private const int SeekData = 3;
    private const int SeekSet = 0;
    private const int NoData = 6;                  // ENXIO: nothing but a hole from here to the end

    /// <summary>Opens for reading; a FIFO does not block. Null on failure, with the errno.</summary>
    public static SafeFileHandle? TryOpen(string path, out int error)
    {
        int descriptor = open(path, OpenFlags, 0);
        if (descriptor < 0)
        {
            error = Marshal.GetLastPInvokeError();
            return null;
        }

        error = 0;
        return new SafeFileHandle(descriptor, ownsHandle: true);
    }

    /// <summary>By path, symbolic links followed. False with the errno.</summary>
    public static bool TryStat(string path, out FileStat stat, out int error)
    {
        StatxBuffer buffer;
        int result = statx(CurrentDirectory, path, 0, BasicAndBirth, &buffer);
        error = result == 0 ? 0 : Marshal.GetLastPInvokeError();
        stat = result == 0 ? Convert(buffer) : default;
        return result == 0;
    }

    /// <summary>By handle.</summary>
    /// <exception cref="IOException">The file system is gone.</exception>
    public static FileStat Stat(SafeFileHandle handle)
    {
        StatxBuffer buffer;
        int result = statx((int)handle.DangerousGetHandle(), "", EmptyPath, BasicAndBirth, &buffer);
        GC.KeepAlive(handle);
        if (result != 0)
        {
            throw new IOException("statx: " + ErrorText(Marshal.GetLastPInvokeError()));
        }

        return Convert(buffer);
    }

    /// <summary>The first offset at or after <paramref name="offset"/> that is not in a hole; the offset itself where holes are not known.</summary>
    public static long NextData(SafeFileHandle handle, long offset, long size)
    {
        int descriptor = (int)handle.DangerousGetHandle();
        long found = lseek(descriptor, offset, SeekData);
        int error = found < 0 ? Marshal.GetLastPInvokeError() : 0;
        lseek(descriptor, 0, SeekSet);
        GC.KeepAlive(handle);
        return found >= 0 ? found : error == NoData ? size : offset;
    }

    /// <summary>Makes renames in a directory durable. False where it cannot be (some file systems refuse it).</summary>
    public static bool TrySyncDirectory(string path)
    {
        using SafeFileHandle? handle = TryOpen(path, out _);
        return handle is not null && fsync((int)handle.DangerousGetHandle()) == 0;
    }

    public static string ErrorText(int error) => Marshal.GetPInvokeErrorMessage(error);

    private static FileStat Convert(in StatxBuffer buffer) => new(
        ((ulong)buffer.DeviceMajor << 32) | buffer.DeviceMinor,
        buffer.Inode,
        (long)buffer.Size,
        buffer.Links,
        (buffer.Mode & 0xf000) == 0x8000,
        (buffer.Mode & 0xf000) == 0x4000,
        (buffer.Mask & Birth) != 0 ? Nanos(buffer.BirthSeconds, buffer.BirthNanos) : 0,
        Nanos(buffer.ChangeSeconds, buffer.ChangeNanos),
        Nanos(buffer.ModifySeconds, buffer.ModifyNanos));

    private static long Nanos(long seconds, uint nanos) => (seconds * 1_000_000_000) + nanos;

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int open(string path, int flags, int mode);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int statx(int directory, string path, int flags, uint mask, StatxBuffer* buffer);

    [LibraryImport("libc", SetLastError = true)]
    private static partial long lseek(int descriptor, long offset, int whence);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fsync(int descriptor);

    /// <summary>struct statx of the kernel: one layout for all architectures.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    private struct StatxBuffer
    {
        [FieldOffset(0)] public uint Mask;
        [FieldOffset(16)] public uint Links;
        [FieldOffset(28)] public ushort Mode;
        [FieldOffset(32)] public ulong Inode;
        [FieldOffset(40)] public ulong Size;
        [FieldOffset(80)] public long BirthSeconds;
        [FieldOffset(88)] public uint BirthNanos;
        [FieldOffset(96)] public long ChangeSeconds;
        [FieldOffset(104)] public uint ChangeNanos;
        [FieldOffset(112)] public long ModifySeconds;
        [FieldOffset(120)] public uint ModifyNanos;
        [FieldOffset(136)] public uint DeviceMajor;
        [FieldOffset(140)] public uint DeviceMinor;
    }
}
