using LogAgent.Tailing.Checkpoints;

namespace LogAgent.Tailing;

/// <summary>What all parts of one tail loop share.</summary>
/// <param name="Gate">Held around every use of an ack window: completions come from other threads.</param>
internal sealed record TailContext(
    TailOptions Options, MemoryBudget Budget, TimeProvider Time, Lock Gate, Action<LogBatch> Emit, Action<TailNotice> Notify)
{
    /// <summary>Nanoseconds since 1970 at the beginning of this pass.</summary>
    public long NowNanos { get; set; }

    /// <summary>TimeProvider timestamp at the beginning of this pass.</summary>
    public long Timestamp { get; set; }

    /// <summary>Files that are open.</summary>
    public int OpenFiles { get; set; }

    /// <summary>Files that were opened before their target was given.</summary>
    public required HeldFiles Held { get; init; }

    /// <summary>Called on the completing thread after the window has moved.</summary>
    public required Action<LogBatch, bool> Completed { get; init; }

    public bool HasPassed(long since, TimeSpan span) => Time.GetElapsedTime(since, Timestamp) >= span;
}

/// <summary>What a batch carries for its completion.</summary>
internal sealed record BatchTag(TailedTarget Target, TailedFile File, AckWindow.Slot Slot);
