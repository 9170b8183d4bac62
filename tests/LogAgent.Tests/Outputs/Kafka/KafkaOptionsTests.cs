using LogAgent.Configuration;
using LogAgent.Outputs.Kafka;
using LogAgent.Tailing;

namespace LogAgent.Tests.Outputs.Kafka;

public class KafkaOptionsTests
{
    [KafkaFact]
    public void Without_keys_the_defaults_are_those_of_the_type()
    {
        KafkaOptions read = Read("{}", out string[] errors);
        Assert.Empty(errors);
        Assert.Equal(new KafkaOptions { Brokers = read.Brokers, Topic = read.Topic, Properties = read.Properties }, read);
        Assert.Equal(["127.0.0.1:9092"], read.Brokers);
        Assert.Equal("logs", read.Topic.Fixed);
        Assert.Empty(read.Properties);
    }

    [KafkaFact]
    public void Every_key_is_read()
    {
        KafkaOptions read = Read("""
            name: bus
            brokers: [a:9092, b:9092]
            topic: logs.%{service}
            key: none
            headers: false
            compression: zstd
            linger: 5ms
            max_message: 2MiB
            oversize: dead_letter
            queue_memory: 8MiB
            trouble_after: 3s
            tls: { verify: false }
            sasl: { mechanism: scram_sha_512, username: agent, password: geheim }
            properties: { socket.timeout.ms: 30000 }
            """, out string[] errors);
        Assert.Empty(errors);
        Assert.Equal(["a:9092", "b:9092"], read.Brokers);
        Assert.Equal("logs.unknown", read.Topic.Resolve(FieldSet.Empty));
        Assert.Equal(("bus", "", false, KafkaCompression.Zstd), (read.Name, read.KeyField, read.Headers, read.Compression));
        Assert.Equal((TimeSpan.FromMilliseconds(5), 2 << 20, KafkaOversize.DeadLetter, 8L << 20), (read.Linger, read.MaxMessage, read.Oversize, read.QueueMemory));
        Assert.False(read.Tls!.Verify);
        Assert.Equal(new KafkaSasl(KafkaMechanism.ScramSha512, "agent", "geheim"), read.Sasl);
        Assert.Equal("30000", read.Properties["socket.timeout.ms"]);
    }

    [KafkaTheory]
    [InlineData("brokers: [kafka]", "host:port")]
    [InlineData("brokers: []", "at least one")]
    [InlineData("topic: logs/%{service}", "cannot stand in a topic")]
    [InlineData("properties: {acks: 1}", "belongs to the agent")]
    [InlineData("properties: {no.such: 1}", "no.such")]
    [InlineData("tls: {ca_file: /no/such/file}", "does not exist")]
    [InlineData("tls: {certificate_file: /etc/hostname}", "needs certificate_file and key_file")]
    [InlineData("sasl: {password: geheim}", "username")]
    [InlineData("compression: rar", "compression")]
    public void What_cannot_work_is_an_error_at_its_key(string yaml, string problem)
    {
        Read(yaml, out string[] errors);
        Assert.Contains(problem, Assert.Single(errors), StringComparison.Ordinal);
        Assert.DoesNotContain("geheim", errors[0], StringComparison.Ordinal);
    }

    private static KafkaOptions Read(string yaml, out string[] errors)
    {
        ConfigurationFile file = ConfigurationFile.Parse(yaml, _ => null);
        KafkaOptions options = KafkaOptions.Read(file.Root);
        errors = [.. file.Errors.Select(error => error.ToString())];
        return options;
    }
}
