using System.Text.RegularExpressions;
using LogAgent.Delivery;
using LogAgent.Operations;
using LogAgent.Tailing;
using LogAgent.Tailing.Checkpoints;

namespace LogAgent.Tests.Packaging;

/// <summary>Alert rules and the board ask for what the agent's metrics page has.</summary>
public sealed class MetricNamesTests
{
    private static readonly string Page = MakePage();

    public static TheoryData<string> Files() => ["prometheus/logagent.rules.yml", "prometheus/logagent.rules.test.yml", "grafana/logagent.json"];

    [Theory]
    [MemberData(nameof(Files))]
    public void Every_metric_that_is_asked_for_is_on_the_metrics_page(string file)
    {
        string[] names = [.. Regex.Matches(Text(file), @"\b(?:logagent|process|dotnet)_[a-z_]+\b").Select(match => match.Value).Distinct()];

        Assert.True(names.Length > 5);
        Assert.All(names, name => Assert.Contains($"\n# TYPE {name} ", Page, StringComparison.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void Counters_are_asked_for_their_increase_and_gauges_for_their_value(string file)
    {
        foreach (Match match in Regex.Matches(Text(file), @"(rate|increase)\(([a-z_]+)"))
            Assert.Contains($"\n# TYPE {match.Groups[2].Value} counter\n", Page, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("logagent_output_up", "output")]
    [InlineData("logagent_lost_bytes_total", "reason")]
    [InlineData("logagent_output_records_rejected_total", "output", "reason")]
    [InlineData("logagent_output_records_lost_total", "output", "reason")]
    public void The_labels_that_rules_sum_by_are_on_the_metric(string name, params string[] labels)
    {
        string line = Page.Split('\n').Single(line => line.StartsWith(name + "{", StringComparison.Ordinal));
        Assert.All(labels, label => Assert.Contains(label + "=\"", line, StringComparison.Ordinal));
    }

    private static string Text(string file) => Repository.Read("packaging", file);

    /// <summary>The page of an agent to which everything has happened once.</summary>
    private static string MakePage()
    {
        var ledger = new Ledger();
        ledger.ContainerMissed("gone_before_opened");
        ledger.Count(new TailNotice(TailNoticeKind.Lost, "target", "/a.log", 10, "rotated"));
        OutputLedger output = ledger.Output("es");
        output.Read(new Amount(3, 30), default);
        output.Rejected("document_parsing_exception", new Amount(1, 10));
        output.Lost("skipped", new Amount(1, 10));
        string state = Directory.CreateTempSubdirectory("logagent-names-").FullName;
        try
        {
            var budget = new MemoryBudget(1 << 20);
            using var tail = new TailLoop(new TailOptions(), new CheckpointStore(state), budget, TimeProvider.System, _ => { }, _ => { });
            var agent = new AgentMetrics(ledger, tail, budget, new Progress(ledger, tail, TimeProvider.System), () => 0);
            return "\n" + new MetricsPage(agent.Read, new ProcessMetrics(DateTimeOffset.UnixEpoch).Read).Render();
        }
        finally
        {
            Directory.Delete(state, recursive: true);
        }
    }
}
