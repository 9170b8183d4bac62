using System.IO.Compression;
using LogAgent.Tailing.Linux;
using Microsoft.Win32.SafeHandles;

namespace LogAgent.Tailing;

/// <summary>A compressed file, read by offsets of its decompressed bytes: forward at no cost, backward from its beginning again.</summary>
internal sealed class GzipSource(SafeFileHandle handle) : IByteSource
{
    // Each slice begins a little before the end of the one before it: those bytes are kept.
    private const int KeptLength = 64 * 1024;

    private readonly byte[] _kept = new byte[KeptLength];
    private int _keptCount; // the last bytes before _position
    private GZipStream? _stream;
    private long _position;

    public bool IsCompressed => true;

    /// <summary>After the position of the last read nothing can be read.</summary>
    public bool IsDamaged { get; private set; }

    public int Read(Span<byte> destination, long offset)
    {
        if (_stream is null || offset < _position - _keptCount)
        {
            _stream?.Dispose();
            _stream = new GZipStream(new HandleStream(handle), CompressionMode.Decompress);
            _position = 0;
            _keptCount = 0;
            IsDamaged = false;
        }

        int filled = 0;
        if (offset < _position)
        {
            ReadOnlySpan<byte> kept = _kept.AsSpan(_keptCount - (int)(_position - offset), (int)(_position - offset));
            filled = Math.Min(kept.Length, destination.Length);
            kept[..filled].CopyTo(destination);
        }

        while (_position < offset)
        {
            int skip = _stream.Read(_kept.AsSpan(0, (int)Math.Min(KeptLength, offset - _position)));
            if (skip == 0)
            {
                return 0;
            }

            _position += skip;
            _keptCount = skip;
        }

        int old = filled;
        try
        {
            while (filled < destination.Length && !IsDamaged)
            {
                int read = _stream.Read(destination[filled..]);
                if (read == 0)
                {
                    break;
                }

                filled += read;
            }
        }
        catch (InvalidDataException)
        {
            // What stands before the damage counts; the next read fails.
            IsDamaged = true;
        }

        if (IsDamaged && filled == old)
        {
            throw new InvalidDataException("the compressed data cannot be read from here on");
        }

        Keep(destination[old..filled]);
        _position += filled - old;
        return filled;
    }

    private void Keep(ReadOnlySpan<byte> bytes)
    {
        bytes = bytes[^Math.Min(bytes.Length, KeptLength)..];
        int old = Math.Min(_keptCount, KeptLength - bytes.Length);
        _kept.AsSpan(_keptCount - old, old).CopyTo(_kept);
        bytes.CopyTo(_kept.AsSpan(old));
        _keptCount = old + bytes.Length;
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
