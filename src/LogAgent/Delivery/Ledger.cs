using LogAgent.Tailing;

namespace LogAgent.Delivery;

/// <summary>The agent's counters: what was read, and for each output what became of it. Thread-safe; told once a batch.</summary>
internal sealed class Ledger
{
    private readonly Lock _gate = new();
    private readonly List<OutputLedger> _outputs = [];
    private readonly ReasonCounts _lost = new();
    private Amount _read;
    private readonly ReasonCounts _missedContainers = new();
    private long _corruptLines;
    private long _truncatedRecords;
    private long _deadLettersDropped;

    /// <summary>The part of an output: the same object for the same name, so that its counters go on over a reload.</summary>
    public OutputLedger Output(string name)
    {
        lock (_gate)
        {
            OutputLedger? found = _outputs.Find(output => output.Name == name);
            if (found is null)
            {
                found = new OutputLedger(name);
                _outputs.Add(found);
            }

            return found;
        }
    }

    /// <param name="read">Records, and the bytes of the file that they came from.</param>
    public void Read(Amount read)
    {
        lock (_gate)
        {
            _read += read;
        }
    }

    /// <summary>Counts what the tailing side says is lost, cut or corrupt; other notices are not for the ledger.</summary>
    public void Count(in TailNotice notice)
    {
        lock (_gate)
        {
            switch (notice.Kind)
            {
                case TailNoticeKind.CorruptLine:
                    _corruptLines++;
                    break;
                case TailNoticeKind.RecordTruncated:
                    _truncatedRecords++;
                    _lost.Add("truncated", new(0, notice.Bytes));
                    break;
                case TailNoticeKind.Lost:
                    _lost.Add(notice.Detail, new(0, notice.Bytes));
                    break;
                default:
                    break;
            }
        }
    }

    /// <summary>A container has written, and nothing of it could be read: how much, nobody knows.</summary>
    public void ContainerMissed(string reason)
    {
        lock (_gate)
        {
            _missedContainers.Add(reason, new(1, 0));
        }
    }

    public void DeadLettersDropped(long letters)
    {
        lock (_gate)
        {
            _deadLettersDropped += letters;
        }
    }

    public LedgerSnapshot Snapshot()
    {
        lock (_gate)
        {
            return new(_read, _corruptLines, _truncatedRecords, _lost.Copy(), _missedContainers.Copy(), _deadLettersDropped, [.. _outputs.Select(output => output.Snapshot())]);
        }
    }
}
