using LogAgent.IntegrationTests.Support;

namespace LogAgent.IntegrationTests.Scenarios;

public sealed class RealElasticsearchTests : Scenario
{
    private const string Pattern = "logagent-*";

    [ScenarioFact(Needs.Elasticsearch)]
    [Trait("Scenario", "1")]
    [Trait("Scenario", "12")]
    public async Task A_node_that_hangs_refuses_writes_and_an_agent_that_is_killed_lose_and_double_nothing()
    {
        ElasticsearchServer server = Own(await ElasticsearchServer.StartAsync());
        DockerTree tree = NewTree();
        FakeContainer[] containers = [tree.Add("a"), tree.Add("b")];
        string configuration = TreeConfiguration(tree, Elasticsearch(server.Urls) + "\ntimeout: 5s");

        AgentProcess agent = StartAgent(configuration);
        Write(containers);
        await ArrivedAsync(server, 1);
        await agent.KillAsync();

        server.SignalNode(1, Signal.Stop);
        agent = StartAgent(configuration);
        Write(containers);
        await WaitAsync(() => agent.HasOpen(containers[0].Id), "the agent reads while the node hangs");
        await Until.LoadAsync(6000);
        server.SignalNode(1, Signal.Cont);
        await ArrivedAsync(server, Total(tree));

        await server.RequestAsync(HttpMethod.Put, $"/{Pattern}/_settings", """{"index.blocks.read_only_allow_delete":true}""");
        Write(containers);
        await Until.LoadAsync(2000);
        await agent.KillAsync();
        StartAgent(configuration);
        await server.RequestAsync(HttpMethod.Put, $"/{Pattern}/_settings", """{"index.blocks.read_only_allow_delete":null}""");
        await ArrivedAsync(server, Total(tree));
        Assert.Equal("0 missing, 0 doubled", (await server.SequencesAsync(Pattern)).Compare(tree.Written));
    }

    [ScenarioFact(Needs.Elasticsearch)]
    [Trait("Scenario", "13")]
    public async Task One_node_of_three_may_die_and_come_back_under_load()
    {
        ElasticsearchServer server = Own(await ElasticsearchServer.StartAsync(nodes: 3));
        DockerTree tree = NewTree();
        FakeContainer[] containers = [tree.Add("a"), tree.Add("b")];
        StartAgent(TreeConfiguration(tree, Elasticsearch(server.Urls) + "\ntimeout: 10s"));
        Write(containers);
        await ArrivedAsync(server, 1);
        await server.KillNodeAsync(2);
        Write(containers);
        await ArrivedAsync(server, Total(tree));
        await server.StartNodeAsync(2);
        Write(containers);
        await ArrivedAsync(server, Total(tree));
        Assert.Equal("0 missing, 0 doubled", (await server.SequencesAsync(Pattern)).Compare(tree.Written));
    }

    private static void Write(FakeContainer[] containers)
    {
        foreach (FakeContainer container in containers)
        {
            container.WriteSequence(5000, "words of an application");
        }
    }

    private static long Total(DockerTree tree) => tree.Written.Values.Sum();

    private Task ArrivedAsync(ElasticsearchServer server, long count)
    {
        long seen = 0;
        return WaitAsync(async () => (seen = await server.CountAsync(Pattern)) >= count, $"{count} documents", () => $"{seen} are there");
    }
}
