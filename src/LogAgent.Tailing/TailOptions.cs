namespace LogAgent.Tailing;

/// <summary>Bounds and times of the tail loop; the defaults are the agent's.</summary>
public sealed record TailOptions
{
    /// <summary>Longest record in bytes of message; a longer one is cut and flagged (limits.record).</summary>
    public int RecordLimit { get; init; } = 1 << 20;

    /// <summary>Most files held open (limits.open_files); idle ones are closed first, with nothing lost.</summary>
    public int OpenFiles { get; init; } = 1024;

    /// <summary>Bytes read from one file before the next one has its turn.</summary>
    public int Slice { get; init; } = 128 * 1024;

    /// <summary>How often files are looked at when nothing tells of a change.</summary>
    public TimeSpan PollInterval { get; init; } = TimeSpan.FromMilliseconds(250);

    /// <summary>Checkpoints are written at most this often.</summary>
    public TimeSpan CheckpointInterval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>A last line without its line ending is shipped after this time without a change (plain text only).</summary>
    public TimeSpan UnfinishedLineAfter { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>The checkpoint of a removed target is forgotten after this time.</summary>
    public TimeSpan ForgetAfter { get; init; } = TimeSpan.FromDays(1);
}
