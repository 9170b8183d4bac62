using System.Globalization;
using System.Text;
using LogAgent.Tailing.Checkpoints;
using LogAgent.Tailing.Parsing;

namespace LogAgent.Tailing;

/// <summary>
/// Lines of one slice to records of its batch: pieces are joined, what is too long is cut, what is not in the format becomes
/// a flagged record. A batch holds either records of the format or corrupt lines: their ids begin differently, because a
/// corrupt line has no time that would tell it from one at the same offset of another generation.
/// </summary>
internal sealed class RecordMaker(TailContext context, BatchBuffer batch)
{
    private const int RoomForWords = 128;

    private TailedTarget _target = null!;
    private TailedFile _file = null!;
    private long _bufferOffset;
    private int _dataEnd;

    /// <summary>The batch holds corrupt lines.</summary>
    public bool IsCorrupt { get; private set; }

    /// <param name="bufferOffset">Offset in the file of the buffer's first byte.</param>
    /// <param name="dataEnd">End in the buffer of what was read from the file.</param>
    public void Start(TailedTarget target, TailedFile file, long bufferOffset, int dataEnd)
    {
        _target = target;
        _file = file;
        _bufferOffset = bufferOffset;
        _dataEnd = dataEnd;
        IsCorrupt = false;
    }

    /// <summary>
    /// Takes a line, or of a corrupt one perhaps only its first part. False where the budget has no room for it or it belongs
    /// into a batch of its own; nothing was changed then.
    /// </summary>
    /// <param name="length">With its ending; afterwards what was taken of it.</param>
    public bool TryTake(int start, ref int length)
    {
        // A line makes at most two records: a pending one that it ends, and its own.
        if (!batch.TryReserveRecords(2))
        {
            return false;
        }

        LogRecord record = default;
        record.Offset = _bufferOffset + start;
        record.Sequence = _file.Base + record.Offset;
        ILineParser parser = _target.Parser;
        LineKind kind = parser.Parse(batch, start, length, ref record);
        if (kind == LineKind.Corrupt)
        {
            return TryTakeCorrupt(start, ref length, record);
        }

        if (IsCorrupt)
        {
            return false;
        }

        switch (kind)
        {
            case LineKind.Record:
                if (record.TimeLength == 0)
                {
                    record.TimeNanos = TimeOfReading(record.Offset);
                }
                else if (!TryPassPending(record, out bool joined) || joined)
                {
                    return joined;
                }

                Add(record);
                return true;
            case LineKind.Piece:
                return TryTakePiece(start, record, parser.PieceIsShort);
            case LineKind.NoRoom:
                return false;
            default:
                return true;
        }
    }

    /// <summary>Takes lines that need no second look, as many as there are one after the other, and returns the position after them.</summary>
    public int TakeRun(int position)
    {
        if (IsCorrupt || _target.HasPending || _file.Splits.Count > 0 || _target.Parser is not DockerJsonParser parser)
        {
            return position;
        }

        int before = batch.Count;
        position = parser.Run.Take(batch, position, _dataEnd, _bufferOffset, _file.Base, context.Options.RecordLimit);
        if (batch.Count > before)
        {
            _target.LastTimeNanos = batch.Taken[^1].TimeNanos;
        }

        return position;
    }

    /// <summary>Puts a pending record together, with the line that ends it or without (a default record). False where the budget has no room; nothing was changed then.</summary>
    public bool TryComplete(PendingRecord pending, in LogRecord last)
    {
        if (!batch.TryReserveRecords(2) || !batch.TryReserveBytes(pending.Length + last.MessageLength + pending.Time.Length + RoomForWords))
        {
            return false;
        }

        if (last.TimeLength > 0)
        {
            AddPiece(pending, last, isShort: false);
        }

        LogRecord record = pending.Record;
        record.TimeStart = batch.Append(pending.Time);
        record.MessageStart = batch.Used;
        int lost = 0;
        foreach (Piece piece in pending.Pieces)
        {
            Span<byte> target = batch.Buffer.AsSpan(batch.Used, piece.Length);
            long at = piece.Offset - _bufferOffset;
            if (piece.File == _file && at >= 0 && at + piece.Length <= _dataEnd)
            {
                batch.Buffer.AsSpan((int)at, piece.Length).CopyTo(target);
                batch.Used += piece.Length;
                continue;
            }

            if (piece.File.Source is { } source && TailedFile.TryRead(source, target, piece.Offset) == piece.Length)
            {
                batch.Used += piece.Length;
                continue;
            }

            record.Flags |= RecordFlags.Truncated;
            lost += piece.Length;
        }

        if (lost > 0)
        {
            context.Notify(new TailNotice(TailNoticeKind.Lost, _target.Target.Id, pending.File!.Path, lost, "truncated"));
            record = lost < pending.Length ? record : GapOf(record, lost);
        }

        record.MessageLength = batch.Used - record.MessageStart;
        if ((record.Flags & (RecordFlags.Binary | RecordFlags.Escaped)) == RecordFlags.Binary)
        {
            // A character may have stood in two pieces.
            record.Flags = (record.Flags & ~RecordFlags.Binary) | BinaryFlag(record);
        }

        if (pending.Cut > 0)
        {
            SayCut(pending.Cut);
        }

        pending.End();
        _target.LastTimeNanos = record.TimeNanos;
        batch.Add(record);
        return true;
    }

    /// <summary>The line does not fit into the largest slice: what fits into a record is taken of its start. False where it belongs into a batch of its own.</summary>
    public bool TryTakeStart(int start, int length)
    {
        if (batch.Count > 0 || !batch.TryReserveRecords(2))
        {
            return false;
        }

        LogRecord record = default;
        record.Offset = _bufferOffset + start;
        record.Sequence = _file.Base + record.Offset;
        if (_target.IsDocker || _target.Parser.Parse(batch, start, length, ref record) != LineKind.Record)
        {
            record.MessageStart = start;
            record.MessageLength = length;
        }

        int kept = JsonText.Cut(batch.Buffer.AsSpan(record.MessageStart, record.MessageLength), context.Options.RecordLimit, escaped: false);
        SayCut(record.MessageLength - kept);
        record.MessageLength = kept;
        record.TimeNanos = TimeOfReading(record.Offset);
        record.TimeLength = 0;
        record.Stream = LogStream.None;
        record.Flags = RecordFlags.Truncated | BinaryFlag(record) | (_target.IsDocker ? RecordFlags.Corrupt : 0);
        IsCorrupt = _target.IsDocker;
        batch.Add(record);
        return true;
    }

    /// <summary>The agent's own words at an offset.</summary>
    public bool TryTakeWords(string words, long offset, RecordFlags flags)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(words);
        if (batch.Count > 0 || !batch.TryReserveRecords(1) || !batch.TryReserveBytes(bytes.Length))
        {
            return false;
        }

        batch.Add(new LogRecord
        {
            MessageStart = batch.Append(bytes),
            MessageLength = bytes.Length,
            Flags = flags,
            Offset = offset,
            Sequence = _file.Base + offset,
            TimeNanos = TimeOfReading(offset),
        });
        IsCorrupt = (flags & RecordFlags.Corrupt) != 0;
        return true;
    }

    /// <summary>In the place of a record of which nothing is left. Its words stand where its text would have stood.</summary>
    private LogRecord GapOf(LogRecord record, int lost)
    {
        batch.Append(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"logagent: {lost} bytes of one record were gone before they could be read (the file was truncated)")));
        record.Flags = RecordFlags.Gap;
        return record;
    }

    private bool TryPassPending(in LogRecord record, out bool joined)
    {
        PendingRecord pending = _target.Pending[(int)record.Stream];
        joined = false;
        _target.LastTimeNanos = record.TimeNanos;
        if (!pending.IsActive)
        {
            return true;
        }

        // The pieces of one line all carry the same time.
        joined = IsSameLine(pending, record);
        return TryComplete(pending, joined ? record : default) || (joined = false);
    }

    private bool IsSameLine(PendingRecord pending, in LogRecord record) =>
        pending.TimeNanos == record.TimeNanos && pending.Group == _target.Parser.PieceGroup;

    private bool TryTakePiece(int start, in LogRecord record, bool isShort)
    {
        PendingRecord pending = _target.Pending[(int)record.Stream];
        if (pending.IsActive && !IsSameLine(pending, record) && !TryComplete(pending, default))
        {
            return false;
        }

        if (!pending.IsActive)
        {
            ContentMark before = ContentMark.OfTail(batch.Buffer.AsSpan(0, start));
            pending.Begin(record, batch.Buffer.AsSpan(record.TimeStart, record.TimeLength), _target.Parser.PieceGroup, _file, before);
        }

        AddPiece(pending, record, isShort);
        return true;
    }

    private void AddPiece(PendingRecord pending, in LogRecord record, bool isShort)
    {
        int room = pending.Cut > 0 ? 0 : context.Options.RecordLimit - pending.Length;
        int kept = JsonText.Cut(batch.Buffer.AsSpan(record.MessageStart, record.MessageLength), room, (record.Flags & RecordFlags.Escaped) != 0);
        pending.Add(_file, _bufferOffset + record.MessageStart, kept, record.MessageLength - kept, record.Flags, isShort, context.Timestamp);
    }

    private bool TryTakeCorrupt(int start, ref int length, LogRecord record)
    {
        if (batch.Count > 0 && !IsCorrupt)
        {
            return false;
        }

        // A frame begins with NUL bytes itself.
        bool frames = _target.Target.Format == TailFormat.DockerLocal;
        ReadOnlySpan<byte> line = batch.Buffer.AsSpan(start, length);
        int nuls = line.IndexOfAnyExcept((byte)0);
        if (nuls < 0 || nuls >= (frames ? 16 : 1))
        {
            // A crash leaves zeros where the file system had no time to write.
            length = nuls < 0 ? length : line[nuls] == '\n' ? nuls + 1 : nuls;
            Say(length, record.Offset);
            return TryTakeWords(NulWords(nuls < 0 ? length : nuls), record.Offset, RecordFlags.Corrupt);
        }

        // Half a line after a crash, and then what was written next: its beginning cannot stand inside a JSON string.
        int next = !frames ? line[1..].LastIndexOf("{\"log\":\""u8) + 1 : DockerLocalFrames.Check(line) == length ? 0 : DockerLocalFrames.FindWhole(line);
        LogRecord whole = default;
        if (next > 0 && (frames || _target.Parser.Parse(batch, start + next, length - next, ref whole) is LineKind.Record or LineKind.Piece))
        {
            length = next;
            line = line[..next];
        }

        int ending = frames ? 0 : line.EndsWith("\r\n"u8) ? 2 : line.EndsWith((byte)'\n') ? 1 : 0;
        IsCorrupt = true;
        record.MessageStart = start;
        record.MessageLength = length - ending;
        record.TimeStart = 0;
        record.TimeLength = 0;
        record.TimeNanos = TimeOfReading(record.Offset);
        record.Stream = LogStream.None;
        record.Flags = RecordFlags.Corrupt | BinaryFlag(record);
        Say(length, record.Offset);
        Add(record);
        return true;
    }

    private void Add(LogRecord record)
    {
        if (record.MessageLength > context.Options.RecordLimit)
        {
            int kept = JsonText.Cut(batch.Buffer.AsSpan(record.MessageStart, record.MessageLength), context.Options.RecordLimit, (record.Flags & RecordFlags.Escaped) != 0);
            SayCut(record.MessageLength - kept);
            record.MessageLength = kept;
            record.Flags |= RecordFlags.Truncated;
        }

        batch.Add(record);
    }

    public static string NulWords(long count) => string.Create(CultureInfo.InvariantCulture, $"logagent: {count} NUL bytes stood here; a crash of the host leaves such");

    /// <summary>The time of a record that has none of its own: with Docker that of the record before it.</summary>
    private long TimeOfReading(long offset) =>
        !_target.IsDocker ? Days.Clamp(_file.Days, offset, context.NowNanos) : _target.LastTimeNanos > 0 ? _target.LastTimeNanos : context.NowNanos;

    private RecordFlags BinaryFlag(in LogRecord record) =>
        JsonText.IsUtf8(batch.Buffer.AsSpan(record.MessageStart, record.MessageLength)) ? 0 : RecordFlags.Binary;

    private void Say(int length, long offset) =>
        context.Notify(new TailNotice(TailNoticeKind.CorruptLine, _target.Target.Id, _file.Path, length, string.Create(CultureInfo.InvariantCulture, $"At offset {offset} stands what is not in the format of the file.")));

    private void SayCut(long bytes) =>
        context.Notify(new TailNotice(TailNoticeKind.RecordTruncated, _target.Target.Id, _file.Path, bytes, "A record was longer than the record limit."));
}
