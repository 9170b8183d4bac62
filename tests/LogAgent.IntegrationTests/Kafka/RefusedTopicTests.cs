using Confluent.Kafka;
using Confluent.Kafka.Admin;
using LogAgent.Delivery;
using LogAgent.IntegrationTests.Support;
using LogAgent.Outputs.Kafka;

namespace LogAgent.IntegrationTests.Kafka;

/// <summary>A broker that makes no topics by itself, and lets nobody write without the right to.</summary>
public class RefusedTopicTests
{
    [ScenarioFact(Needs.Kafka)]
    public async Task A_topic_that_is_missing_or_forbidden_keeps_its_records_until_it_is_there_and_others_go_on()
    {
        await using KafkaServer kafka = await KafkaServer.StartAsync(1, "--secure");
        await kafka.RestartAsync(
            "auto.create.topics.enable=false",
            "authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users=User:ANONYMOUS");
        using IAdminClient admin = kafka.NewAdmin();
        await admin.CreateTopicsAsync([Topic("logs-fine"), Topic("logs-forbidden")]);
        await admin.CreateAclsAsync([MayWrite("logs-fine"), MayWrite("logs-missing")]);
        await using KafkaLoad load = new(kafka.Secure with { Topic = TopicPattern.Parse("logs-%{service}"), TroubleAfter = TimeSpan.FromMilliseconds(500) });

        Task<SendResult> missing = load.Send("missing");
        await LoggedAsync(load, "'logs-missing'", "create it");
        Task<SendResult> forbidden = load.Send("forbidden");
        await Until.TrueAsync(() => load.Output.Condition is { Trouble.Length: > 0 }, "the output says that records wait");
        for (int round = 0; round < 20; round++)
        {
            await load.Send("fine").WaitAsync(Until.Deadline);
        }

        Assert.False(missing.IsCompleted);
        Assert.False(forbidden.IsCompleted);

        await admin.CreateTopicsAsync([Topic("logs-missing")]);
        await missing.WaitAsync(Until.Deadline);
        await Until.TrueAsync(() => load.Output.Condition.Trouble.Contains("Describe and Write", StringComparison.Ordinal), "the output names the right that is missing");
        Assert.False(forbidden.IsCompleted);

        await admin.CreateAclsAsync([MayWrite("logs-forbidden")]);
        await forbidden.WaitAsync(Until.Deadline);
        Sequences read = await kafka.ReadSequencesAsync(load.Written.Keys.Select(service => $"logs-{service}"));
        Assert.Equal("0 missing, 0 doubled", read.Compare(load.Written));
        Assert.Equal(0, read.Backwards);
    }

    private static TopicSpecification Topic(string name) => new() { Name = name, NumPartitions = 3, ReplicationFactor = 1 };

    private static AclBinding MayWrite(string topic) => new()
    {
        Pattern = new() { Type = ResourceType.Topic, Name = topic, ResourcePatternType = ResourcePatternType.Literal },
        Entry = new() { Principal = "User:agent", Host = "*", Operation = AclOperation.Write, PermissionType = AclPermissionType.Allow },
    };

    private static Task LoggedAsync(KafkaLoad load, params string[] parts) =>
        Until.TrueAsync(() => load.Logger.Lines.Any(line => parts.All(part => line.Contains(part, StringComparison.Ordinal))), $"the log says {string.Join(" and ", parts)}");
}
