using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace LogAgent.Delivery;

/// <summary>What the framework does not offer and files that must survive need.</summary>
internal static partial class Durable
{
    private const int ReadOnlyDirectory = 0x10000 | 0x80000; // O_DIRECTORY | O_CLOEXEC
    private const int ReadWriteCreate = 0x2 | 0x40 | 0x80000; // O_RDWR | O_CREAT | O_CLOEXEC
    private const int LockExclusive = 2;
    private const int LockNonBlocking = 4;

    /// <summary>Creates a directory, and those above it, that its owner alone may read.</summary>
    public static void CreatePrivateDirectory(string path)
    {
        if (OperatingSystem.IsLinux())
        {
            Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
    }

    /// <summary>Makes names that were created, renamed or removed in the directory survive a power cut.</summary>
    /// <exception cref="IOException">It failed, with the reason.</exception>
    public static void SyncDirectory(string path)
    {
        using SafeFileHandle directory = Open(path, ReadOnlyDirectory);
        if (FSync(directory) != 0)
        {
            throw Failure("fsync", path);
        }
    }

    /// <summary>Takes the lock file's exclusive lock, across processes; released when the handle is closed.</summary>
    /// <param name="wait">Wait for it, or return null where another has it.</param>
    /// <exception cref="IOException">It failed, with the reason.</exception>
    public static SafeFileHandle? Lock(string path, bool wait)
    {
        SafeFileHandle file = Open(path, ReadWriteCreate);
        if (FLock(file, wait ? LockExclusive : LockExclusive | LockNonBlocking) == 0)
        {
            return file;
        }

        IOException failure = Failure("flock", path);
        file.Dispose();
        return wait ? throw failure : null;
    }

    private static SafeFileHandle Open(string path, int flags)
    {
        int descriptor = OpenNative(path, flags, 0x180); // rw-------
        return descriptor >= 0 ? new SafeFileHandle(descriptor, ownsHandle: true) : throw Failure("open", path);
    }

    private static IOException Failure(string what, string path) =>
        new($"{what} of {path} failed: {Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}");

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int OpenNative(string path, int flags, int mode);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int FSync(SafeFileHandle file);

    [LibraryImport("libc", EntryPoint = "flock", SetLastError = true)]
    private static partial int FLock(SafeFileHandle file, int operation);
}
