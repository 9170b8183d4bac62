using Confluent.Kafka;
using LogAgent.Outputs.Kafka;

namespace LogAgent.IntegrationTests.Support;

/// <summary>A real Kafka on free ports, started by the script that LOGAGENT_TEST_KAFKA names, and read back by kcat.</summary>
internal sealed class KafkaServer : IAsyncDisposable
{
    private readonly TempFolder _folder = new();
    private readonly string[] _secureBrokers;

    private KafkaServer(int port, int brokers)
    {
        Brokers = [.. Enumerable.Range(port, brokers).Select(p => $"127.0.0.1:{p}")];
        _secureBrokers = [.. Enumerable.Range(port + 100, brokers).Select(p => $"localhost:{p}")];
    }

    public IReadOnlyList<string> Brokers { get; }

    /// <summary>SASL_SSL, for a server that was started with --secure.</summary>
    public KafkaOptions Secure => new()
    {
        Brokers = _secureBrokers,
        Tls = new(Path.Combine(_folder.Path, "tls", "ca.crt"), "", "", Verify: true),
        Sasl = new(KafkaMechanism.Plain, "agent", "agent-secret"),
    };

    public string Bootstrap => string.Join(',', Brokers);

    public static async Task<KafkaServer> StartAsync(int brokers = 1, params string[] options)
    {
        for (int attempt = 1; ; attempt++)
        {
            int port = FreePorts.Block([.. Enumerable.Range(0, brokers), .. Enumerable.Range(100, brokers), .. Enumerable.Range(201, brokers)]);
            var server = new KafkaServer(port, brokers);
            ShellResult start = await server.ScriptAsync("start", ["--port", $"{port}", "--brokers", $"{brokers}", .. options]);
            if (start.ExitCode == 0)
            {
                return server;
            }

            await server.DisposeAsync();
            if (attempt == 3)
            {
                throw new InvalidOperationException("Kafka did not start: " + start.Error);
            }
        }
    }

    public async Task KillBrokerAsync(int broker) => (await ScriptAsync("stop-broker", [$"{broker}"])).Text("stop-broker");

    public async Task StartBrokerAsync(int broker) => (await ScriptAsync("start-broker", [$"{broker}"])).Text("start-broker");

    /// <summary>Restarts the only broker with more properties.</summary>
    public async Task RestartAsync(params string[] properties)
    {
        await KillBrokerAsync(1);
        await File.AppendAllLinesAsync(Path.Combine(_folder.Path, "broker-1.properties"), properties);
        await StartBrokerAsync(1);
    }

    /// <summary>For what an administrator does; without a password, on the plain listener.</summary>
    public IAdminClient NewAdmin()
    {
        Assert.True(Librdkafka.TryLoad(out string problem), problem);
        return new AdminClientBuilder(new AdminClientConfig { BootstrapServers = Bootstrap }).Build();
    }

    /// <summary>Every record of the topic up to now, one line each.</summary>
    public async Task<string[]> ReadAllAsync(string topic)
    {
        ShellResult read = await Shell.TryAsync("kcat", ["-C", "-b", Bootstrap, "-t", topic, "-o", "beginning", "-e", "-q", "-f", "%s\n"]);
        return read.ExitCode == 0 ? read.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries) : [];
    }

    /// <summary>The sequence numbers in the topics up to now.</summary>
    public async Task<Sequences> ReadSequencesAsync(params IEnumerable<string> topics)
    {
        Sequences read = new();
        foreach (string topic in topics)
        {
            foreach (string document in await ReadAllAsync(topic))
            {
                read.Add(document);
            }
        }

        return read;
    }

    public async ValueTask DisposeAsync()
    {
        for (int broker = 1; broker <= Brokers.Count; broker++)
        {
            await ScriptAsync("stop-broker", [$"{broker}"]);
        }

        _folder.Dispose();
    }

    private Task<ShellResult> ScriptAsync(string action, string[] arguments) =>
        Shell.TryAsync(Machine.KafkaScript!, [action, _folder.Path, .. arguments], deadline: TimeSpan.FromSeconds(200));
}
