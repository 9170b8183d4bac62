namespace LogAgent.Tailing.Checkpoints;

/// <summary>From this offset on, records were read on this UTC day (days since 1970) or later; see <see cref="Days"/>.</summary>
internal readonly record struct DayMark(long Offset, int Day);

/// <summary>What is kept of one file generation.</summary>
internal sealed record FileCheckpoint
{
    public required FileIdentity Identity { get; init; }

    public required ContentMark Fingerprint { get; init; }

    /// <summary>Start of its records' ids; 0 where nothing of it was read yet.</summary>
    public ulong Key { get; init; }

    /// <summary>How often this inode was truncated before this generation.</summary>
    public int Epoch { get; init; }

    /// <summary>Sequence of its first byte; -1 where nothing of it was read yet.</summary>
    public long Base { get; init; } = -1;

    public long Offset { get; init; }

    /// <summary>The bytes before <see cref="Offset"/>.</summary>
    public ContentMark Tail { get; init; }

    /// <summary>Size when it was last looked at.</summary>
    public long Size { get; init; }

    /// <summary>All of it is acknowledged and nothing more will come: kept only to be recognised.</summary>
    public bool Finished { get; init; }

    public IReadOnlyList<DayMark> Days { get; init; } = [];

    /// <summary>Offsets inside a line at which it was shipped in parts.</summary>
    public IReadOnlyList<long> Splits { get; init; } = [];
}

/// <summary>What is kept of one target: its file generations, oldest first.</summary>
internal sealed record TargetCheckpoint(string Id, IReadOnlyList<FileCheckpoint> Files)
{
    /// <summary>When the target was removed and drained, in milliseconds since 1970; 0 while it lives.</summary>
    public long RemovedAt { get; init; }
}
