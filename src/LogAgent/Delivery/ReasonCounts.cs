using System.Collections.Frozen;

namespace LogAgent.Delivery;

/// <summary>Amounts by reason label. Reasons come from servers: only so many are kept apart, the rest counts as "other". Not thread-safe.</summary>
internal sealed class ReasonCounts
{
    private const int MostReasons = 50;
    private readonly Dictionary<string, Amount> _counts = new(StringComparer.Ordinal);

    public Amount Total { get; private set; }

    public void Add(string reason, Amount amount)
    {
        if (!_counts.ContainsKey(reason) && _counts.Count >= MostReasons)
        {
            reason = "other";
        }

        _counts[reason] = _counts.GetValueOrDefault(reason) + amount;
        Total += amount;
    }

    public IReadOnlyDictionary<string, Amount> Copy() => _counts.ToFrozenDictionary(StringComparer.Ordinal);
}
