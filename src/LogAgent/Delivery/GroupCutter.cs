using LogAgent.Tailing;

namespace LogAgent.Delivery;

/// <summary>The batches that wait, in order, and how groups are cut from them by an output's limits. Owned by the worker's loop.</summary>
internal sealed class GroupCutter(TimeProvider time)
{
    private readonly Queue<HeldBatch> _queue = new();
    private readonly GroupBuilder _builder = new();
    private Amount _rest;

    public bool IsEmpty => _queue.Count == 0;

    /// <summary>Batches of which something waits.</summary>
    public int Count => _queue.Count;

    public void Add(HeldBatch held)
    {
        _queue.Enqueue(held);
        _rest += held.Rest;
    }

    /// <summary>A group is full, or its oldest record has waited long enough, or nothing more is to be waited for.</summary>
    public bool IsReady(SendLimits limits, long now, bool flush) =>
        !IsEmpty && (flush || _rest.Records >= limits.GroupRecords || _rest.Bytes >= limits.GroupBytes
            || time.GetElapsedTime(_queue.Peek().Since, now) >= limits.GroupAge);

    /// <summary>How long until the oldest record has waited long enough; null where there is none.</summary>
    public TimeSpan? DueIn(SendLimits limits, long now) =>
        IsEmpty ? null : limits.GroupAge - time.GetElapsedTime(_queue.Peek().Since, now);

    /// <summary>The next group: at least one record, at most what the limits allow.</summary>
    public SendJob Cut(SendLimits limits)
    {
        while (_queue.TryPeek(out HeldBatch? head) && CutFrom(head, limits))
        {
            _queue.Dequeue();
        }

        return _builder.Build();
    }

    /// <summary>True where all of the batch is now in the group.</summary>
    private bool CutFrom(HeldBatch head, SendLimits limits)
    {
        Amount rest = head.Rest;
        if (head.TakesAll && _builder.Records + rest.Records <= limits.GroupRecords && _builder.Bytes + rest.Bytes <= limits.GroupBytes)
        {
            _builder.Add(head, head.Position, (int)rest.Records, rest.Bytes);
            _rest -= rest;
            head.Rest = default;
            head.Position = head.Batch.Count;
            return true;
        }

        ReadOnlySpan<LogRecord> records = head.Batch.Records;
        int position = head.Position;
        int start = position;
        int run = 0;
        long bytes = 0;
        Amount cut = default;
        bool full = false;
        for (; position < records.Length && cut.Records < rest.Records; position++)
        {
            ref readonly LogRecord record = ref records[position];
            if (!head.Takes(record))
            {
                Flush();
                start = position + 1;
                continue;
            }

            int collected = _builder.Records + run;
            if (collected >= limits.GroupRecords || (collected > 0 && _builder.Bytes + bytes + record.MessageLength > limits.GroupBytes))
            {
                full = true;
                break;
            }

            run++;
            bytes += record.MessageLength;
            cut += new Amount(1, record.MessageLength);
        }

        Flush();
        head.Position = position;
        head.Rest = rest - cut;
        _rest -= cut;
        return !full;

        void Flush()
        {
            if (run > 0)
            {
                _builder.Add(head, start, run, bytes);
            }

            run = 0;
            bytes = 0;
        }
    }
}
