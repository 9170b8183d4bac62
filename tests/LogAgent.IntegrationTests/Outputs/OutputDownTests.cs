using LogAgent.IntegrationTests.Support;

namespace LogAgent.IntegrationTests.Outputs;

/// <summary>The same for each output, with the real agent: it goes down under load and comes back; the agent is stopped while it is down.</summary>
public sealed class OutputDownTests : Scenario
{
    [ScenarioFact]
    [Trait("Scenario", "20")]
    public Task Elasticsearch_down_a_stop_ends_in_time_and_nothing_is_lost() => StopWhileDownAsync("elasticsearch");

    [ScenarioFact(Needs.Kafka)]
    [Trait("Scenario", "20")]
    public Task Kafka_down_a_stop_ends_in_time_and_nothing_is_lost() => StopWhileDownAsync("kafka");

    [ScenarioFact]
    [Trait("Scenario", "20")]
    public Task Syslog_down_a_stop_ends_in_time_and_nothing_is_lost() => StopWhileDownAsync("syslog");

    [ScenarioFact(Needs.Mount)]
    [Trait("Scenario", "20")]
    public Task A_file_on_a_full_disk_a_stop_ends_in_time_and_nothing_is_lost() => StopWhileDownAsync("file");

    /// <summary>First it dies under load and comes back; then the agent is stopped while it is down, and started when it is back.</summary>
    private async Task StopWhileDownAsync(string kind)
    {
        OutputSite site = Own(await OutputSite.StartAsync(kind, Folder["site/."]));
        DockerTree tree = NewTree();
        FakeContainer[] containers = [tree.Add("one"), tree.Add("two")];
        string configuration = TreeConfiguration(tree, site.Yaml, more: "drain: 2s");
        AgentProcess agent = StartAgent(configuration);
        Write(containers);
        await ArrivedAsync(site, tree);
        await site.DownAsync();
        Write(containers);
        await site.UpAsync();
        await ArrivedAsync(site, tree);

        await site.DownAsync();
        Write(containers);
        await WaitAsync(() => agent.HasOpen(tree.All[1].Id), "the agent reads");
        agent.SignalIt(Signal.Term);

        // Its drain ends after 2 s, abandoned sends have 5 s; the rest is for a slow machine.
        await agent.WaitForExitAsync(TimeSpan.FromSeconds(60));
        Assert.Equal(0, agent.ExitCode);
        await site.UpAsync();
        Write(containers);
        StartAgent(configuration);
        Sequences arrived = await ArrivedAsync(site, tree);
        string compared = arrived.Compare(tree.Written);
        Assert.StartsWith(site.MayDouble ? "0 missing" : "0 missing, 0 doubled", compared, StringComparison.Ordinal);
    }

    private static void Write(FakeContainer[] containers)
    {
        foreach (FakeContainer container in containers)
        {
            container.WriteSequence(5000, "words of an application");
        }
    }

    private async Task<Sequences> ArrivedAsync(OutputSite site, DockerTree tree)
    {
        Sequences arrived = await site.ArrivedAsync();
        await WaitAsync(
            async () => (arrived = await site.ArrivedAsync()).IsComplete(tree.Written),
            "everything that was written has arrived",
            () => arrived.Compare(tree.Written));
        return arrived;
    }
}
