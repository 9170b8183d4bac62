using LogAgent.Tailing.Checkpoints;

namespace LogAgent.Tailing.Parsing;

/// <summary>Where the text of one piece stands.</summary>
internal readonly record struct Piece(TailedFile File, long Offset, int Length);

/// <summary>
/// A record of one stream whose last piece has not come yet. It holds no text, only where the pieces stand in their files:
/// they are read again when it is complete, so that waiting costs no memory.
/// </summary>
internal sealed class PendingRecord
{
    private readonly byte[] _time = new byte[40];
    private LogRecord _first;

    public bool IsActive { get; private set; }

    /// <summary>The file in which it begins.</summary>
    public TailedFile? File { get; private set; }

    /// <summary>The bytes before it.</summary>
    public ContentMark TailBefore { get; private set; }

    public List<Piece> Pieces { get; } = [];

    /// <summary>Bytes of all pieces.</summary>
    public int Length { get; private set; }

    /// <summary>Bytes that did not fit into the record limit.</summary>
    public long Cut { get; private set; }

    /// <summary>The last piece is shorter than what dockerd cuts: its process has ended, most likely.</summary>
    public bool IsShort { get; private set; }

    /// <summary>When the last piece came (TimeProvider timestamp).</summary>
    public long Since { get; private set; }

    public long Offset => _first.Offset;

    public long TimeNanos => _first.TimeNanos;

    /// <summary>As <see cref="ILineParser.PieceGroup"/> was at its first piece.</summary>
    public ulong Group { get; private set; }

    /// <summary>Its time as it stands in the file.</summary>
    public ReadOnlySpan<byte> Time => _time.AsSpan(0, _first.TimeLength);

    /// <summary>The record without its message and time positions.</summary>
    public LogRecord Record => _first with { Flags = _first.Flags | (Cut > 0 ? RecordFlags.Truncated : 0) };

    public void Begin(in LogRecord first, ReadOnlySpan<byte> time, ulong group, TailedFile file, ContentMark tailBefore)
    {
        IsActive = true;
        Group = group;
        _first = first;
        time.CopyTo(_time);
        File = file;
        TailBefore = tailBefore;
        Length = 0;
        Cut = 0;
        Pieces.Clear();
    }

    /// <param name="kept">Bytes of the piece that fit into the record limit.</param>
    public void Add(TailedFile file, long offset, int kept, int cut, RecordFlags flags, bool isShort, long now)
    {
        if (kept > 0)
        {
            Pieces.Add(new Piece(file, offset, kept));
        }

        Length += kept;
        Cut += cut;
        _first.Flags |= flags;
        IsShort = isShort;
        Since = now;
    }

    public void End()
    {
        IsActive = false;
        File = null;
        Pieces.Clear();
    }
}
