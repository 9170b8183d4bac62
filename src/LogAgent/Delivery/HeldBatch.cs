using LogAgent.Tailing;

namespace LogAgent.Delivery;

/// <summary>
/// A batch as one worker holds it: what of it is still to be cut into groups, and how many records the output has not
/// finished with. When that reaches 0 the batch is acknowledged, once. Owned by one loop at a time.
/// </summary>
/// <param name="batch">The batch.</param>
/// <param name="lane">The way that its records go; told when the output is done with the batch.</param>
/// <param name="taken">What the output takes of it.</param>
/// <param name="streams">Bits of 1 &lt;&lt; <see cref="LogStream"/> that the output takes.</param>
/// <param name="hasGaps">Whether gap records are among the records.</param>
/// <param name="since">Timestamp of its arrival.</param>
internal sealed class HeldBatch(LogBatch batch, Lane lane, Amount taken, StreamSet streams, bool hasGaps, long since)
{
    private int _unfinished = (int)taken.Records;

    public LogBatch Batch => batch;

    public Lane Lane => lane;

    public bool HasGaps => hasGaps;

    public long Since => since;

    /// <summary>Position of its first record among all records that the worker was given: what keeps jobs in order.</summary>
    public long Order { get; init; }

    /// <summary>Index of the first record that no group holds yet.</summary>
    public int Position { get; set; }

    /// <summary>Records, and their bytes, that no group holds yet.</summary>
    public Amount Rest { get; set; } = taken;

    /// <summary>True where every record is taken, so that none need be looked at.</summary>
    public bool TakesAll => streams == StreamSet.All;

    public bool Takes(in LogRecord record) => streams.Has(record);

    /// <summary>The output is done with so many records.</summary>
    public void Finish(int records)
    {
        _unfinished -= records;
        if (_unfinished == 0 && records > 0)
        {
            lane.Leave(batch.Charge);
            batch.Acknowledge();
        }
    }

    /// <summary>The agent stops: whatever is unfinished stays so.</summary>
    public void Abandon()
    {
        if (_unfinished > 0)
        {
            _unfinished = 0;
            lane.Leave(batch.Charge);
            batch.Abandon();
        }
    }
}
