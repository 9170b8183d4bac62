namespace LogAgent.Delivery;

/// <summary>
/// How many sends an output may have under way: one more after a round of successes that the limit held back, half after
/// trouble. Where the output keeps an order (one at a time, or pipelined) it is fixed. Not thread-safe: the worker's loop owns it.
/// </summary>
internal sealed class AdaptiveConcurrency
{
    private int _limit = 2;
    private int _successes;

    /// <summary>Counts the cuts: trouble of a send that began before the last cut does not cut again.</summary>
    public int Epoch { get; private set; }

    public int Limit(SendLimits limits) => limits.Pipelined ? limits.MaxConcurrency : Math.Clamp(_limit, 1, limits.MaxConcurrency);

    /// <param name="heldBack">The send was under way with as many others as were allowed, and long enough for more to be of use.</param>
    public void Succeeded(bool heldBack, SendLimits limits)
    {
        if (!heldBack || _limit >= limits.MaxConcurrency)
        {
            return;
        }

        if (++_successes >= _limit)
        {
            _successes = 0;
            _limit++;
        }
    }

    /// <param name="epoch"><see cref="Epoch"/> at the time when the send began.</param>
    public void Cut(int epoch)
    {
        if (epoch != Epoch)
        {
            return;
        }

        Epoch++;
        _successes = 0;
        _limit = Math.Max(1, _limit / 2);
    }
}
