using LogAgent.Tailing;

namespace LogAgent.Delivery;

/// <summary>The batches that wait, in order, and how groups are cut from them by an output's limits. Owned by the worker's loop.</summary>
internal sealed class GroupCutter(TimeProvider time)
{
    /// <summary>How long what follows a full group waits for more: the end of a burst arrives at once, and costs a request more at most for each full group.</summary>
    private static readonly TimeSpan AgeAfterFull = TimeSpan.FromMilliseconds(50);

    private readonly Queue<HeldBatch> _queue = new();
    private readonly GroupBuilder _builder = new();
    private Amount _rest;
    private bool _followsFull;

    public bool IsEmpty => _queue.Count == 0;

    /// <summary>Batches of which something waits.</summary>
    public int Count => _queue.Count;

    /// <summary>Bytes of messages that wait.</summary>
    public long Bytes => _rest.Bytes;

    public void Add(HeldBatch held)
    {
        _queue.Enqueue(held);
        _rest += held.Rest;
    }

    /// <summary>A group is full, or its oldest record has waited long enough, or nothing more is to be waited for.</summary>
    public bool IsReady(SendLimits limits, long now, bool flush) =>
        !IsEmpty && (flush || IsFull(limits) || time.GetElapsedTime(_queue.Peek().Since, now) >= Age(limits));

    /// <summary>How long until the oldest record has waited long enough; null where there is none.</summary>
    public TimeSpan? DueIn(SendLimits limits, long now) =>
        IsEmpty ? null : Age(limits) - time.GetElapsedTime(_queue.Peek().Since, now);

    /// <summary>The next group: at least one record, at most what the limits allow.</summary>
    public SendJob Cut(SendLimits limits)
    {
        _followsFull = IsFull(limits);
        while (_queue.TryPeek(out HeldBatch? head) && CutFrom(head, limits))
        {
            _queue.Dequeue();
        }

        return _builder.Build();
    }

    private bool IsFull(SendLimits limits) => _rest.Records >= limits.GroupRecords || _rest.Bytes >= limits.GroupBytes;

    private TimeSpan Age(SendLimits limits) => _followsFull && limits.GroupAge > AgeAfterFull ? AgeAfterFull : limits.GroupAge;

    /// <summary>True where all of the batch is now in the group.</summary>
    private bool CutFrom(HeldBatch head, SendLimits limits)
    {
        Amount rest = head.Rest;
        if (head.TakesAll && _builder.Records + rest.Records <= limits.GroupRecords && _builder.Bytes + rest.Bytes <= limits.GroupBytes)
        {
            Take(head, head.Position, (int)rest.Records, rest.Bytes);
            return true;
        }

        return head.TakesAll ? CutRun(head, limits) : CutTaken(head, limits);
    }

    /// <summary>As many of the next records as fit.</summary>
    private bool CutRun(HeldBatch head, SendLimits limits)
    {
        ReadOnlySpan<LogRecord> records = head.Batch.Records[head.Position..];
        int most = (int)Math.Min(records.Length, limits.GroupRecords - _builder.Records);
        long room = limits.GroupBytes - _builder.Bytes;
        long bytes = 0;
        int count = 0;
        while (count < most && bytes + records[count].MessageLength <= room)
        {
            bytes += records[count].MessageLength;
            count++;
        }

        // A record that is larger than a whole group goes alone.
        if (count == 0 && _builder.Records == 0)
        {
            bytes = records[0].MessageLength;
            count = 1;
        }

        if (count > 0)
        {
            Take(head, head.Position, count, bytes);
            head.Position += count;
        }

        return head.Rest.Records == 0;
    }

    /// <summary>As many of the next records as fit, of the streams that the output takes.</summary>
    private bool CutTaken(HeldBatch head, SendLimits limits)
    {
        ReadOnlySpan<LogRecord> records = head.Batch.Records;
        while (head.Rest.Records > 0)
        {
            int position = head.Position;
            ref readonly LogRecord record = ref records[position];
            if (head.Takes(record))
            {
                if (_builder.Records > 0 && (_builder.Records >= limits.GroupRecords || _builder.Bytes + record.MessageLength > limits.GroupBytes))
                {
                    return false;
                }

                Take(head, position, 1, record.MessageLength);
            }

            head.Position++;
        }

        return true;
    }

    private void Take(HeldBatch head, int start, int count, long bytes)
    {
        _builder.Add(head, start, count, bytes);
        head.Rest -= new Amount(count, bytes);
        _rest -= new Amount(count, bytes);
    }
}
