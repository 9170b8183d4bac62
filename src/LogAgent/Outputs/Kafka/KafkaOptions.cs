using LogAgent.Configuration;

namespace LogAgent.Outputs.Kafka;

/// <summary>How batches of records are compressed.</summary>
internal enum KafkaCompression
{
    Lz4,
    Zstd,
    Gzip,
    Snappy,
    None,
}

/// <summary>What becomes of a record that is larger than the broker takes.</summary>
internal enum KafkaOversize
{
    /// <summary>Its message is cut so that it fits, and flagged.</summary>
    Truncate,

    /// <summary>It is rejected, and kept as a dead letter.</summary>
    DeadLetter,
}

/// <summary>How the agent proves who it is.</summary>
internal enum KafkaMechanism
{
    Plain,
    ScramSha256,
    ScramSha512,
}

/// <summary>TLS of an output; files as PEM.</summary>
/// <param name="CaFile">Certificates to trust instead of the system's; empty for the system's.</param>
/// <param name="Verify">False: any certificate is taken, and its name is not looked at.</param>
internal sealed record KafkaTls(string CaFile, string CertificateFile, string KeyFile, bool Verify);

/// <summary>A user and how it is proved.</summary>
internal sealed record KafkaSasl(KafkaMechanism Mechanism, string UserName, string Password)
{
    public override string ToString() => $"{Mechanism} {UserName}";
}

/// <summary>One entry of <c>outputs</c> with <c>type: kafka</c>.</summary>
internal sealed record KafkaOptions
{
    /// <summary>The least that <see cref="QueueMemory"/> may be, in bytes.</summary>
    public const long SmallestQueueMemory = 1 << 20;

    public string Name { get; init; } = "kafka";

    /// <summary>host:port of the brokers to ask first.</summary>
    public required IReadOnlyList<string> Brokers { get; init; }

    public TopicPattern Topic { get; init; } = TopicPattern.Parse("logs");

    /// <summary>Canonical name of the field whose value is the key; empty for no key.</summary>
    public string KeyField { get; init; } = "container.id";

    /// <summary>With the headers logagent-id, content-type and schema.</summary>
    public bool Headers { get; init; } = true;

    public KafkaCompression Compression { get; init; } = KafkaCompression.Lz4;

    /// <summary>How long librdkafka waits for a batch to fill.</summary>
    public TimeSpan Linger { get; init; } = TimeSpan.FromMilliseconds(50);

    /// <summary>Largest record and largest batch in bytes; no more than message.max.bytes of the brokers and max.message.bytes of the topics.</summary>
    public int MaxMessage { get; init; } = 1_000_000;

    public KafkaOversize Oversize { get; init; } = KafkaOversize.Truncate;

    /// <summary>Bytes of documents that librdkafka may hold.</summary>
    public long QueueMemory { get; init; } = 32 << 20;

    /// <summary>A topic whose records wait this long without one being acknowledged is reported.</summary>
    public TimeSpan TroubleAfter { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// After so long without one record acknowledged, what librdkafka has not begun to send goes back to the output worker: so
    /// that it can skip (skip_after). Null: everything is kept here, which doubles nothing.
    /// </summary>
    public TimeSpan? GiveBackAfter { get; init; }

    public KafkaTls? Tls { get; init; }

    public KafkaSasl? Sasl { get; init; }

    /// <summary>Further properties of librdkafka.</summary>
    public IReadOnlyDictionary<string, string> Properties { get; init; } = new Dictionary<string, string>();

    public static KafkaOptions Read(SectionReader reader)
    {
        IReadOnlyList<string> brokers = reader.TextList("brokers", "127.0.0.1:9092");
        if (brokers.Count == 0)
        {
            reader.Error("brokers", "is empty; at least one host:port is needed");
        }

        foreach (string broker in brokers)
        {
            int colon = broker.LastIndexOf(':');
            if (colon < 1 || !ushort.TryParse(broker.AsSpan(colon + 1), out ushort port) || port == 0)
            {
                reader.Error("brokers", $"'{broker}' is not host:port, such as kafka1:9092");
            }
        }

        string topic = reader.Text("topic", "logs");
        if (!TopicPattern.TryParse(topic, out TopicPattern? pattern, out string problem))
        {
            reader.Error("topic", problem);
            pattern = TopicPattern.Parse("logs");
        }

        string key = reader.Text("key", "container.id");
        KafkaOptions options = new()
        {
            Name = reader.Text("name", "kafka"),
            Brokers = brokers,
            Topic = pattern,
            KeyField = key == "none" ? "" : TopicPattern.FieldOf(key) ?? key,
            Headers = reader.Flag("headers", true),
            Compression = reader.OneOf("compression", KafkaCompression.Lz4),
            Linger = reader.Duration("linger", TimeSpan.FromMilliseconds(50), TimeSpan.Zero, TimeSpan.FromSeconds(30)),
            MaxMessage = (int)reader.Size("max_message", 1_000_000, 2000, 100_000_000),
            Oversize = reader.OneOf("oversize", KafkaOversize.Truncate),
            QueueMemory = reader.Size("queue_memory", 32 << 20, SmallestQueueMemory, 1L << 30),
            TroubleAfter = reader.Duration("trouble_after", TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(1), TimeSpan.FromHours(1)),
            GiveBackAfter = reader.Has("skip_after") || reader.Text("when_down", "block") == "skip" ? TimeSpan.FromSeconds(30) : null,
            Tls = reader.Has("tls") ? ReadTls(reader.Section("tls")) : null,
            Sasl = reader.Has("sasl") ? ReadSasl(reader.Section("sasl")) : null,
            Properties = reader.TextMap("properties"),
        };
        if (!Librdkafka.TryLoad(out string missing))
        {
            reader.Error("type", missing);
            return options;
        }

        foreach ((string name, string value) in options.Properties)
        {
            if (KafkaProperties.Problem(name, value) is { } wrong)
            {
                reader.Error("properties", wrong);
            }
        }

        return options;
    }

    private static KafkaTls ReadTls(SectionReader reader)
    {
        KafkaTls tls = new(reader.Text("ca_file", ""), reader.Text("certificate_file", ""), reader.Text("key_file", ""), reader.Flag("verify", true));
        CheckFile(reader, "ca_file", tls.CaFile);
        CheckFile(reader, "certificate_file", tls.CertificateFile);
        CheckFile(reader, "key_file", tls.KeyFile);
        if ((tls.CertificateFile.Length == 0) != (tls.KeyFile.Length == 0))
        {
            reader.Error(tls.KeyFile.Length == 0 ? "key_file" : "certificate_file", "is missing: a client certificate needs certificate_file and key_file");
        }

        return tls;
    }

    private static void CheckFile(SectionReader reader, string key, string path)
    {
        if (path.Length > 0 && !File.Exists(path))
        {
            reader.Error(key, $"the file '{path}' does not exist, or the agent's user may not see it");
        }
    }

    private static KafkaSasl ReadSasl(SectionReader reader)
    {
        string text = reader.Text("mechanism", "plain");
        KafkaMechanism? mechanism = text.Replace('-', '_').ToLowerInvariant() switch
        {
            "plain" => KafkaMechanism.Plain,
            "scram_sha_256" => KafkaMechanism.ScramSha256,
            "scram_sha_512" => KafkaMechanism.ScramSha512,
            _ => null,
        };
        if (mechanism is null)
        {
            reader.Error("mechanism", $"'{text}' is not allowed: this must be one of plain, scram_sha_256, scram_sha_512");
        }

        return new(mechanism ?? KafkaMechanism.Plain, reader.RequiredText("username"), reader.Secret("password"));
    }
}
