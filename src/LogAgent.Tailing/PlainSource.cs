using LogAgent.Tailing.Linux;
using Microsoft.Win32.SafeHandles;

namespace LogAgent.Tailing;

/// <summary>A file as it stands.</summary>
internal sealed class PlainSource(SafeFileHandle handle) : IByteSource
{
    public bool IsCompressed => false;

    public int Read(Span<byte> destination, long offset)
    {
        int filled = 0;
        while (filled < destination.Length)
        {
            int read = RandomAccess.Read(handle, destination[filled..], offset + filled);
            if (read == 0)
            {
                break;
            }

            filled += read;
        }

        return filled;
    }

    public FileStat Stat() => Native.Stat(handle);

    public long NextData(long offset, long size) => Native.NextData(handle, offset, size);

    public void Dispose() => handle.Dispose();
}
