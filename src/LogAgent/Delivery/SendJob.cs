using LogAgent.Tailing;

namespace LogAgent.Delivery;

/// <summary>A group on its way: what is sent, whose records they are, and how often it was tried. Owned by the worker's loop.</summary>
/// <param name="group">The group.</param>
/// <param name="owners">The batch of each run.</param>
internal sealed class SendJob(RecordGroup group, HeldBatch[] owners)
{
    public RecordGroup Group => group;

    public HeldBatch[] Owners => owners;

    /// <summary>The way that all of its records go. Gap records have one of their own.</summary>
    public Lane Lane => owners[0].Lane;

    /// <summary>Position of its first record among all that the worker was given.</summary>
    public long Order { get; set; } = owners[0].Order + group.Runs[0].Start;

    /// <summary>How many sends have failed.</summary>
    public int Attempt { get; set; }

    /// <summary>Timestamp at which it is to be sent again.</summary>
    public long Due { get; set; }

    /// <summary>Records that were refused for now out of a group whose others were taken: they hold nothing else back.</summary>
    public bool Partial { get; init; }

    /// <summary>The receiver asked for less: its delay holds even when another send succeeds.</summary>
    public bool Throttled { get; set; }

    /// <summary>The gap records of a worker that has skipped.</summary>
    public bool IsGap { get; init; }

    /// <summary><see cref="AdaptiveConcurrency.Epoch"/> when the send began.</summary>
    public int Epoch { get; set; }

    /// <summary>Timestamp at which the send began.</summary>
    public long Began { get; set; }

    /// <summary>The send is under way with as many others as were allowed.</summary>
    public bool HeldBack { get; set; }

    /// <summary>The records of the group for the ledger: all but gap records.</summary>
    public Amount Counted()
    {
        Amount all = new(group.Count, group.MessageBytes);
        for (int i = 0; i < owners.Length; i++)
        {
            if (!owners[i].HasGaps)
            {
                continue;
            }

            RecordRun run = group.Runs[i];
            foreach (ref readonly LogRecord record in run.Batch.Records.Slice(run.Start, run.Count))
            {
                all -= new Amount(1, record.MessageLength) - Counted(record);
            }
        }

        return all;
    }

    /// <summary>One record for the ledger: nothing where it is a gap record.</summary>
    public static Amount Counted(in LogRecord record) => (record.Flags & RecordFlags.Gap) != 0 ? default : new(1, record.MessageLength);

    /// <summary>The run that holds the record with this index in the group, and the record's index in its batch.</summary>
    public (int Run, int Record) Find(int index)
    {
        ReadOnlySpan<RecordRun> runs = group.Runs;
        for (int i = 0; i < runs.Length; i++)
        {
            if (index < runs[i].Count)
            {
                return (i, runs[i].Start + index);
            }

            index -= runs[i].Count;
        }

        throw new ArgumentOutOfRangeException(nameof(index), "The group has no such record.");
    }

    /// <summary>Every owner is done with its records of this group.</summary>
    public void FinishAll()
    {
        ReadOnlySpan<RecordRun> runs = group.Runs;
        for (int i = 0; i < runs.Length; i++)
        {
            owners[i].Finish(runs[i].Count);
        }
    }

    /// <summary>A job of these records alone, ascending.</summary>
    public SendJob Pick(IReadOnlyList<int> indexes, bool partial)
    {
        GroupBuilder builder = new();
        int run = 0;
        int passed = 0;
        foreach (int index in indexes)
        {
            while (index - passed >= group.Runs[run].Count)
            {
                passed += group.Runs[run].Count;
                run++;
            }

            builder.Add(owners[run], group.Runs[run].Start + index - passed);
        }

        return builder.Build(group.MessageLimit, Attempt, partial, IsGap);
    }

    /// <summary>Two jobs of half the records each, in order.</summary>
    public (SendJob First, SendJob Second) Halve()
    {
        int half = group.Count / 2;
        return (Pick([.. Enumerable.Range(0, half)], Partial), Pick([.. Enumerable.Range(half, group.Count - half)], Partial));
    }

    /// <summary>The same records with a limit to the length of a message.</summary>
    public SendJob WithMessageLimit(int limit)
    {
        RecordGroup limited = new(group.Runs.ToArray(), group.Count, group.MessageBytes) { MessageLimit = limit };
        return new(limited, owners) { Order = Order, Attempt = Attempt, Partial = Partial, IsGap = IsGap };
    }
}
