namespace LogAgent.Tailing.Parsing;

/// <summary>What a line turned out to be.</summary>
internal enum LineKind
{
    /// <summary>A record of its own, or the last piece of one.</summary>
    Record,

    /// <summary>A piece of a record whose rest follows in a later line of the same stream.</summary>
    Piece,

    /// <summary>Not in the format of its file; nothing of the record is filled.</summary>
    Corrupt,

    /// <summary>No record at all (an empty line of a plain file).</summary>
    Nothing,

    /// <summary>The memory budget has no room for the converted text; nothing was changed.</summary>
    NoRoom,
}
