namespace LogAgent.IntegrationTests.Support;

/// <summary>A test that needs something of the machine: skipped with the reason where that is missing, failed where it does not end.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class ScenarioFactAttribute : FactAttribute
{
    public ScenarioFactAttribute(Needs needs = Needs.Nothing)
    {
        Skip = Machine.WhyNot(needs);
        if (Skip is null)
        {
            Timeout = (int)TimeSpan.FromMinutes(10).TotalMilliseconds;
        }
    }
}
