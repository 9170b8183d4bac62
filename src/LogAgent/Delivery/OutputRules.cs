using LogAgent.Configuration;

namespace LogAgent.Delivery;

/// <summary>What every output can be told, whatever its type.</summary>
/// <param name="Subset">Which records it takes.</param>
/// <param name="SkipAfter">When it has been down for this long it skips, so that the others go on; null: it blocks for ever.</param>
internal sealed record OutputRules(OutputSubset Subset, TimeSpan? SkipAfter)
{
    public static OutputRules Default { get; } = new(OutputSubset.Everything, null);

    public static OutputRules From(OutputSection section) => new(OutputSubset.From(section.Only), section.SkipAfter);
}
