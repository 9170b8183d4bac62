using LogAgent.Delivery;
using LogAgent.IntegrationTests.Support;
using LogAgent.Outputs.Kafka;

namespace LogAgent.IntegrationTests.Kafka;

public class KafkaClusterTests
{
    [ScenarioFact(Needs.Kafka)]
    public async Task With_a_leader_killed_under_load_no_record_is_missing_or_doubled_and_each_key_keeps_its_order()
    {
        string[] containers = ["web", "api", "db"];
        await using KafkaServer kafka = await KafkaServer.StartAsync(3);
        await using KafkaLoad load = new(new() { Brokers = kafka.Brokers, Topic = TopicPattern.Parse("logs-%{service}"), Linger = TimeSpan.FromMilliseconds(10) });
        foreach (string container in containers)
        {
            await load.Send(container).WaitAsync(Until.Deadline);
        }

        List<Task<SendResult>> sends = [];
        Task kill = Task.CompletedTask;
        for (int round = 0; round < 100; round++)
        {
            sends.AddRange(containers.Select(load.Send));
            if (round == 30)
            {
                // It leads a part of the nine partitions: three topics of three.
                kill = kafka.KillBrokerAsync(2);
            }

            await Until.LoadAsync(20);
        }

        await Task.WhenAll([kill, .. sends]).WaitAsync(Until.Deadline);
        Sequences read = await kafka.ReadSequencesAsync(containers.Select(container => $"logs-{container}"));
        Assert.Equal("0 missing, 0 doubled", read.Compare(load.Written));
        Assert.Equal(0, read.Backwards);
    }

    [ScenarioFact(Needs.Kafka)]
    public async Task With_two_of_three_brokers_down_records_wait_and_arrive_when_they_are_back()
    {
        await using KafkaServer kafka = await KafkaServer.StartAsync(3);
        await using KafkaLoad load = new(new() { Brokers = kafka.Brokers, TroubleAfter = TimeSpan.FromSeconds(2) });
        await load.Send("web").WaitAsync(Until.Deadline);
        await kafka.KillBrokerAsync(2);
        await kafka.KillBrokerAsync(3);

        Task<SendResult> waiting = load.Send("web");
        await Until.TrueAsync(() => load.Output.Condition.Trouble.Length > 0, "the output says that records wait");
        Assert.False(waiting.IsCompleted);
        Assert.Contains(load.Logger.Lines, line => line.Contains("100 records for topic 'logs'", StringComparison.Ordinal));

        await Task.WhenAll(kafka.StartBrokerAsync(2), kafka.StartBrokerAsync(3));
        await waiting.WaitAsync(Until.Deadline);
        Sequences read = await kafka.ReadSequencesAsync("logs");
        Assert.Equal("0 missing, 0 doubled", read.Compare(load.Written));
    }
}
