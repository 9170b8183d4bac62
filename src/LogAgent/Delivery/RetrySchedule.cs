namespace LogAgent.Delivery;

/// <summary>
/// How long to wait before sending again: full jitter, a random part of a time that doubles from <paramref name="first"/> to
/// <paramref name="longest"/>, for ever. One worker's own: the random source is not shared.
/// </summary>
internal sealed class RetrySchedule(Random random, TimeSpan first, TimeSpan longest)
{
    public RetrySchedule(Random random)
        : this(random, TimeSpan.FromSeconds(0.5), TimeSpan.FromSeconds(30))
    {
    }

    /// <param name="attempt">1 after the first failure.</param>
    public TimeSpan Delay(int attempt)
    {
        double most = Math.Min(longest.Ticks, first.Ticks * Math.Pow(2, Math.Min(attempt - 1, 40)));
        return TimeSpan.FromTicks((long)(random.NextDouble() * most));
    }
}
