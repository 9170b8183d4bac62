using System.IO.Compression;
using LogAgent.Delivery;

namespace LogAgent.Outputs.Elasticsearch;

/// <summary>
/// The body of one bulk request, used again and again: the plain bytes, or the compressed ones of which the plain text exists
/// only a piece at a time. Not thread-safe; its taker owns it until he gives it back to the <see cref="BulkBodies"/>.
/// </summary>
/// <param name="gzipLevel">1 to 9, or 0 for no compression.</param>
/// <param name="capacity">Bytes before compression that it is expected to hold.</param>
internal sealed class BulkBody(BulkEncoder encoder, int gzipLevel, int capacity) : IDisposable
{
    /// <summary>Plain bytes that are encoded, then compressed, while they are in the processor's cache.</summary>
    private const int Piece = 96 * 1024;

    private readonly ByteBuffer _plain = new(gzipLevel > 0 ? 128 * 1024 : capacity);
    private readonly ByteBuffer? _compressed = gzipLevel > 0 ? new(256 * 1024) : null;

    /// <summary>What is to be sent.</summary>
    public ReadOnlyMemory<byte> Bytes => (_compressed ?? _plain).WrittenMemory;

    /// <summary>Length before compression.</summary>
    public long PlainLength { get; private set; }

    /// <summary>The index that the URL names; null where the items do.</summary>
    public IndexOfDay? Index { get; private set; }

    public void Encode(RecordGroup group)
    {
        _plain.Clear();
        PlainLength = 0;
        Index = encoder.OneIndex(group);
        if (_compressed is null)
        {
            foreach (ref readonly RecordRun run in group.Runs)
            {
                encoder.Write(_plain, run, 0, group.MessageLimit, Index is null, int.MaxValue);
            }

            PlainLength = _plain.Length;
            return;
        }

        _compressed.Clear();
        using ByteBufferStream target = new(_compressed);
        using GZipStream gzip = new(target, new ZLibCompressionOptions { CompressionLevel = gzipLevel }, leaveOpen: true);
        foreach (ref readonly RecordRun run in group.Runs)
        {
            int next = 0;
            while (next < run.Count)
            {
                next = encoder.Write(_plain, run, next, group.MessageLimit, Index is null, Piece);
                if (_plain.Length >= Piece)
                {
                    Compress(gzip);
                }
            }
        }

        Compress(gzip);
    }

    public void Dispose()
    {
        _plain.Dispose();
        _compressed?.Dispose();
    }

    private void Compress(GZipStream gzip)
    {
        gzip.Write(_plain.Written);
        PlainLength += _plain.Length;
        _plain.Clear();
    }
}
