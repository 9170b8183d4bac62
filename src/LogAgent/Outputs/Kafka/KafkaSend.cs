using LogAgent.Delivery;
using LogAgent.Tailing;

namespace LogAgent.Outputs.Kafka;

/// <summary>
/// One group on its way. Only the pump's thread changes it; the group's bytes are not touched after the task has completed.
/// </summary>
internal sealed class KafkaSend(RecordGroup group)
{
    private readonly TaskCompletionSource<SendResult> _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private List<RejectedRecord>? _rejected;
    private Dictionary<int, int>? _cuts;

    public RecordGroup Group => group;

    public Task<SendResult> Task => _completion.Task;

    /// <summary>Its place in the table of sends, which the delivery reports carry.</summary>
    public int Slot { get; set; }

    /// <summary>The run that is being produced, the next record in it, and the group's index of that run's first record.</summary>
    public int Run { get; set; }

    public int Next { get; set; }

    public int RunBase { get; set; }

    /// <summary>Records neither delivered nor rejected.</summary>
    public int Unfinished { get; set; } = group.Count;

    /// <summary>Records that librdkafka holds.</summary>
    public int Outstanding { get; set; }

    public bool Ended { get; private set; }

    public CancellationTokenRegistration Cancelling { get; set; }

    public void Reject(int index, string reason, string detail)
    {
        (_rejected ??= []).Add(new(index, reason, detail));
        Unfinished--;
    }

    /// <summary>So many bytes of the record's message were cut off, so that it fits. What was noted of it before does not count any more.</summary>
    public void NoteCut(int index, int bytes) => (_cuts ??= [])[index] = bytes;

    /// <summary>Completes it where every record is delivered or rejected.</summary>
    public bool TryFinish()
    {
        if (Ended || Unfinished > 0)
        {
            return false;
        }

        Ended = true;
        Cancelling.Unregister();
        _rejected?.Sort((left, right) => left.Index.CompareTo(right.Index));
        _completion.TrySetResult(_rejected is null && _cuts is null ? SendResult.Delivered : new() { Rejected = _rejected ?? [], Cut = CutOff() });
        return true;
    }

    public void Fail(Exception trouble)
    {
        Ended = true;
        Cancelling.Unregister();
        _completion.TrySetException(trouble);
    }

    public void Cancel()
    {
        Ended = true;
        Cancelling.Unregister();
        _completion.TrySetCanceled();
    }

    /// <summary>The batch of a record, and its index there, by its index in the group.</summary>
    public LogBatch Find(int index, out int inBatch)
    {
        foreach (RecordRun run in group.Runs)
        {
            if (index < run.Count)
            {
                inBatch = run.Start + index;
                return run.Batch;
            }

            index -= run.Count;
        }

        throw new ArgumentOutOfRangeException(nameof(index));
    }

    private Amount CutOff()
    {
        _rejected?.ForEach(record => _cuts?.Remove(record.Index));
        return _cuts is null ? default : new(_cuts.Count, _cuts.Values.Sum(bytes => (long)bytes));
    }
}
