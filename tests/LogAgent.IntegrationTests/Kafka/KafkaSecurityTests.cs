using LogAgent.Delivery;
using LogAgent.IntegrationTests.Support;
using LogAgent.Outputs;
using LogAgent.Outputs.Kafka;
using LogAgent.Tests.Outputs.Kafka;
using LogAgent.Tests.Support;

namespace LogAgent.IntegrationTests.Kafka;

public class KafkaSecurityTests
{
    [ScenarioFact(Needs.Kafka)]
    public async Task A_secure_broker_is_used_and_each_way_to_be_refused_is_named()
    {
        await using KafkaServer kafka = await KafkaServer.StartAsync(1, "--secure");
        KafkaOptions right = kafka.Secure;
        KafkaSasl sasl = right.Sasl!;
        await using (KafkaLoad load = new(right))
        {
            await load.Send("web").WaitAsync(Until.Deadline);
            Assert.Equal(100, (await kafka.ReadAllAsync("logs")).Length);
        }

        Assert.Contains("sasl.password", await RefusalAsync(right with { Sasl = sasl with { Password = "wrong" } }), StringComparison.Ordinal);
        Assert.Contains("tls.ca_file", await RefusalAsync(right with { Tls = new("", "", "", Verify: true) }), StringComparison.Ordinal);
        string scram = await RefusalAsync(right with { Sasl = sasl with { Mechanism = KafkaMechanism.ScramSha512 } });
        if (Librdkafka.ScramIsOutdated)
        {
            Assert.Contains("2.6.1", scram, StringComparison.Ordinal);
            Assert.Contains("plain over TLS", scram, StringComparison.Ordinal);
        }

        // The same while records are sent: they wait, and the log says why.
        await using KafkaLoad refused = new(right with { Sasl = sasl with { Password = "wrong" } });
        Task<SendResult> waiting = refused.Send("web");
        await Until.TrueAsync(() => refused.Logger.Lines.Any(line => line.Contains("sasl.password", StringComparison.Ordinal)), "the refusal is logged");
        Assert.False(waiting.IsCompleted);
    }

    [ScenarioFact(Needs.Kafka)]
    public async Task A_record_over_the_brokers_limit_is_cut_and_what_stands_around_it_arrives()
    {
        await using KafkaServer kafka = await KafkaServer.StartAsync();
        await using KafkaOutput output = new(new() { Brokers = kafka.Brokers, MaxMessage = 4_000_000 }, new DocumentEncoder(Schema.Ecs), TimeProvider.System, new ListLogger());
        byte[] noise = new byte[1_400_000];
        new Random(1).NextBytes(noise);
        RecordGroup group = new BatchBuilder().Add("before").Add(Convert.ToBase64String(noise)).Add("after").BuildGroup();

        SendResult cut = await output.SendAsync(group, default).WaitAsync(Until.Deadline);
        Assert.Equal((0, 1), (cut.Rejected.Count, cut.Cut.Records));

        string[] documents = await kafka.ReadAllAsync("logs");
        Assert.Equal(3, documents.Length);
        Assert.Contains(documents, document => document.Contains("\"message\":\"before\"", StringComparison.Ordinal));
        Assert.Contains(documents, document => document.Contains("\"message\":\"after\"", StringComparison.Ordinal));
        Assert.Contains(documents, document => document.Length > 500_000 && document.Contains("\"flags\":[\"truncated\"]", StringComparison.Ordinal));

        await using KafkaOutput strict = new(new() { Brokers = kafka.Brokers, MaxMessage = 4_000_000, Oversize = KafkaOversize.DeadLetter }, new DocumentEncoder(Schema.Ecs), TimeProvider.System, new ListLogger());
        SendResult result = await strict.SendAsync(group, default).WaitAsync(Until.Deadline);
        Assert.Equal((1, "message_too_large"), Assert.Single(result.Rejected.Select(record => (record.Index, record.Reason))));
    }

    private static async Task<string> RefusalAsync(KafkaOptions options)
    {
        await using KafkaOutput output = new(options, new DocumentEncoder(Schema.Ecs), TimeProvider.System, new ListLogger());
        CheckResult result = (await output.CheckAsync(default))[0];
        Assert.False(result.Ok);
        return result.Detail;
    }
}
