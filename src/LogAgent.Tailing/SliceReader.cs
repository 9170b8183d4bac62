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

/// <summary>Reads a slice of one file into one batch: lines, records, joined pieces. Used by the tail loop's thread only.</summary>
internal sealed class SliceReader(TailContext context)
{
    // A line of json-file holds 16 KiB of text, six times as much when all of it is escaped, and its attrs.
    private const int LongestDockerLine = 256 * 1024;

    private readonly BatchBuffer _batch = new(context.Budget);
    private TailedTarget _target = null!;
    private TailedFile _file = null!;
    private long _bufferOffset; // offset in the file of the buffer's first byte
    private int _dataEnd;       // end in the buffer of what was read from the file

    /// <summary>Bytes of the last slice.</summary>
    public long BytesRead { get; private set; }

    /// <param name="final">Nothing will be appended any more: what stands at the end without a line ending is a line.</param>
    public SliceOutcome Read(TailedTarget target, TailedFile file, bool final)
    {
        _target = target;
        _file = file;
        BytesRead = 0;
        int tail = file.Tail.Length;
        if (!_batch.TryStart(Math.Max(context.Options.Slice, file.Need), file.LastCount))
        {
            return SliceOutcome.OutOfMemory;
        }

        SliceOutcome outcome;
        try
        {
            outcome = ReadInto(tail, final);
        }
        catch
        {
            _batch.Discard();
            throw;
        }

        if (_batch.Buffer.Length > 0)
        {
            _batch.Discard();
        }

        return outcome;
    }

    /// <summary>Emits what is pending as it stands, in a batch of its own. False where the budget has no room.</summary>
    public bool TryFlush(TailedTarget target, TailedFile file, bool onlyShort)
    {
        _target = target;
        _file = file;
        BytesRead = 0;
        if (!_batch.TryStart(4096, 16))
        {
            return false;
        }

        _bufferOffset = long.MaxValue;
        _dataEnd = 0;
        foreach (PendingRecord pending in target.Pending)
        {
            if (pending.IsActive && (!onlyShort || pending.IsShort) && !TryComplete(pending, default))
            {
                break;
            }
        }

        if (_batch.Count == 0)
        {
            _batch.Discard();
            return false;
        }

        Emit(file.ReadOffset, file.Tail);
        return true;
    }

    /// <summary>Emits a gap record: the agent's own words for what is lost of this file. False where the budget has no room.</summary>
    public bool TryEmitGap(TailedTarget target, TailedFile file, string text)
    {
        _target = target;
        _file = file;
        BytesRead = 0;
        byte[] bytes = System.Text.Encoding.UTF8.GetBytes(text);
        if (!_batch.TryStart(bytes.Length, 16))
        {
            return false;
        }

        _batch.Add(new LogRecord
        {
            MessageStart = _batch.Append(bytes),
            MessageLength = bytes.Length,
            Flags = RecordFlags.Gap,
            Offset = file.ReadOffset,
            Sequence = Math.Max(0, file.Base) + file.ReadOffset,
            TimeNanos = context.NowNanos,
        });
        Emit(file.ReadOffset, file.Tail, RecordId.Prefix(Hash64.OfText($"gap {file.Key:x16} {target.Target.Id}")));
        return true;
    }

    private SliceOutcome ReadInto(int tail, bool final)
    {
        byte[] buffer = _batch.Buffer;
        _bufferOffset = _file.ReadOffset - tail;
        int length = _file.Source!.Read(buffer, _bufferOffset);
        if (length < buffer.Length)
        {
            _file.EndSeen = true;
        }

        if (length < tail || (tail > 0 && ContentMark.Of(buffer.AsSpan(0, tail)) != _file.Tail))
        {
            return SliceOutcome.Changed;
        }

        _file.Size = Math.Max(_file.Size, _bufferOffset + length);
        _batch.Used = _dataEnd = length;
        if (length == tail)
        {
            return SliceOutcome.Nothing;
        }

        bool toEnd = length < buffer.Length;
        int position = tail;
        if (_file.SkipFrom >= 0)
        {
            position = SkipLine(position);
        }

        position = ReadLines(position, final && toEnd, out bool refused);
        if (position == tail)
        {
            if (refused)
            {
                return SliceOutcome.OutOfMemory;
            }

            if (toEnd)
            {
                Stall(length);
                return SliceOutcome.Nothing;
            }

            if (buffer.Length - tail < LongestLine)
            {
                _file.Need = (int)Math.Min(buffer.Length * 2L, int.MaxValue / 2);
                return SliceOutcome.Read;
            }

            position = TakeStartOfLongLine(tail);
        }

        if (toEnd && position < length)
        {
            Stall(length);
        }
        else
        {
            _file.StalledSize = -1;
        }

        _file.Need = 0;
        BytesRead = position - tail;
        long offset = _bufferOffset + position;
        Emit(offset, ContentMark.OfTail(_batch.Buffer.AsSpan(0, position)));
        return SliceOutcome.Read;
    }

    private int LongestLine => _target.Target.Format == TailFormat.DockerJson
        ? Math.Max(LongestDockerLine, context.Options.RecordLimit)
        : context.Options.RecordLimit + 2;

    private void Stall(int length)
    {
        long size = _bufferOffset + length;
        if (_file.StalledSize != size)
        {
            _file.StalledSize = size;
            _file.StalledSince = context.Timestamp;
        }
    }

    private int ReadLines(int position, bool final, out bool refused)
    {
        refused = false;
        ILineParser parser = _target.Parser;
        while (position < _dataEnd)
        {
            int length = parser.FindEnd(_batch.Buffer.AsSpan(position, _dataEnd - position), _bufferOffset + position);
            if (length < 0)
            {
                if (!final)
                {
                    break;
                }

                length = _dataEnd - position;
            }

            // A line makes at most three records: two pending ones that it ends, and its own.
            if (!_batch.TryReserveRecords(4) || !TryTakeLine(parser, position, length))
            {
                refused = true;
                break;
            }

            position += length;
            if (_batch.Used - _dataEnd > context.Options.Slice)
            {
                break; // enough was put together for one batch
            }
        }

        return position;
    }

    /// <summary>False where the budget has no room for what the line completes; nothing was changed then.</summary>
    private bool TryTakeLine(ILineParser parser, int start, int length)
    {
        LogRecord record = default;
        record.Offset = _bufferOffset + start;
        record.Sequence = _file.Base + record.Offset;
        LineKind kind = parser.Parse(_batch.Buffer, start, length, ref record);
        switch (kind)
        {
            case LineKind.Record:
                PendingRecord pending = _target.Pending[(int)record.Stream];
                if (pending.IsActive)
                {
                    if (pending.TimeNanos == record.TimeNanos)
                    {
                        return TryComplete(pending, record);
                    }

                    if (!TryComplete(pending, default))
                    {
                        return false;
                    }
                }

                if (record.TimeLength == 0)
                {
                    record.TimeNanos = TimeOfReading(record.Offset);
                }

                if (record.MessageLength > context.Options.RecordLimit)
                {
                    CutRecord(ref record);
                }

                _batch.Add(record);
                return true;
            case LineKind.Piece:
                return TryTakePiece(start, record, (parser as DockerJsonParser)?.PieceIsShort ?? false);
            case LineKind.Corrupt:
                TakeCorruptLine(start, length, record);
                return true;
            default:
                return true;
        }
    }

    private bool TryTakePiece(int start, in LogRecord record, bool isShort)
    {
        PendingRecord pending = _target.Pending[(int)record.Stream];
        if (pending.IsActive && pending.TimeNanos != record.TimeNanos && !TryComplete(pending, default))
        {
            return false;
        }

        if (!pending.IsActive)
        {
            ContentMark before = ContentMark.OfTail(_batch.Buffer.AsSpan(0, start));
            pending.Begin(record, _batch.Buffer.AsSpan(record.TimeStart, record.TimeLength), _file, before);
        }

        AddPiece(pending, record, isShort);
        return true;
    }

    private void AddPiece(PendingRecord pending, in LogRecord record, bool isShort)
    {
        int room = pending.Cut > 0 ? 0 : context.Options.RecordLimit - pending.Length;
        int kept = JsonText.Cut(_batch.Buffer.AsSpan(record.MessageStart, record.MessageLength), room, (record.Flags & RecordFlags.Escaped) != 0);
        pending.Add(_file, _bufferOffset + record.MessageStart, kept, record.MessageLength - kept, record.Flags, isShort, context.Timestamp);
    }

    /// <summary>Puts a pending record together, with the line that ends it or without (a default record). False where the budget has no room; nothing was changed then.</summary>
    private bool TryComplete(PendingRecord pending, in LogRecord last)
    {
        if (!_batch.TryReserveRecords(1) || !_batch.TryReserveBytes(pending.Length + last.MessageLength + pending.Time.Length))
        {
            return false;
        }

        if (last.TimeLength > 0)
        {
            AddPiece(pending, last, isShort: false);
        }

        LogRecord record = pending.Record;
        record.TimeStart = _batch.Append(pending.Time);
        record.MessageStart = _batch.Used;
        foreach (Piece piece in pending.Pieces)
        {
            Span<byte> target = _batch.Buffer.AsSpan(_batch.Used, piece.Length);
            long at = piece.Offset - _bufferOffset;
            if (piece.File == _file && at >= 0 && at + piece.Length <= _dataEnd)
            {
                _batch.Buffer.AsSpan((int)at, piece.Length).CopyTo(target);
                _batch.Used += piece.Length;
                continue;
            }

            int read = piece.File.Source?.Read(target, piece.Offset) ?? 0;
            _batch.Used += read;
            if (read < piece.Length)
            {
                record.Flags |= RecordFlags.Truncated;
                context.Notify(new TailNotice(TailNoticeKind.Lost, _target.Target.Id, piece.File.Path, piece.Length - read, "truncated"));
                break;
            }
        }

        record.MessageLength = _batch.Used - record.MessageStart;
        if (pending.Cut > 0)
        {
            context.Notify(new TailNotice(TailNoticeKind.RecordTruncated, _target.Target.Id, _file.Path, pending.Cut, "A record was longer than the record limit."));
        }

        pending.End();
        _batch.Add(record);
        return true;
    }

    private void TakeCorruptLine(int start, int length, LogRecord record)
    {
        ReadOnlySpan<byte> line = _batch.Buffer.AsSpan(start, length);
        int ending = line.EndsWith("\r\n"u8) ? 2 : line.EndsWith((byte)'\n') ? 1 : 0;
        record.MessageStart = start;
        record.MessageLength = length - ending;
        record.TimeStart = 0;
        record.TimeLength = 0;
        record.TimeNanos = TimeOfReading(record.Offset);
        record.Stream = LogStream.None;
        record.Flags = RecordFlags.Corrupt;
        if (!JsonText.IsUtf8(line))
        {
            record.Flags |= RecordFlags.Binary;
        }

        if (record.MessageLength > context.Options.RecordLimit)
        {
            CutRecord(ref record);
        }

        context.Notify(new TailNotice(TailNoticeKind.CorruptLine, _target.Target.Id, _file.Path, length, $"at offset {record.Offset}"));
        _batch.Add(record);
    }

    private void CutRecord(ref LogRecord record)
    {
        int kept = JsonText.Cut(_batch.Buffer.AsSpan(record.MessageStart, record.MessageLength), context.Options.RecordLimit, (record.Flags & RecordFlags.Escaped) != 0);
        context.Notify(new TailNotice(TailNoticeKind.RecordTruncated, _target.Target.Id, _file.Path, record.MessageLength - kept, "A record was longer than the record limit."));
        record.MessageLength = kept;
        record.Flags |= RecordFlags.Truncated;
    }

    /// <summary>The line does not fit: its start becomes a record, the rest is skipped.</summary>
    private int TakeStartOfLongLine(int start)
    {
        LogRecord record = default;
        record.Offset = _bufferOffset + start;
        record.Sequence = _file.Base + record.Offset;
        _file.SkipFrom = record.Offset;
        _file.SkipTail = _file.Tail;
        record.MessageStart = start;
        record.TimeNanos = TimeOfReading(record.Offset);
        record.MessageLength = JsonText.Cut(_batch.Buffer.AsSpan(start, _dataEnd - start), context.Options.RecordLimit, escaped: false);
        record.Flags = RecordFlags.Truncated | (_target.IsDocker ? RecordFlags.Corrupt : 0);
        if (!JsonText.IsUtf8(_batch.Buffer.AsSpan(start, record.MessageLength)))
        {
            record.Flags |= RecordFlags.Binary;
        }

        long cut = _dataEnd - start - record.MessageLength;
        context.Notify(new TailNotice(TailNoticeKind.RecordTruncated, _target.Target.Id, _file.Path, cut, "A line was longer than the record limit; its rest is skipped."));
        _batch.TryReserveRecords(1);
        _batch.Add(record);
        return _dataEnd;
    }

    /// <summary>The time of a record that has none of its own.</summary>
    private long TimeOfReading(long offset) => context.NowNanos;

    private int SkipLine(int start)
    {
        int length = _target.Parser.FindEnd(_batch.Buffer.AsSpan(start, _dataEnd - start), _bufferOffset + start);
        int end = length < 0 ? _dataEnd : start + length;
        context.Notify(new TailNotice(TailNoticeKind.RecordTruncated, _target.Target.Id, _file.Path, end - start, "A line was longer than the record limit; its rest is skipped."));
        if (length >= 0)
        {
            _file.SkipFrom = -1;
        }

        return end;
    }

    /// <summary>Moves the read offset, opens the slot of the window and hands the batch out.</summary>
    private void Emit(long offset, ContentMark tail, byte[]? idPrefix = null)
    {
        long resumeAt = offset;
        ContentMark resumeTail = tail;
        if (_file.SkipFrom >= 0 && _file.SkipFrom < resumeAt)
        {
            (resumeAt, resumeTail) = (_file.SkipFrom, _file.SkipTail);
        }

        foreach (PendingRecord pending in _target.Pending)
        {
            if (!pending.IsActive)
            {
                continue;
            }

            (long at, ContentMark before) = pending.File == _file ? (pending.Offset, pending.TailBefore) : (_file.HoldAt, _file.HoldTail);
            if (at >= 0 && at < resumeAt)
            {
                (resumeAt, resumeTail) = (at, before);
            }
        }

        long input = BytesRead;
        _file.ReadOffset = offset;
        _file.Tail = tail;
        _file.LastRead = context.Timestamp;
        _file.LastCount = Math.Clamp(_batch.Count + 8, 64, 8192);
        AckWindow.Slot slot;
        lock (context.Gate)
        {
            slot = _file.Window.Add(resumeAt, resumeTail);
            slot.Releases = _target.TakeReleased();
        }

        BatchTag tag = new(_target, _file, slot);
        context.Emit(_batch.Build(_target.Target, idPrefix ?? _file.IdPrefix, input, offset, tag, context.Completed));
    }
}
