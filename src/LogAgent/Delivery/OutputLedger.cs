namespace LogAgent.Delivery;

/// <summary>
/// What became of every record that was offered to one output: at any time
/// read = acknowledged + filtered + rejected + lost + in flight (invariant I4). Gap records are not counted: nobody read them.
/// It is told once a batch and once a group. Thread-safe.
/// </summary>
internal sealed class OutputLedger(string name)
{
    private readonly Lock _gate = new();
    private readonly ReasonCounts _rejected = new();
    private readonly ReasonCounts _lost = new();
    private Amount _read;
    private Amount _acknowledged;
    private Amount _filtered;
    private Amount _inFlight;
    private Amount _cut;
    private long _retried;
    private Func<OutputCondition> _condition = static () => OutputCondition.Well;
    private OutputState _state = new(true, null, "", 0);

    public string Name => name;

    /// <summary>Records that were offered to the output; the filtered ones among them it does not take.</summary>
    public void Read(Amount read, Amount filtered)
    {
        lock (_gate)
        {
            _read += read;
            _filtered += filtered;
            _inFlight += read - filtered;
        }
    }

    public void Acknowledged(Amount amount)
    {
        lock (_gate)
        {
            _acknowledged += amount;
            _inFlight -= amount;
        }
    }

    /// <summary>Refused for good by the receiver; each such record is a dead letter.</summary>
    public void Rejected(string reason, Amount amount)
    {
        lock (_gate)
        {
            _rejected.Add(reason, amount);
            _inFlight -= amount;
        }
    }

    /// <summary>Given up: skipped, cut off, the output removed.</summary>
    public void Lost(string reason, Amount amount)
    {
        lock (_gate)
        {
            _lost.Add(reason, amount);
            _inFlight -= amount;
        }
    }

    /// <summary>Delivered records whose message was cut so that the receiver takes them; their bytes are among those lost.</summary>
    public void Cut(Amount amount)
    {
        lock (_gate)
        {
            _cut += amount;
            _lost.Add("too_large", new(0, amount.Bytes));
            _inFlight -= new Amount(0, amount.Bytes);
        }
    }

    /// <summary>Who knows how the output does by itself; the last one counts.</summary>
    public void Ask(Func<OutputCondition> condition)
    {
        lock (_gate)
        {
            _condition = condition;
        }
    }

    /// <summary>Records that are sent once more.</summary>
    public void Retried(long records)
    {
        lock (_gate)
        {
            _retried += records;
        }
    }

    /// <summary>Says how the output does, for the status line, <c>/readyz</c> and the metrics.</summary>
    public void Report(OutputState state)
    {
        lock (_gate)
        {
            _state = state;
        }
    }

    public OutputSnapshot Snapshot()
    {
        lock (_gate)
        {
            return new(name, _read, _acknowledged, _filtered, _inFlight, _rejected.Copy(), _lost.Copy(), _rejected.Total, _lost.Total, _cut, _retried, State());
        }
    }

    private OutputState State()
    {
        OutputCondition condition = _condition();
        return condition.Trouble.Length == 0
            ? _state
            : _state with { Up = _state.Up && condition.Up, TroubleSince = _state.TroubleSince ?? condition.Since, LastError = condition.Trouble };
    }
}
