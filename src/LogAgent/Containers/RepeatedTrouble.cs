namespace LogAgent.Containers;

/// <summary>Decides whether a trouble that may repeat is said again: at once when it is a new one, else once a minute. One thread at a time.</summary>
internal sealed class RepeatedTrouble(TimeProvider time)
{
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);

    private string _last = "";
    private DateTimeOffset _said;

    public bool IsDue(string trouble)
    {
        DateTimeOffset now = time.GetUtcNow();
        if (trouble == _last && now - _said < Interval)
        {
            return false;
        }

        _last = trouble;
        _said = now;
        return true;
    }

    /// <summary>The trouble is over: the next one is said at once.</summary>
    public void Over() => _last = "";
}
