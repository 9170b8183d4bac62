namespace LogAgent.Tests.Packaging;

public sealed class PrometheusTests
{
    [ToolFact("promtool")]
    public async Task The_rules_pass_their_own_tests()
    {
        (int exitCode, string output) = await Tool.RunAsync("promtool", ["test", "rules", Repository.PathOf("packaging", "prometheus", "logagent.rules.test.yml")]);

        Assert.True(exitCode == 0, output);
    }

    [ToolFact("promtool")]
    public async Task The_rules_are_what_Prometheus_takes()
    {
        (int exitCode, string output) = await Tool.RunAsync("promtool", ["check", "rules", Repository.PathOf("packaging", "prometheus", "logagent.rules.yml")]);

        Assert.True(exitCode == 0, output);
    }
}
