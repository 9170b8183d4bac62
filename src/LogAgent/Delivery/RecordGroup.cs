using LogAgent.Tailing;

namespace LogAgent.Delivery;

/// <summary>A run of neighbouring records of one batch.</summary>
/// <param name="Start">Index of the first record in the batch.</param>
internal readonly record struct RecordRun(LogBatch Batch, int Start, int Count);

/// <summary>
/// What one send carries: runs of records in the order in which they were read. Owned by the output worker; an output may
/// read it until its <see cref="IOutput.SendAsync"/> has completed. A record's index counts through all runs from 0.
/// </summary>
internal sealed class RecordGroup(RecordRun[] runs, int count, long messageBytes)
{
    public ReadOnlySpan<RecordRun> Runs => runs;

    /// <summary>How many records there are in all runs.</summary>
    public int Count => count;

    /// <summary>Bytes of all messages, as they stand in the batches.</summary>
    public long MessageBytes => messageBytes;

    /// <summary>Longest message to send, in bytes: a longer one is cut there and flagged as truncated. Set when the receiver found a single record too large.</summary>
    public int MessageLimit { get; init; } = int.MaxValue;

    /// <summary>The batch that holds the record with this index in the group, and the record's index there.</summary>
    public (LogBatch Batch, int Record) Find(int index)
    {
        foreach (RecordRun run in runs)
        {
            if (index < run.Count)
            {
                return (run.Batch, run.Start + index);
            }

            index -= run.Count;
        }

        throw new ArgumentOutOfRangeException(nameof(index), "The group has no such record.");
    }
}
