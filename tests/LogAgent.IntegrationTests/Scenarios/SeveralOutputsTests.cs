using System.Text.Json;
using LogAgent.IntegrationTests.Support;

namespace LogAgent.IntegrationTests.Scenarios;

public sealed class SeveralOutputsTests : Scenario
{
    [ScenarioFact(Needs.Kafka)]
    [Trait("Scenario", "14")]
    public async Task A_broker_of_three_may_die_and_come_back_under_load()
    {
        KafkaServer kafka = Own(await KafkaServer.StartAsync(brokers: 3));
        DockerTree tree = NewTree();
        FakeContainer[] containers = [tree.Add("a"), tree.Add("b"), tree.Add("c")];
        StartAgent(TreeConfiguration(tree, $"type: kafka\nbrokers: [{string.Join(", ", kafka.Brokers)}]\ntopic: logs"));
        Write(containers);
        await ArrivedAsync(kafka, tree);
        await kafka.KillBrokerAsync(2);
        Write(containers);
        await ArrivedAsync(kafka, tree);
        await kafka.StartBrokerAsync(2);
        Write(containers);
        Sequences arrived = await ArrivedAsync(kafka, tree);
        Assert.Equal("0 missing, 0 doubled", arrived.Compare(tree.Written));
        Assert.Equal(0, arrived.Backwards);
    }

    [ScenarioFact]
    public async Task A_dead_output_beside_a_live_one_gets_everything_when_it_comes_back()
    {
        DockerTree tree = NewTree();
        FakeContainer[] containers = [tree.Add("a"), tree.Add("b")];
        DocumentStore live = Own(await DocumentStore.StartNewAsync());
        DocumentStore dead = Own(DocumentStore.Down());
        string configuration = TreeConfiguration(tree, Elasticsearch(live.Url) + "\nname: live")
            + $"\n  - type: elasticsearch\n    name: dead\n    hosts: [{dead.Url}]\n";
        AgentProcess agent = StartAgent(configuration);
        Write(containers);
        await WaitForAllAsync(live.Stored, () => tree.Written);
        await agent.KillAsync();
        StartAgent(configuration);
        await dead.StartAsync();
        Write(containers);
        await WaitForAllAsync(dead.Stored, () => tree.Written);
        await WaitForAllAsync(live.Stored, () => tree.Written);
        Assert.Equal("0 missing, 0 doubled", dead.Stored.Compare(tree.Written));
        Assert.Equal("0 missing, 0 doubled", live.Stored.Compare(tree.Written));
    }

    private static void Write(FakeContainer[] containers)
    {
        foreach (FakeContainer container in containers)
        {
            container.WriteSequence(2000, "words of an application");
        }
    }

    private async Task<Sequences> ArrivedAsync(KafkaServer kafka, DockerTree tree)
    {
        var arrived = new Sequences();
        await WaitAsync(
            async () =>
            {
                arrived = new Sequences();
                foreach (string line in await kafka.ReadAllAsync("logs"))
                {
                    using JsonDocument document = JsonDocument.Parse(line);
                    arrived.Add(document.RootElement.GetProperty("message").GetString()!);
                }

                return arrived.IsComplete(tree.Written);
            },
            "every record is in the topic",
            () => arrived.Compare(tree.Written));
        return arrived;
    }
}
