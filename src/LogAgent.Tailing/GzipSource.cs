using System.IO.Compression;
using LogAgent.Tailing.Linux;
using Microsoft.Win32.SafeHandles;

namespace LogAgent.Tailing;

/// <summary>A compressed file, read by offsets of its decompressed bytes: forward at no cost, backward from its beginning again.</summary>
internal sealed class GzipSource(SafeFileHandle handle) : IByteSource
{
    private GZipStream? _stream;
    private long _position;

    public bool IsCompressed => true;

    public int Read(Span<byte> destination, long offset)
    {
        if (_stream is null || offset < _position)
        {
            _stream?.Dispose();
            _stream = new GZipStream(new HandleStream(handle), CompressionMode.Decompress);
            _position = 0;
        }

        Span<byte> skipped = stackalloc byte[4096];
        while (_position < offset)
        {
            int skip = _stream.Read(skipped[..(int)Math.Min(skipped.Length, offset - _position)]);
            if (skip == 0)
            {
                return 0;
            }

            _position += skip;
        }

        int filled = 0;
        while (filled < destination.Length)
        {
            int read = _stream.Read(destination[filled..]);
            if (read == 0)
            {
                break;
            }

            filled += read;
        }

        _position += filled;
        return filled;
    }

    public FileStat Stat() => Native.Stat(handle);

    public long NextData(long offset, long size) => offset;

    public void Dispose()
    {
        _stream?.Dispose();
        handle.Dispose();
    }

    /// <summary>The compressed bytes in order, without a position that the handle's other readers share.</summary>
    private sealed class HandleStream(SafeFileHandle handle) : Stream
    {
        private long _offset;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override int Read(Span<byte> buffer)
        {
            int read = RandomAccess.Read(handle, buffer, _offset);
            _offset += read;
            return read;
        }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
