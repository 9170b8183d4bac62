using LogAgent.Tailing;

namespace LogAgent.Delivery;

/// <summary>One line of <c>logagent check</c>.</summary>
/// <param name="What">What was tried.</param>
/// <param name="Detail">What came out, and where it failed what to do about it.</param>
internal readonly record struct CheckResult(bool Ok, string What, string Detail);

/// <summary>How an output wants its groups cut and sent.</summary>
internal sealed record SendLimits
{
    /// <summary>Message bytes of a group at which it is sent.</summary>
    public long GroupBytes { get; init; } = 5_000_000;

    public int GroupRecords { get; init; } = 2000;

    /// <summary>A group that is not full is sent when its oldest record has waited this long.</summary>
    public TimeSpan GroupAge { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// Sends under way at once; 1 keeps the order. Where it is more, the worker adapts between 1 and this by additive increase
    /// and multiplicative decrease.
    /// </summary>
    public int MaxConcurrency { get; init; } = 1;

    /// <summary>
    /// With more than one send under way: the part of SendAsync up to its first await is called in the order of the records,
    /// and that is all the order that the output needs (Kafka); concurrency does not adapt.
    /// </summary>
    public bool Pipelined { get; init; }

    /// <summary>Bytes that the output may hold beside the batches; they count in limits.memory.</summary>
    public long OwnMemory { get; init; }

    /// <summary>
    /// Names the way that a target's records go (their topic), where one of them can be stuck while others are not: groups are
    /// made for each way alone, and with <see cref="Pipelined"/> each has its own <see cref="MaxConcurrency"/>. Called once a
    /// target. Null: all go the same way.
    /// </summary>
    public Func<TailTarget, string>? LaneOf { get; init; }
}

/// <summary>
/// A place that records are shipped to. It holds no retry code: the output worker owns retry, delay, halving and
/// concurrency. Calls of SendAsync overlap only as far as <see cref="SendLimits.MaxConcurrency"/> allows.
/// </summary>
internal interface IOutput : IAsyncDisposable
{
    /// <summary>Its name in log lines, metrics and dead letters: the configured name, or the type.</summary>
    string Name { get; }

    SendLimits Limits { get; }

    /// <summary>How it does, where sends wait inside of it instead of failing. Asked from any thread.</summary>
    OutputCondition Condition => OutputCondition.Well;

    /// <summary>
    /// Sends the group and says what became of each record; completes when the receiver has taken it in the sense that the
    /// README gives for this output.
    /// </summary>
    /// <exception cref="SendException">Nothing of the group is known to be delivered; it is to be kept and sent again.</exception>
    /// <exception cref="OperationCanceledException">The agent stops.</exception>
    Task<SendResult> SendAsync(RecordGroup group, CancellationToken cancel);

    /// <summary>Tries the receiver for real, for <c>logagent check</c>: reachable, authorised, the right version. Never throws.</summary>
    Task<IReadOnlyList<CheckResult>> CheckAsync(CancellationToken cancel);
}
