using LogAgent.Outputs.Kafka;

namespace LogAgent.Tests.Outputs.Kafka;

public class KafkaPropertiesTests
{
    [KafkaFact]
    public void A_property_that_librdkafka_knows_is_taken()
    {
        Assert.Null(KafkaProperties.Problem("socket.timeout.ms", "30000"));
        Assert.Equal("30000", KafkaProperties.Build(Options with { Properties = new Dictionary<string, string> { ["socket.timeout.ms"] = "30000" } }, single: false)["socket.timeout.ms"]);
    }

    [KafkaFact]
    public void An_unknown_property_and_a_bad_value_are_errors()
    {
        Assert.Contains("no.such.thing", KafkaProperties.Problem("no.such.thing", "1"), StringComparison.Ordinal);
        Assert.Contains("socket.timeout.ms", KafkaProperties.Problem("socket.timeout.ms", "soon"), StringComparison.Ordinal);
    }

    [KafkaFact]
    public void A_property_that_the_agent_owns_is_an_error_that_names_the_option()
    {
        Assert.Contains("belongs to the agent", KafkaProperties.Problem("acks", "1"), StringComparison.Ordinal);
        Assert.Contains("use brokers", KafkaProperties.Problem("bootstrap.servers", "x:1"), StringComparison.Ordinal);
    }

    [Fact]
    public void Acknowledgement_by_all_idempotence_and_no_timeout_are_always_set()
    {
        Dictionary<string, string> properties = KafkaProperties.Build(Options, single: false);
        Assert.Equal(("all", "true", "0"), (properties["acks"], properties["enable.idempotence"], properties["message.timeout.ms"]));
        Assert.Equal(("lz4", "plaintext"), (properties["compression.type"], properties["security.protocol"]));
    }

    [Fact]
    public void Tls_and_sasl_choose_the_protocol()
    {
        Dictionary<string, string> properties = KafkaProperties.Build(
            Options with { Tls = new("/ca.crt", "", "", Verify: true), Sasl = new(KafkaMechanism.ScramSha512, "agent", "secret") }, single: false);
        Assert.Equal(("sasl_ssl", "SCRAM-SHA-512", "/ca.crt"), (properties["security.protocol"], properties["sasl.mechanisms"], properties["ssl.ca.location"]));
    }

    [KafkaFact]
    public void A_refused_scram_login_names_the_old_library_and_what_to_do()
    {
        string text = KafkaResponse.ExplainConnection(-169, "SASL authentication failed", Options with { Sasl = new(KafkaMechanism.ScramSha256, "agent", "secret") });
        if (Librdkafka.ScramIsOutdated)
        {
            Assert.Contains("2.6.1", text, StringComparison.Ordinal);
            Assert.Contains("plain over TLS", text, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_password_is_not_shown() => Assert.DoesNotContain("secret", $"{new KafkaSasl(KafkaMechanism.Plain, "agent", "secret")}", StringComparison.Ordinal);

    private static KafkaOptions Options => new() { Brokers = ["127.0.0.1:9092"] };
}
