using LogAgent.Outputs;

namespace LogAgent.Delivery;

/// <summary>Keeps the records that an output rejected for good. Shared by all workers; thread-safe.</summary>
internal sealed class DeadLetters(string directory, DeadLetterOptions options, DocumentEncoder documents, Ledger ledger, TimeProvider time, ILogger logger)
{
    /// <summary>True when every one of the records is on disk; none is where it is false.</summary>
    /// <param name="problem">A sentence about what went wrong, where it is false.</param>
    public bool TryAdd(string output, RecordGroup group, IReadOnlyList<RejectedRecord> rejected, out string problem)
    {
        problem = $"Dead letters cannot be written to {directory}.";
        _ = (options, documents, ledger, time, logger, output, group, rejected);
        return false;
    }
}
