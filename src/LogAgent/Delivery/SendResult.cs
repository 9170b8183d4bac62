namespace LogAgent.Delivery;

/// <summary>A record that the receiver refused for good.</summary>
/// <param name="Index">Its index in the group.</param>
/// <param name="Reason">A short label for the counter, as the receiver names it (mapper_parsing_exception, message_too_large ...).</param>
/// <param name="Detail">What the receiver said.</param>
internal readonly record struct RejectedRecord(int Index, string Reason, string Detail);

/// <summary>
/// What became of a group: each record is delivered unless it is listed. Trouble with the whole group is a
/// <see cref="SendException"/> instead.
/// </summary>
internal sealed record SendResult
{
    public static SendResult Delivered { get; } = new();

    /// <summary>The group is too large for one request: the worker sends its halves; a single record is sent again with a <see cref="RecordGroup.MessageLimit"/>.</summary>
    public static SendResult TooLarge { get; } = new() { IsTooLarge = true };

    public bool IsTooLarge { get; private init; }

    /// <summary>Indexes of records to send again, ascending.</summary>
    public IReadOnlyList<int> Retry { get; init; } = [];

    /// <summary>Why they are to be sent again, for the log; may be empty.</summary>
    public string RetryReason { get; init; } = "";

    public IReadOnlyList<RejectedRecord> Rejected { get; init; } = [];

    /// <summary>Delivered records whose message the output cut so that they fit, and the bytes that it cut off.</summary>
    public Amount Cut { get; init; }
}
