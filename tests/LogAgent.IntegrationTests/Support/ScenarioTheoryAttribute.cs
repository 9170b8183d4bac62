namespace LogAgent.IntegrationTests.Support;

/// <summary>A <see cref="ScenarioFactAttribute"/> with cases.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class ScenarioTheoryAttribute : TheoryAttribute
{
    public ScenarioTheoryAttribute(Needs needs = Needs.Nothing)
    {
        Skip = Machine.WhyNot(needs);
        if (Skip is null)
        {
            Timeout = (int)TimeSpan.FromMinutes(10).TotalMilliseconds;
        }
    }
}
