using Confluent.Kafka;
using Confluent.Kafka.Admin;
using LogAgent.IntegrationTests.Support;

namespace LogAgent.IntegrationTests.Kafka;

/// <summary>One topic takes nothing, with more records for it than the agent's memory holds: the others go on.</summary>
public sealed class DeadTopicTests : Scenario
{
    [ScenarioFact(Needs.Kafka)]
    [Trait("Scenario", "14")]
    public async Task A_topic_without_a_leader_holds_up_its_own_containers_alone()
    {
        KafkaServer kafka = Own(await KafkaServer.StartAsync(brokers: 3));
        await CreateAsync(kafka, ("logs-dead", 2), ("logs-live", 1));
        await kafka.KillBrokerAsync(2);
        DockerTree tree = NewTree();
        FakeContainer dead = tree.Add("dead");
        FakeContainer live = tree.Add("live");
        int port = FreePorts.One();
        AgentProcess agent = StartAgent(TreeConfiguration(tree, $"type: kafka\nbrokers: [{kafka.Bootstrap}]\ntopic: logs-%{{container}}\ntrouble_after: 2s", "limits: { memory: 8MiB }", port), port);
        for (int i = 0; i < 40; i++)
        {
            dead.WriteSequence(2500, "words of an application that has something to say, and more of them than fit into the memory");
        }

        Assert.True(dead.LogBytes > 16 << 20);
        await WaitAsync(() => agent.Log.Contains("for topic 'logs-dead'", StringComparison.Ordinal), "the agent says what is wrong");
        for (int i = 0; i < 10; i++)
        {
            live.WriteSequence(5000, "words of an application");
            await ArrivedAsync(kafka, live);
        }

        Assert.InRange(await agent.MetricAsync("logagent_memory_used_bytes"), 1, 8 << 20);

        await kafka.StartBrokerAsync(2);
        live.WriteSequence(5000, "words of an application");
        Assert.Equal(0, (await ArrivedAsync(kafka, live)).Backwards);
        Assert.Equal(0, (await ArrivedAsync(kafka, dead)).Backwards);
    }

    /// <summary>Topics of one partition, which one broker alone has.</summary>
    private static async Task CreateAsync(KafkaServer kafka, params (string Name, int Broker)[] topics)
    {
        using IAdminClient admin = kafka.NewAdmin();
        await admin.CreateTopicsAsync(topics.Select(topic => new TopicSpecification
        {
            Name = topic.Name,
            NumPartitions = 1,
            ReplicasAssignments = new() { [0] = [topic.Broker] },
            Configs = new() { ["min.insync.replicas"] = "1" },
        }));
    }

    private async Task<Sequences> ArrivedAsync(KafkaServer kafka, FakeContainer container)
    {
        Sequences arrived = new();
        Dictionary<string, long> written = new() { [container.Name] = container.Written };
        await WaitAsync(
            async () => (arrived = await kafka.ReadSequencesAsync($"logs-{container.Name}")).IsComplete(written),
            $"everything of {container.Name} is in its topic",
            () => arrived.Compare(written));
        Assert.Equal("0 missing, 0 doubled", arrived.Compare(written));
        return arrived;
    }
}
