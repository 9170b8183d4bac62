using LogAgent.Tailing;

namespace LogAgent.Delivery;

/// <summary>Books what became of a group that was sent: in the ledger, and at the batches of its records.</summary>
internal static class Settlement
{
    /// <summary>Every record that is not to be sent again is finished: acknowledged, or rejected where it is listed.</summary>
    /// <param name="cut">What the output itself cut off delivered records.</param>
    /// <param name="again">Indexes ascending; none is in <paramref name="rejected"/>.</param>
    public static void Of(SendJob job, IReadOnlyList<int> again, IReadOnlyList<RejectedRecord> rejected, Amount cut, OutputLedger ledger)
    {
        Amount delivered = job.Counted();
        if (again.Count == 0 && rejected.Count == 0)
        {
            Delivered(job.Group, delivered, cut, ledger);
            job.FinishAll();
            return;
        }

        Span<int> kept = job.Owners.Length <= 256 ? stackalloc int[job.Owners.Length] : new int[job.Owners.Length];
        kept.Clear();
        int last = -1;
        foreach (int index in again)
        {
            if (index <= last)
            {
                throw new InvalidOperationException("The output lists records to send again out of order or twice.");
            }

            last = index;
            (int run, int record) = job.Find(index);
            kept[run]++;
            delivered -= SendJob.Counted(job.Group.Runs[run].Batch.Records[record]);
        }

        foreach (RejectedRecord one in rejected)
        {
            (int run, int record) = job.Find(one.Index);
            Amount amount = SendJob.Counted(job.Group.Runs[run].Batch.Records[record]);
            delivered -= amount;
            ledger.Rejected(one.Reason, amount);
        }

        if (delivered.Records < 0)
        {
            throw new InvalidOperationException("The output lists a record twice.");
        }

        Delivered(job.Group, delivered, cut, ledger);
        for (int i = 0; i < kept.Length; i++)
        {
            job.Owners[i].Finish(job.Group.Runs[i].Count - kept[i]);
        }
    }

    private static void Delivered(RecordGroup group, Amount amount, Amount cut, OutputLedger ledger)
    {
        if (group.MessageLimit != int.MaxValue)
        {
            foreach (RecordRun run in group.Runs)
            {
                foreach (ref readonly LogRecord record in run.Batch.Records.Slice(run.Start, run.Count))
                {
                    long over = SendJob.Counted(record).Bytes - group.MessageLimit;
                    cut += over > 0 ? new(1, over) : default;
                }
            }

        }

        cut = amount.Records == 0 ? default : cut;
        ledger.Acknowledged(amount with { Bytes = amount.Bytes - cut.Bytes });
        if (cut.Records > 0)
        {
            ledger.Cut(cut);
        }
    }
}
