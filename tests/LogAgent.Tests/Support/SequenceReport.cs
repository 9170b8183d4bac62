namespace LogAgent.Tests.Support;

/// <summary>Sequence numbers of one source: which of the expected ones are not stored, and which are stored more than once.</summary>
public sealed record SequenceReport(long[] Missing, long[] Doubled);
