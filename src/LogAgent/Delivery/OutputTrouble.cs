
namespace LogAgent.Delivery;

/// <summary>
/// Follows the trouble of one output and says it: once when it begins, once a minute while it lasts, once when it is over.
/// Trouble that comes back within the minute is not said anew before that minute is over. Owned by the worker's loop.
/// </summary>
internal sealed class OutputTrouble(string output, OutputLedger ledger, TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan SaidEvery = TimeSpan.FromMinutes(1);
    private DateTimeOffset? _since;
    private long _began;
    private long _downSince;
    private bool _down;
    private bool _said;
    private long _saidAt;
    private bool _everSaid;
    private long _rejected;
    private long? _rejectedSaidAt;
    private string _lastError = "";

    /// <summary>How long nothing at all has got through; zero where something has.</summary>
    public TimeSpan DownFor => _down ? time.GetElapsedTime(_downSince) : TimeSpan.Zero;

    public bool IsDown => _down;

    /// <param name="what">A sentence; where its end is missing it is given one, for others follow it.</param>
    /// <param name="progress">Some records did get through.</param>
    /// <param name="concurrency">For the state.</param>
    public void Failed(string what, bool progress, int concurrency)
    {
        what = what.EndsWith('.') ? what : what + ".";
        long now = time.GetTimestamp();
        if (_since is null)
        {
            _since = time.GetUtcNow();
            _began = now;
        }

        if (progress)
        {
            _down = false;
        }
        else if (!_down)
        {
            _down = true;
            _downSince = now;
        }

        _lastError = what;
        if (!_everSaid || time.GetElapsedTime(_saidAt, now) >= SaidEvery)
        {
            if (_said)
            {
                DeliveryLog.TroubleGoesOn(logger, output, _since.Value, what);
            }
            else
            {
                DeliveryLog.TroubleBegan(logger, output, what);
            }

            _said = true;
            _everSaid = true;
            _saidAt = now;
        }

        Report(concurrency);
    }

    /// <param name="nothingWaits">No record waits to be sent again: only then is the trouble over.</param>
    public void Succeeded(bool nothingWaits, int concurrency)
    {
        if (_since is null)
        {
            return;
        }

        _down = false;
        if (nothingWaits)
        {
            _since = null;
            if (_said)
            {
                _said = false;
                DeliveryLog.TroubleIsOver(logger, output, (long)time.GetElapsedTime(_began).TotalSeconds);
            }
        }

        Report(concurrency);
    }

    /// <summary>Says that records were rejected, at most once a minute, with how many there were since it was last said.</summary>
    public void Rejected(int records, RejectedRecord first)
    {
        _rejected += records;
        long now = time.GetTimestamp();
        if (_rejectedSaidAt is { } said && time.GetElapsedTime(said, now) < SaidEvery)
        {
            return;
        }

        DeliveryLog.Rejected(logger, output, _rejected, first.Reason, first.Detail);
        _rejected = 0;
        _rejectedSaidAt = now;
    }

    public void Report(int concurrency) => ledger.Report(new(!_down, _since, _lastError, concurrency));
}
