using LogAgent.Delivery;
using LogAgent.Tailing;

namespace LogAgent.Operations;

/// <summary>
/// Watches whether records move: for the watchdog, the status line and the metric of stalling. <see cref="Sample"/> is called
/// by one loop; the properties may be read from any thread.
/// </summary>
internal sealed class Progress(Ledger ledger, TailLoop tail, TimeProvider time)
{
    /// <summary>How long nothing may move, while no output has trouble, before the pipeline counts as wedged.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private long _done = -1;
    private long _read;
    private long _passes;
    private long _movedAt = time.GetTimestamp();
    private long _passedAt = time.GetTimestamp();
    private long _sampledAt = time.GetTimestamp();
    private double _rate;
    private volatile bool _inFlight;
    private volatile bool _outputInTrouble;

    /// <summary>How long records have been in flight without one being delivered, rejected or lost; zero where they move, or none is.</summary>
    public TimeSpan StalledFor => _inFlight ? time.GetElapsedTime(Volatile.Read(ref _movedAt)) : TimeSpan.Zero;

    /// <summary>False where nothing moves though no output has trouble: a restart may help. Otherwise the text says what is well.</summary>
    public Health Health
    {
        get
        {
            if (time.GetElapsedTime(Volatile.Read(ref _passedAt)) >= Patience)
            {
                return new(false, $"The files have not been looked at for {time.GetElapsedTime(Volatile.Read(ref _passedAt)).TotalSeconds:F0} s: the agent is wedged, restart it.");
            }

            return StalledFor >= Patience && !_outputInTrouble
                ? new(false, $"Records wait for {StalledFor.TotalSeconds:F0} s and none moves, though no output reports trouble: the agent is wedged, restart it.")
                : new(true, "The agent works.");
        }
    }

    /// <summary>Records read a second between the last two samples.</summary>
    public double Rate => Volatile.Read(ref _rate);

    public void Sample()
    {
        LedgerSnapshot counted = ledger.Snapshot();
        long done = counted.Outputs.Sum(output => output.Acknowledged.Records + output.Filtered.Records + output.RejectedTotal.Records + output.LostTotal.Records);
        bool inFlight = counted.Outputs.Any(output => output.InFlight.Records > 0);
        long now = time.GetTimestamp();
        if (done != _done || !inFlight)
        {
            Volatile.Write(ref _movedAt, now);
        }

        long passes = tail.Passes;
        if (passes != _passes)
        {
            Volatile.Write(ref _passedAt, now);
        }

        double seconds = time.GetElapsedTime(_sampledAt, now).TotalSeconds;
        if (seconds > 0)
        {
            Volatile.Write(ref _rate, (counted.Read.Records - _read) / seconds);
        }

        _sampledAt = now;
        _done = done;
        _passes = passes;
        _read = counted.Read.Records;
        _outputInTrouble = counted.Outputs.Any(output => output.State.TroubleSince is not null);
        _inFlight = inFlight;
    }
}
