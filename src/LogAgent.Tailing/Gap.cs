namespace LogAgent.Tailing;

/// <summary>Bytes of a file that are gone before they were read.</summary>
/// <param name="Bytes">What is known to be gone; there may be more.</param>
/// <param name="Reason">The label of the loss counter: rotated_away, truncated, file_removed, unreadable.</param>
/// <param name="Words">How it came, for the person who reads the gap record.</param>
internal sealed record Gap(long Bytes, string Reason, string Words);
