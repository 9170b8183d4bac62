using LogAgent.Tailing.Checkpoints;
using LogAgent.Tailing.Parsing;

namespace LogAgent.Tailing;

/// <summary>What came of reading one slice.</summary>
internal enum SliceOutcome
{
    /// <summary>Nothing to read, or no complete line.</summary>
    Nothing,

    /// <summary>Bytes were read and a batch was emitted, or a longer read is needed for the next line.</summary>
    Read,

    /// <summary>The memory budget has no room; nothing was changed.</summary>
    OutOfMemory,

    /// <summary>The bytes before the read offset are no longer what they were.</summary>
    Changed,
}

/// <summary>Reads a slice of one file into one batch and has it handed out. Used by the tail loop's thread only.</summary>
internal sealed class SliceReader
{
    // A line of json-file holds 16 KiB of text, six times as much when all of it is escaped, and its attrs.
    private const int LongestDockerLine = 256 * 1024;

    // So many NUL bytes at the start of a line are a hole in the file, not text.
    private const int Hole = 512;

    private readonly TailContext _context;
    private readonly BatchBuffer _batch;
    private readonly RecordMaker _maker;
    private readonly BatchEmitter _emitter;
    private TailedTarget _target = null!;
    private TailedFile _file = null!;
    private long _bufferOffset; // offset in the file of the buffer's first byte
    private int _dataEnd;       // end in the buffer of what was read from the file
    private bool _refused;      // what is left did not fit into the batch

    public SliceReader(TailContext context, BatchBuffer batch, RecordMaker maker, BatchEmitter emitter)
    {
        _context = context;
        _batch = batch;
        _maker = maker;
        _emitter = emitter;
    }

    /// <summary>Bytes of the last slice.</summary>
    public long BytesRead { get; private set; }

    private int LongestLine => IsFramed ? DockerLocalFrames.Longest : _target.IsDocker ? Math.Max(LongestDockerLine, _context.Options.RecordLimit) : _context.Options.RecordLimit + 2;

    /// <summary>Frames begin with NUL bytes, which are no hole.</summary>
    private bool IsFramed => _target.Target.Format == TailFormat.DockerLocal;

    /// <param name="final">Nothing will be appended any more: what stands at the end without a line ending is a line.</param>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public SliceOutcome Read(TailedTarget target, TailedFile file, bool final)
    {
        Start(target, file);
        if (!_batch.TryStart(Math.Max(SliceFor(file), file.Need), file.LastCount))
        {
            return SliceOutcome.OutOfMemory;
        }

        try
        {
            return ReadInto(final);
        }
        finally
        {
            _batch.DiscardUnlessBuilt();
        }
    }

    /// <summary>A full slice, or what there is to read and a little more, so that the end is seen.</summary>
    private int SliceFor(TailedFile file)
    {
        int slice = _context.Options.Slice;
        return file.IsCompressed ? slice : (int)Math.Min(slice, Math.Max(0, file.Size - file.ReadOffset) + ContentMark.TailLength + 1024);
    }

    private void Start(TailedTarget target, TailedFile file)
    {
        _target = target;
        _file = file;
        BytesRead = 0;
        target.Parser.Begin(file);
    }

    private SliceOutcome ReadInto(bool final)
    {
        byte[] buffer = _batch.Buffer;
        int tail = _file.Tail.Length;
        _bufferOffset = _file.ReadOffset - tail;
        int length = ReadFile(buffer);
        if (length < 0)
        {
            return SliceOutcome.Nothing;
        }

        bool toEnd = length < buffer.Length;
        _file.EndSeen |= toEnd && _file.Source is not GzipSource { IsDamaged: true };
        if (length < tail || (tail > 0 && ContentMark.Of(buffer.AsSpan(0, tail)) != _file.Tail)
            || (_bufferOffset == 0 && !(_file.Fingerprint.IsStartOf(buffer.AsSpan(0, length)) || _file.BeginsLike(_file.Source!))))
        {
            return SliceOutcome.Changed;
        }

        _batch.Used = _dataEnd = length;
        _file.Size = Math.Max(_file.Size, _bufferOffset + length);
        _file.VerifiedSize = _file.Size;
        if (length == tail)
        {
            return SliceOutcome.Nothing;
        }

        _maker.Start(_target, _file, _bufferOffset, _dataEnd);
        int position = tail;
        if (_file.SkipFrom >= 0)
        {
            position = SkipLine(position);
        }
        else if (buffer[tail] == 0 && _target.Target.Encoding != TextEncoding.Utf16 && !IsFramed && TrySkipHole(ref position, toEnd, final) is { } outcome)
        {
            return outcome;
        }

        bool wordsOnly = _batch.Count > 0;
        _refused = false;
        if (!wordsOnly)
        {
            position = ReadLines(position, final && toEnd);
        }

        if (position == tail)
        {
            if (_refused)
            {
                return SliceOutcome.OutOfMemory;
            }

            if (toEnd)
            {
                Stall();
                return SliceOutcome.Nothing;
            }

            if (buffer.Length - tail < LongestLine)
            {
                _file.Need = (int)Math.Min(buffer.Length * 2L, int.MaxValue / 2);
                return SliceOutcome.Read;
            }

            _file.SkipFrom = _bufferOffset + tail;
            _file.SkipTail = _file.Tail;
            if (!_maker.TryTakeStart(tail, _dataEnd - tail))
            {
                return SliceOutcome.OutOfMemory;
            }

            position = _dataEnd;
        }

        if (toEnd && position < length && !_refused && !wordsOnly)
        {
            Stall();
        }
        else
        {
            _file.StalledSize = -1;
        }

        if (toEnd && position < length && _file.IsCompressed)
        {
            _file.EndSeen = false; // there is more of it than this batch took
        }

        _file.Need = 0;
        BytesRead = position - tail;
        byte[] prefix = _maker.IsCorrupt && _target.IsDocker ? RecordId.Prefix(_file.Key) : _file.IdPrefix;
        _emitter.Emit(_target, _file, _bufferOffset + position, ContentMark.OfTail(_batch.Buffer.AsSpan(0, position)), prefix, BytesRead);
        return SliceOutcome.Read;
    }

    /// <summary>Bytes read, or -1 where a compressed file cannot be read any further: its reading has ended.</summary>
    private int ReadFile(byte[] buffer)
    {
        try
        {
            return _file.Source!.Read(buffer, _bufferOffset);
        }
        catch (InvalidDataException e)
        {
            _file.Gap = new Gap(0, "unreadable", $"the compressed file is damaged: {e.Message}");
            _target.End(_file);
            return -1;
        }
    }

    private void Stall()
    {
        long size = _bufferOffset + _dataEnd;
        if (_file.StalledSize != size)
        {
            _file.StalledSize = size;
            _file.StalledSince = _context.Timestamp;
        }
    }

    private int ReadLines(int position, bool final)
    {
        ILineParser parser = _target.Parser;
        int end = _dataEnd;
        while ((position = _maker.TakeRun(position)) < end)
        {
            int limit = _file.Splits.Count == 0 ? end : SplitAfter(position, end);
            int length = parser.FindEnd(_batch.Buffer.AsSpan(position, limit - position), _bufferOffset + position);
            if (length < 0)
            {
                if (limit == end && !final && !IsSplit(end))
                {
                    break;
                }

                length = limit - position;
            }

            if (!_maker.TryTake(position, ref length))
            {
                _refused = true;
                break;
            }

            position += length;
            if (_batch.Used - _dataEnd > _context.Options.Slice)
            {
                // Enough was put together for one batch. What is left is not an unfinished line: it is read at once.
                _refused = position < end;
                break;
            }
        }

        return position;
    }

    /// <summary>Where an earlier reading shipped the start of a line by itself, the line ends for good: its id is taken.</summary>
    private int SplitAfter(int position, int end)
    {
        foreach (long split in _file.Splits)
        {
            if (split > _bufferOffset + position && split < _bufferOffset + end)
            {
                return (int)(split - _bufferOffset);
            }
        }

        return end;
    }

    private bool IsSplit(int end) => _file.Splits.Count > 0 && _file.Splits.Contains(_bufferOffset + end);

    /// <summary>
    /// NUL bytes at the start of a line: the hole that a writer leaves that keeps its offset over a truncation, or what a
    /// crash left. They are passed over; in the middle of a file a record says so. Null where reading goes on at
    /// <paramref name="position"/>.
    /// </summary>
    private SliceOutcome? TrySkipHole(ref int position, bool toEnd, bool final)
    {
        int start = position;
        int run = _batch.Buffer.AsSpan(start, _dataEnd - start).IndexOfAnyExcept((byte)0);
        if (run < 0)
        {
            if (toEnd && !final)
            {
                Stall(); // the writer may fill it yet
                return SliceOutcome.Nothing;
            }

            run = _dataEnd - start;
            if (!toEnd)
            {
                long offset = _bufferOffset + _dataEnd;
                _file.NulsFrom = _file.NulsFrom < 0 ? _bufferOffset + start : _file.NulsFrom;
                _file.ReadOffset = Math.Max(offset, Math.Min(_file.Source!.NextData(offset, _file.Size), _file.Size));
                _file.Tail = default;
                return SliceOutcome.Read;
            }
        }

        long from = _file.NulsFrom < 0 ? _bufferOffset + start : _file.NulsFrom;
        long count = _bufferOffset + start + run - from;
        if (count < Hole && from > 0)
        {
            return null;
        }

        position = start + run;
        _file.NulsFrom = -1;
        _context.Notify(new TailNotice(TailNoticeKind.Warning, _target.Target.Id, _file.Path, count, "A run of NUL bytes was passed over: a hole that a truncation or a crash left."));
        if (from > 0 && !_maker.TryTakeWords(RecordMaker.NulWords(count), from, RecordFlags.Corrupt))
        {
            return SliceOutcome.OutOfMemory;
        }

        return null;
    }

    private int SkipLine(int start)
    {
        int length = _target.Parser.FindEnd(_batch.Buffer.AsSpan(start, _dataEnd - start), _bufferOffset + start);
        int end = length < 0 ? _dataEnd : start + length;
        _context.Notify(new TailNotice(TailNoticeKind.RecordTruncated, _target.Target.Id, _file.Path, end - start, "A line was longer than the record limit; its rest is passed over."));
        if (length >= 0)
        {
            _file.SkipFrom = -1;
        }

        return end;
    }
}
