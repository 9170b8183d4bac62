using System.Globalization;

namespace LogAgent.Outputs.Kafka;

/// <summary>The options as properties of librdkafka.</summary>
internal static class KafkaProperties
{
    /// <summary>Properties that the agent sets itself, with what to use instead.</summary>
    private static readonly Dictionary<string, string> Owned = new(StringComparer.Ordinal)
    {
        ["bootstrap.servers"] = "brokers",
        ["metadata.broker.list"] = "brokers",
        ["acks"] = "",
        ["request.required.acks"] = "",
        ["enable.idempotence"] = "",
        ["enable.gapless.guarantee"] = "",
        ["transactional.id"] = "",
        ["message.timeout.ms"] = "",
        ["delivery.timeout.ms"] = "",
        ["retries"] = "",
        ["message.send.max.retries"] = "",
        ["enabled_events"] = "",
        ["delivery.report.only.error"] = "",
        ["message.max.bytes"] = "max_message",
        ["batch.size"] = "max_message",
        ["queue.buffering.max.kbytes"] = "queue_memory",
        ["queue.buffering.max.messages"] = "queue_memory",
        ["queue.buffering.max.ms"] = "linger",
        ["linger.ms"] = "linger",
        ["compression.codec"] = "compression",
        ["compression.type"] = "compression",
        ["security.protocol"] = "tls and sasl",
        ["sasl.mechanism"] = "sasl.mechanism",
        ["sasl.mechanisms"] = "sasl.mechanism",
        ["sasl.username"] = "sasl.username",
        ["sasl.password"] = "sasl.password",
        ["ssl.ca.location"] = "tls.ca_file",
        ["ssl.certificate.location"] = "tls.certificate_file",
        ["ssl.key.location"] = "tls.key_file",
        ["enable.ssl.certificate.verification"] = "tls.verify",
    };

    /// <summary>Says why a property of the section <c>properties</c> cannot be taken; null where it can. librdkafka must be loaded.</summary>
    public static string? Problem(string name, string value)
    {
        if (Owned.TryGetValue(name, out string? instead))
        {
            return instead.Length == 0
                ? $"'{name}' belongs to the agent, which needs its own value so that no record is lost"
                : $"'{name}' is set by the agent; use {instead}";
        }

        if (name.StartsWith("dotnet.", StringComparison.Ordinal) || name.EndsWith("_cb", StringComparison.Ordinal))
        {
            return $"'{name}' cannot be set here";
        }

        return Librdkafka.Validate(name, value) is { } problem
            ? $"librdkafka {Librdkafka.Version} does not take '{name}': {problem}"
            : null;
    }

    /// <param name="single">For a producer that sends each record in a batch of its own.</param>
    public static Dictionary<string, string> Build(KafkaOptions options, bool single)
    {
        // librdkafka keeps some 250 bytes beside each document: a count that fits documents of half a KiB bounds both.
        long records = Math.Max(10_000, options.QueueMemory / 512);
        Dictionary<string, string> properties = new(StringComparer.Ordinal)
        {
            ["client.id"] = "logagent",
            ["partitioner"] = "murmur2_random",
            ["batch.num.messages"] = "10000",
            ["socket.keepalive.enable"] = "true",
            ["log.connection.close"] = "false",
        };
        foreach ((string name, string value) in options.Properties)
        {
            properties[name] = value;
        }

        properties["bootstrap.servers"] = string.Join(',', options.Brokers);
        properties["acks"] = "all";
        properties["enable.idempotence"] = "true";
        properties["message.timeout.ms"] = "0";
        properties["message.max.bytes"] = Text(options.MaxMessage);
        properties["batch.size"] = Text(options.MaxMessage);
        properties["queue.buffering.max.kbytes"] = Text(Math.Max(1, (single ? 4 << 20 : options.QueueMemory) / 1024));
        properties["queue.buffering.max.messages"] = Text(single ? 1000 : records);
        properties["linger.ms"] = single ? "0" : options.Linger.TotalMilliseconds.ToString(CultureInfo.InvariantCulture);
        properties["compression.type"] = options.Compression.ToString().ToLowerInvariant();
        properties["enabled_events"] = Text(Librdkafka.EventDeliveryReport | Librdkafka.EventError);
        properties["dotnet.producer.enable.background.poll"] = "false";
        properties["dotnet.producer.enable.delivery.reports"] = "false";
        if (single)
        {
            properties["batch.num.messages"] = "1";
        }

        Secure(options, properties);
        return properties;
    }

    private static void Secure(KafkaOptions options, Dictionary<string, string> properties)
    {
        properties["security.protocol"] = (options.Tls, options.Sasl) switch
        {
            (null, null) => "plaintext",
            (not null, null) => "ssl",
            (null, not null) => "sasl_plaintext",
            _ => "sasl_ssl",
        };
        if (options.Tls is { } tls)
        {
            SetIfGiven(properties, "ssl.ca.location", tls.CaFile);
            SetIfGiven(properties, "ssl.certificate.location", tls.CertificateFile);
            SetIfGiven(properties, "ssl.key.location", tls.KeyFile);
            if (tls.Verify)
            {
                // The default from 2.0 on; older ones look at the certificate and not at the name in it.
                properties.TryAdd("ssl.endpoint.identification.algorithm", "https");
            }
            else
            {
                properties["enable.ssl.certificate.verification"] = "false";
            }
        }

        if (options.Sasl is { } sasl)
        {
            properties["sasl.mechanisms"] = sasl.Mechanism switch
            {
                KafkaMechanism.ScramSha256 => "SCRAM-SHA-256",
                KafkaMechanism.ScramSha512 => "SCRAM-SHA-512",
                _ => "PLAIN",
            };
            properties["sasl.username"] = sasl.UserName;
            properties["sasl.password"] = sasl.Password;
        }
    }

    private static void SetIfGiven(Dictionary<string, string> properties, string name, string value)
    {
        if (value.Length > 0)
        {
            properties[name] = value;
        }
    }

    private static string Text(long value) => value.ToString(CultureInfo.InvariantCulture);
}
