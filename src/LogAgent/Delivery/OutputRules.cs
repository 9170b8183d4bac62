using LogAgent.Configuration;

namespace LogAgent.Delivery;

/// <summary>What every output can be told, whatever its type.</summary>
/// <param name="Subset">Which records it takes.</param>
/// <param name="SkipAfter">When it has been down for this long it skips, so that the others go on; null: it blocks for ever.</param>
internal sealed record OutputRules(OutputSubset Subset, TimeSpan? SkipAfter)
{
    private enum WhenDown
    {
        Block,
        Skip,
    }

    public static OutputRules Default { get; } = new(OutputSubset.Everything, null);

    /// <summary>Reads <c>only</c>, <c>when_down: block | skip</c> and <c>skip_after</c> (which alone means skip) of an output's section.</summary>
    public static OutputRules Read(SectionReader output)
    {
        bool given = output.Has("skip_after");
        WhenDown whenDown = output.OneOf("when_down", given ? WhenDown.Skip : WhenDown.Block);
        TimeSpan skipAfter = output.Duration("skip_after", TimeSpan.FromMinutes(30), TimeSpan.FromSeconds(1), TimeSpan.FromDays(365));
        if (given && whenDown == WhenDown.Block)
        {
            output.Error("skip_after", "it has no meaning with when_down: block; leave one of them out");
        }

        return new(OutputSubset.Read(output), whenDown == WhenDown.Skip ? skipAfter : null);
    }
}
