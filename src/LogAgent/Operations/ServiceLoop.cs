namespace LogAgent.Operations;

/// <summary>
/// Keeps systemd informed: a status line each 10 s where it has changed, and the watchdog's sign of life at half its time, but
/// only while records move or there is nothing to do: a wedged pipeline is to be killed and started again.
/// </summary>
/// <param name="status">One line: lag, rate, outputs that are down.</param>
/// <param name="progressing">True while records move, or none wait; false where they wait and nothing moves. An output that is down is no wedge.</param>
internal sealed class ServiceLoop(SystemdNotify notify, Func<string> status, Func<bool> progressing, TimeProvider time)
{
    private static readonly TimeSpan StatusInterval = TimeSpan.FromSeconds(10);

    private string _lastStatus = "";
    private long _statusAt;
    private bool _statusSent;

    /// <summary>Runs until cancelled; ends at once where there is no systemd to inform.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        if (!notify.IsPresent)
        {
            return;
        }

        TimeSpan beat = notify.Watchdog / 2 is { } half && half < StatusInterval ? half : StatusInterval;
        using PeriodicTimer timer = new(beat, time);
        try
        {
            do
            {
                Beat();
            }
            while (await timer.WaitForNextTickAsync(stop).ConfigureAwait(false));
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
        }
    }

    /// <summary>One turn of the loop.</summary>
    internal void Beat()
    {
        if (notify.Watchdog is not null && progressing())
        {
            notify.KeepAlive();
        }

        if (!_statusSent || time.GetElapsedTime(_statusAt) >= StatusInterval)
        {
            _statusAt = time.GetTimestamp();
            _statusSent = true;
            string now = status();
            if (now != _lastStatus)
            {
                _lastStatus = now;
                notify.Status(now);
            }
        }
    }
}
