namespace LogAgent.Tailing.Parsing;

/// <summary>
/// Docker's local driver: a record a frame (<see cref="DockerLocalFrames"/>), whose payload is
/// <code>
/// 1 string source      "stdout" or "stderr"
/// 2 varint time_nano   since 1970
/// 3 bytes  line        without \n; left out where it is empty
/// 4 bool   partial     a piece of a longer line, the last piece too
/// 5        {1 bool last, 2 string id, 3 int32 ordinal}
/// </code>
/// What a process wrote last without a newline is a piece that no last one follows. The record's time is written as text behind
/// what was read.
/// </summary>
internal sealed class DockerLocalParser : ILineParser
{
    private readonly NanoText _time = new();
    private TailedFile? _file;

    public bool PieceIsShort { get; private set; }

    public ulong PieceGroup { get; private set; }

    public void Begin(TailedFile file) => _file = file;

    public int FindEnd(ReadOnlySpan<byte> data, long offset) =>
        DockerLocalFrames.FindEnd(data, offset, isEnd: _file is { IsCompressed: false } file && offset + data.Length >= file.Size);

    public int LastEnd(ReadOnlySpan<byte> data) => DockerLocalFrames.LastEnd(data);

    public LineKind Parse(BatchBuffer batch, int start, int length, ref LogRecord record)
    {
        if (!batch.TryReserveBytes(NanoText.Length))
        {
            return LineKind.NoRoom;
        }

        ReadOnlySpan<byte> frame = batch.Buffer.AsSpan(start, length);
        if (DockerLocalFrames.Check(frame) != length || !TryRead(frame[4..^4], ref record, out bool isPiece))
        {
            return LineKind.Corrupt;
        }

        record.MessageStart += start + 4;
        ReadOnlySpan<byte> text = batch.Buffer.AsSpan(record.MessageStart, record.MessageLength);
        if (isPiece)
        {
            PieceIsShort = text.Length < DockerJsonParser.PieceLength;
        }
        else if (text.EndsWith((byte)'\r'))
        {
            record.MessageLength--; // a terminal ends its lines with \r\n
        }

        record.Flags = JsonText.IsUtf8(text) ? RecordFlags.None : RecordFlags.Binary;
        record.TimeStart = batch.Used;
        record.TimeLength = NanoText.Length;
        _time.Write(batch.Buffer.AsSpan(batch.Used), record.TimeNanos);
        batch.Used += NanoText.Length;
        return isPiece ? LineKind.Piece : LineKind.Record;
    }

    /// <summary>False where it is no such payload. The message's start is left as a position in it.</summary>
    private bool TryRead(ReadOnlySpan<byte> payload, ref LogRecord record, out bool isPiece)
    {
        PieceGroup = 0;
        bool partial = false;
        bool last = false;
        ProtoFields fields = new(payload);
        while (fields.TryNext())
        {
            switch (fields.Key)
            {
                case (1 << 3) | ProtoFields.Bytes:
                    ReadOnlySpan<byte> source = payload.Slice(fields.Start, fields.Length);
                    record.Stream = source.SequenceEqual("stdout"u8) ? LogStream.Stdout : source.SequenceEqual("stderr"u8) ? LogStream.Stderr : LogStream.None;
                    break;
                case (2 << 3) | ProtoFields.Varint:
                    record.TimeNanos = (long)fields.Value;
                    break;
                case (3 << 3) | ProtoFields.Bytes:
                    (record.MessageStart, record.MessageLength) = (fields.Start, fields.Length);
                    break;
                case (4 << 3) | ProtoFields.Varint:
                    partial = fields.Value != 0;
                    break;
                case (5 << 3) | ProtoFields.Bytes:
                    if (!TryReadPiece(payload.Slice(fields.Start, fields.Length), out last))
                    {
                        isPiece = false;
                        return false;
                    }

                    break;
            }
        }

        isPiece = partial && !last;
        return fields.IsValid && record.Stream != LogStream.None;
    }

    private bool TryReadPiece(ReadOnlySpan<byte> piece, out bool last)
    {
        last = false;
        ProtoFields fields = new(piece);
        while (fields.TryNext())
        {
            if (fields.Key == ((1 << 3) | ProtoFields.Varint))
            {
                last = fields.Value != 0;
            }
            else if (fields.Key == ((2 << 3) | ProtoFields.Bytes))
            {
                PieceGroup = Hash64.OfBytes(piece.Slice(fields.Start, fields.Length));
            }
        }

        return fields.IsValid;
    }
}
