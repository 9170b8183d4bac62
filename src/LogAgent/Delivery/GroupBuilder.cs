
namespace LogAgent.Delivery;

/// <summary>Collects neighbouring records into the runs of a group. May be used again after <see cref="Build"/>.</summary>
internal sealed class GroupBuilder
{
    private readonly List<RecordRun> _runs = [];
    private readonly List<HeldBatch> _owners = [];

    public int Records { get; private set; }

    public long Bytes { get; private set; }

    public void Add(HeldBatch owner, int index) => Add(owner, index, 1, owner.Batch.Records[index].MessageLength);

    public void Add(HeldBatch owner, int start, int count, long bytes)
    {
        Records += count;
        Bytes += bytes;
        if (_owners.Count > 0 && ReferenceEquals(_owners[^1], owner))
        {
            RecordRun last = _runs[^1];
            if (last.Start + last.Count == start)
            {
                _runs[^1] = last with { Count = last.Count + count };
                return;
            }
        }

        _runs.Add(new(owner.Batch, start, count));
        _owners.Add(owner);
    }

    public SendJob Build(int messageLimit = int.MaxValue, int attempt = 0, bool partial = false, bool isGap = false)
    {
        SendJob job = new(new([.. _runs], Records, Bytes) { MessageLimit = messageLimit }, [.. _owners])
        {
            Attempt = attempt,
            Partial = partial,
            IsGap = isGap,
        };
        _runs.Clear();
        _owners.Clear();
        Records = 0;
        Bytes = 0;
        return job;
    }
}
