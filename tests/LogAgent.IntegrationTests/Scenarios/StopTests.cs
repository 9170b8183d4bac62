using LogAgent.IntegrationTests.Support;

namespace LogAgent.IntegrationTests.Scenarios;

[Trait("Scenario", "20")]
public sealed class StopTests : Scenario
{
    [ScenarioFact]
    public async Task A_stop_while_the_output_is_down_ends_in_time_and_loses_nothing()
    {
        DockerTree tree = NewTree();
        tree.Add("stop").WriteSequence(20_000, "words of an application");
        DocumentStore store = Own(DocumentStore.Down());
        string configuration = TreeConfiguration(tree, Elasticsearch(store.Url));
        AgentProcess agent = StartAgent(configuration);
        await WaitAsync(() => agent.HasOpen(tree.All[0].Id), "the agent reads");

        // Its drain ends after 20 s; the rest is for a slow machine.
        agent.SignalIt(Signal.Term);
        await agent.WaitForExitAsync(TimeSpan.FromSeconds(100));
        Assert.Equal(0, agent.ExitCode);

        await store.StartAsync();
        tree.All[0].WriteSequence(100);
        StartAgent(configuration);
        await WaitForAllAsync(store.Stored, () => tree.Written);
        Assert.Equal("0 missing, 0 doubled", store.Stored.Compare(tree.Written));
    }

    [ScenarioFact]
    public async Task A_stop_under_load_and_a_start_send_nothing_twice()
    {
        DockerTree tree = NewTree();
        FakeContainer container = tree.Add("stop");
        DocumentStore store = Own(await DocumentStore.StartNewAsync());
        string configuration = TreeConfiguration(tree, Elasticsearch(store.Url));
        for (int round = 0; round < 3; round++)
        {
            AgentProcess agent = StartAgent(configuration);
            long before = store.Stored.Distinct;
            container.WriteSequence(20_000, "words of an application");
            await WaitAsync(() => store.Stored.Distinct > before, "the first of them");
            Assert.Equal(0, await agent.StopAsync());
        }

        StartAgent(configuration);
        await WaitForAllAsync(store.Stored, () => tree.Written);
        Assert.Equal("0 missing, 0 doubled", store.Stored.Compare(tree.Written));
        Assert.Equal(0, store.Conflicts);
    }
}
