using System.Buffers;
using LogAgent.Tailing.Checkpoints;
using LogAgent.Tailing.Linux;

namespace LogAgent.Tailing;

/// <summary>
/// One generation of a file: what is read between the beginning and the end of one inode's content, whatever its name is by
/// then. Owns its handle. Used on the tail loop's thread only, but for the window (behind the loop's gate) and the offsets,
/// which are read for metrics.
/// </summary>
internal sealed class TailedFile : IDisposable
{
    private const int MostMarks = 16;

    private long _waitsUpTo;
    private (long Offset, ContentMark Tail)[]? _marks; // where the last batches ended, in a ring
    private int _nextMark;

    public TailedFile(string path, FileIdentity identity, long offset, ContentMark tail)
    {
        Path = path;
        Identity = identity;
        ReadOffset = offset;
        Tail = tail;
        Window = new AckWindow(offset, tail);
    }

    /// <summary>Its name when it was last seen.</summary>
    public string Path { get; set; }

    public FileIdentity Identity { get; set; }

    public ContentMark Fingerprint { get; set; }

    /// <summary>Stands for this generation in ids; 0 until it is first read.</summary>
    public ulong Key { get; set; }

    /// <summary>Start of the ids of its records.</summary>
    public byte[] IdPrefix { get; set; } = [];

    /// <summary>A checkpoint of an earlier run knows it: up to the size that it had when it was found again, bytes may have been handed out before.</summary>
    public bool IsRestored { get; set; }

    /// <summary>UTF-16 with the high byte first.</summary>
    public bool IsBigEndian { get; set; }

    /// <summary>What is to be said of it in a gap record before anything else happens to it; null where nothing is.</summary>
    public Gap? Gap { get; set; }

    /// <summary>It was truncated: what is to be said when no copy of it is found.</summary>
    public Gap? GapUnlessCopied { get; set; }

    /// <summary>Start of the run of NUL bytes that is being skipped, or -1.</summary>
    public long NulsFrom { get; set; } = -1;

    public int Epoch { get; init; }

    /// <summary>Sequence of its first byte; -1 until it is first read.</summary>
    public long Base { get; set; } = -1;

    /// <summary>When it was last looked at; decompressed where it is compressed, as far as is known.</summary>
    public long Size { get; set; }

    /// <summary>Size when its content was last found to be as expected.</summary>
    public long VerifiedSize { get; set; }

    public long ReadOffset { get; set; }

    /// <summary>The bytes before <see cref="ReadOffset"/>: they must still be there when reading goes on.</summary>
    public ContentMark Tail { get; set; }

    public AckWindow Window { get; }

    /// <summary>Null while it is closed.</summary>
    public IByteSource? Source { get; set; }

    /// <summary>It is not at the live path any more.</summary>
    public bool Moved { get; set; }

    /// <summary>No name is known for it: only the handle keeps it.</summary>
    public bool Nameless { get; set; }

    /// <summary>Nothing more will be read from it.</summary>
    public bool DoneReading { get; set; }

    /// <summary>Size at which the last read found no complete line; nothing is read again until it changes.</summary>
    public long StalledSize { get; set; } = -1;

    /// <summary>Since when it stands at <see cref="StalledSize"/> (TimeProvider timestamp).</summary>
    public long StalledSince { get; set; }

    /// <summary>A compressed file was read to its end.</summary>
    public bool EndSeen { get; set; }

    /// <summary>Start of the over-long record whose rest is being skipped, or -1.</summary>
    public long SkipFrom { get; set; } = -1;

    public ContentMark SkipTail { get; set; }

    /// <summary>Bytes that the next read must hold to get on, when a line is longer than a slice.</summary>
    public int Need { get; set; }

    /// <summary>How many records the last slice held.</summary>
    public int LastCount { get; set; } = 64;

    /// <summary>Holds the checkpoint of this file back until a record that goes on in the next file is acknowledged.</summary>
    public AckWindow.Slot? Carry { get; set; }

    /// <summary>While a record of an earlier file is not complete, the checkpoint of this one stays here; -1 where there is none such.</summary>
    public long HoldAt { get; set; } = -1;

    public ContentMark HoldTail { get; set; }

    /// <summary>When bytes were last read (TimeProvider timestamp), for closing the idlest.</summary>
    public long LastRead { get; set; }

    public long LastModify { get; set; }

    /// <summary>Since when, at the latest, its oldest unacknowledged byte is there (TimeProvider timestamp); 0 where all is acknowledged.</summary>
    public long WaitsSince { get; private set; }

    public List<DayMark> Days { get; init; } = [];

    public List<long> Splits { get; init; } = [];

    public bool HasUnread => !DoneReading && (IsCompressed ? !EndSeen : ReadOffset < Size && Size != StalledSize);

    /// <summary>All that is known of it is that it was empty: what stands in it by now may be a copy.</summary>
    public bool IsBlank => ReadOffset == 0 && Fingerprint.Length == 0 && !IsCompressed;

    /// <summary>How it is read: an open handle on the plain file stays one when all that is left on disk is compressed.</summary>
    public bool IsCompressed => Source?.IsCompressed ?? Path.EndsWith(".gz", StringComparison.Ordinal);

    /// <summary>Notes how long its bytes have waited for the outputs. Once all that was there at the last mark is acknowledged, what came since is taken to be new.</summary>
    public void MarkWaiting(long now)
    {
        long size = Math.Max(Size, ReadOffset);
        if (Window.Offset >= size)
        {
            WaitsSince = 0;
        }
        else if (WaitsSince == 0 || Window.Offset >= _waitsUpTo)
        {
            WaitsSince = Math.Max(1, now);
            _waitsUpTo = size;
        }
    }

    /// <summary>Asks the handle for the size; what a moved file's writers still append counts.</summary>
    public void RefreshSize()
    {
        if (Source is { IsCompressed: false } source)
        {
            Size = source.Stat().Size;
        }
    }

    /// <summary>A short file's fingerprint grows with it. False where its beginning is not what it was.</summary>
    public bool TryExtendFingerprint()
    {
        if (Fingerprint.Length == ContentMark.FingerprintLength || Source is null || (Size <= Fingerprint.Length && !Source.IsCompressed))
        {
            return true;
        }

        if (!BeginsLike(Source))
        {
            return false;
        }

        Fingerprint = ReadFingerprint(Source);
        return true;
    }

    /// <summary>True where its beginning and the bytes before the read offset are still what they were.</summary>
    public bool HasSameContent(IByteSource source) => BeginsLike(source) && HasSameTail(source);

    /// <summary>True where the bytes before the read offset are still those that were read.</summary>
    public bool HasSameTail(IByteSource source) => IsBefore(source, ReadOffset, Tail);

    private static bool IsBefore(IByteSource source, long offset, ContentMark mark)
    {
        Span<byte> tail = stackalloc byte[ContentMark.TailLength];
        tail = tail[..mark.Length];
        return tail.IsEmpty || (TryRead(source, tail, offset - tail.Length) == tail.Length && ContentMark.Of(tail) == mark);
    }

    /// <summary>A batch ends at the read offset.</summary>
    public void MarkOffset()
    {
        _marks ??= new (long, ContentMark)[MostMarks];
        _marks[_nextMark] = (ReadOffset, Tail);
        _nextMark = (_nextMark + 1) % MostMarks;
    }

    /// <summary>
    /// True where this is what was read as far as it goes, though perhaps not to the read offset: the bytes before the end of one of
    /// the last batches are the same. False also where all of them ended behind it.
    /// </summary>
    /// <param name="size">Of the source, in bytes.</param>
    public bool WasReadFrom(IByteSource source, long size)
    {
        (long Offset, ContentMark Tail) last = default;
        foreach ((long Offset, ContentMark Tail) mark in _marks ?? [])
        {
            last = mark.Offset > last.Offset && mark.Offset <= size && mark.Tail.Length > 0 ? mark : last;
        }

        // The fingerprint of a short file may have grown beyond the copy.
        return last.Offset > 0 && IsBefore(source, last.Offset, last.Tail) && (Fingerprint.Length > size || BeginsLike(source));
    }

    /// <summary>The mark of its first bytes as they are now.</summary>
    public static ContentMark ReadFingerprint(IByteSource source)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(ContentMark.FingerprintLength);
        int length = TryRead(source, buffer.AsSpan(0, ContentMark.FingerprintLength), 0);
        ContentMark mark = ContentMark.Of(buffer.AsSpan(0, length));
        ArrayPool<byte>.Shared.Return(buffer);
        return mark;
    }

    /// <summary>True where the source begins with the bytes of this file's fingerprint.</summary>
    public bool BeginsLike(IByteSource source)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(ContentMark.FingerprintLength);
        int length = TryRead(source, buffer.AsSpan(0, Fingerprint.Length), 0);
        bool same = Fingerprint.IsStartOf(buffer.AsSpan(0, length));
        ArrayPool<byte>.Shared.Return(buffer);
        return same;
    }

    /// <summary>Bytes read; 0 where a compressed file is damaged, or not yet whole.</summary>
    public static int TryRead(IByteSource source, Span<byte> destination, long offset)
    {
        try
        {
            return source.Read(destination, offset);
        }
        catch (InvalidDataException)
        {
            return 0;
        }
    }

    public void Close()
    {
        Source?.Dispose();
        Source = null;
    }

    public void Dispose() => Close();

    /// <summary>Opens by path and finds out what it is. Null where it cannot be, with the errno; errno 0 means that it is no regular file.</summary>
    public static IByteSource? TryOpen(string path, out FileStat stat, out int error)
    {
        stat = default;
        Microsoft.Win32.SafeHandles.SafeFileHandle? handle = Native.TryOpen(path, out error);
        if (handle is null)
        {
            return null;
        }

        stat = Native.Stat(handle);
        if (!stat.IsRegular)
        {
            handle.Dispose();
            return null;
        }

        return path.EndsWith(".gz", StringComparison.Ordinal) ? new GzipSource(handle) : new PlainSource(handle);
    }
}
