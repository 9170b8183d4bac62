namespace LogAgent.Delivery;

/// <summary>How an output does.</summary>
/// <param name="Up">False while nothing at all gets through.</param>
/// <param name="TroubleSince">Since when there is trouble; null where there is none. An output can be up and have trouble (some records are refused for now).</param>
/// <param name="LastError">What it last said went wrong, as a sentence; empty where nothing did. It stays after the trouble is over.</param>
/// <param name="Concurrency">How many sends it may have under way at this time.</param>
internal sealed record OutputState(bool Up, DateTimeOffset? TroubleSince, string LastError, int Concurrency);

/// <summary>One output's counters at one moment: Read = Acknowledged + Filtered + RejectedTotal + LostTotal + InFlight.</summary>
/// <param name="Rejected">By reason.</param>
/// <param name="Lost">By reason. A reason may have bytes and no records: what was cut off a record that was delivered.</param>
/// <param name="Cut">Delivered records whose message was cut so that the receiver takes them, and the bytes cut off, which are among those lost.</param>
/// <param name="RetriedRecords">Records that were sent once more, each time counted.</param>
internal sealed record OutputSnapshot(
    string Name,
    Amount Read,
    Amount Acknowledged,
    Amount Filtered,
    Amount InFlight,
    IReadOnlyDictionary<string, Amount> Rejected,
    IReadOnlyDictionary<string, Amount> Lost,
    Amount RejectedTotal,
    Amount LostTotal,
    Amount Cut,
    long RetriedRecords,
    OutputState State);

/// <summary>The ledger at one moment.</summary>
/// <param name="Read">Records read from all files, and the bytes of the files that they came from (not of their messages alone).</param>
/// <param name="CorruptLines">Lines that were not in the format of their file; shipped as they stand.</param>
/// <param name="TruncatedRecords">Records cut at the record limit; what was cut is in <paramref name="LostBytes"/> under "truncated".</param>
/// <param name="LostBytes">Bytes of files that were gone before they could be read, by reason.</param>
/// <param name="MissedContainers">Containers that have written and of which nothing could be read, by reason: their number stands as records.</param>
/// <param name="DeadLettersDropped">Dead letters removed because their directory was full.</param>
internal sealed record LedgerSnapshot(
    Amount Read,
    long CorruptLines,
    long TruncatedRecords,
    IReadOnlyDictionary<string, Amount> LostBytes,
    IReadOnlyDictionary<string, Amount> MissedContainers,
    long DeadLettersDropped,
    IReadOnlyList<OutputSnapshot> Outputs);
