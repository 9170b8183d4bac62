namespace LogAgent.Tailing;

/// <summary>What the tailing side has to say; the daemon counts it and logs it.</summary>
public enum TailNoticeKind
{
    /// <summary>A file was opened and is being read.</summary>
    Opened,

    /// <summary>A file was read to its end and closed.</summary>
    Finished,

    /// <summary>A file could not be opened or read; it is tried again. Detail says why.</summary>
    Unreadable,

    /// <summary>A path that is no regular file (a FIFO, a device, a directory) is not read.</summary>
    NotAFile,

    /// <summary>The file became shorter than what was read, or its beginning changed.</summary>
    Truncated,

    /// <summary>Bytes are gone before they were read; Detail is the reason label of the loss counter.</summary>
    Lost,

    /// <summary>A line is not in the format of its file; it is shipped as it stands.</summary>
    CorruptLine,

    /// <summary>A record was cut at the record limit; Bytes is what was cut.</summary>
    RecordTruncated,

    /// <summary>A checkpoint could not be read or written; Detail says why and what follows.</summary>
    CheckpointTrouble,

    /// <summary>Something else that an ops person should know once.</summary>
    Warning,
}

/// <summary>One notice. Raised on the tail loop's thread.</summary>
/// <param name="TargetId">The target, or empty.</param>
/// <param name="Bytes">Bytes concerned, or 0.</param>
/// <param name="Detail">A sentence, or for <see cref="TailNoticeKind.Lost"/> the reason label.</param>
public readonly record struct TailNotice(TailNoticeKind Kind, string TargetId, string Path, long Bytes, string Detail);
