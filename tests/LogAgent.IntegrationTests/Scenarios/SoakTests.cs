using System.Diagnostics;
using System.Globalization;
using LogAgent.IntegrationTests.Support;
using Xunit.Abstractions;

namespace LogAgent.IntegrationTests.Scenarios;

/// <summary>
/// Load, and one random fault after the other. LOGAGENT_TEST_SEED gives the order of the faults, LOGAGENT_TEST_SOAK_SECONDS the length.
/// </summary>
[Trait("Scenario", "23")]
public sealed class SoakTests(ITestOutputHelper output) : Scenario
{
    private static readonly int Seed = Number("LOGAGENT_TEST_SEED", Environment.TickCount & 0xFFFF);
    private static readonly TimeSpan Length = TimeSpan.FromSeconds(Number("LOGAGENT_TEST_SOAK_SECONDS", Machine.Full ? 300 : 15));

    private readonly Random _random = new(Seed);
    private readonly Sequences _refused = new();
    private readonly Dictionary<string, int> _faults = [];
    private readonly int _metricsPort = FreePorts.One();
    private DockerTree _tree = null!;
    private DocumentStore _store = null!;
    private AgentProcess _agent = null!;
    private bool _throttled;
    private int _version;

    [ScenarioFact(Timeout = 7_200_000)]
    public async Task A_soak_with_random_faults_ends_with_every_record_accounted_for()
    {
        _tree = NewTree();
        for (int i = 0; i < 4; i++)
        {
            // Enough generations that a checkpoint which is some seconds old finds what it stands in.
            _tree.Add($"soak-{i}", maxFile: 40, compress: i == 3);
        }

        _store = Own(await DocumentStore.StartNewAsync());
        _store.KeepDocuments = false;
        _store.ItemFault = Refuse;
        Start();
        LoadWriter writer = Own(new LoadWriter(_tree, source => _store.Stored.CountOf(source) + _refused.CountOf(source), pause: TimeSpan.FromMilliseconds(100)));
        await GoesOnAsync("the start");
        for (var clock = Stopwatch.StartNew(); clock.Elapsed < Length;)
        {
            string fault = await FaultAsync(_random.Next(9));
            _faults[fault] = _faults.GetValueOrDefault(fault) + 1;
            await GoesOnAsync(fault);
            Assert.True(Conservation.Broken(await _agent.MetricsTextAsync()) is { Length: 0 }, $"Seed {Seed}, after {fault}: the account does not add up: {Conservation.Broken(await _agent.MetricsTextAsync())}");
        }

        await writer.StopAsync();
        await WaitAsync(
            () => _tree.Written.All(source => _store.Stored.CountOf(source.Key) + _refused.CountOf(source.Key) >= source.Value),
            $"everything that was written has arrived, seed {Seed}",
            () => _store.Stored.Compare(_tree.Written));
        await WaitAsync(async () => await _agent.MetricAsync("logagent_output_records_in_flight") == 0, "nothing is in flight");
        string metrics = await _agent.MetricsTextAsync();
        Assert.Equal(0, await _agent.StopAsync());
        output.WriteLine($"seed {Seed}: {_tree.Written.Values.Sum()} lines; {string.Join(", ", _faults.Select(fault => $"{fault.Value} x {fault.Key}"))}; {_store.Conflicts} sent again");
        foreach ((string name, Dictionary<string, double> sums) in Conservation.ByOutput(metrics))
        {
            output.WriteLine($"{name}: {string.Join(", ", sums.Select(sum => $"{sum.Key} {sum.Value}"))}");
        }

        Assert.Equal("", Conservation.Broken(metrics));
        Assert.Equal("0 missing, 0 doubled", WithDeadLetters().Compare(_tree.Written));
        Assert.StartsWith("0 missing", OfFile().Compare(_tree.Written.Where(source => source.Key == "soak-0").ToDictionary()), StringComparison.Ordinal);
    }

    private async Task<string> FaultAsync(int which)
    {
        switch (which)
        {
            case 0:
                await _agent.KillAsync();
                Start();
                return "kill";
            case 1:
                Assert.Equal(0, await _agent.StopAsync());
                Start();
                return "stop";
            case 2:
                await _agent.FreezeAsync();
                await LoadAsync();
                _agent.SignalIt(Signal.Cont);
                return "pause of the agent";
            case 3:
                await _store.StopAsync();
                await LoadAsync();
                await _store.StartAsync();
                return "server down";
            case 4:
                _store.RequestFault = (number, _) => (number % 6) switch
                {
                    0 => new StoreFault(503, "unavailable"),
                    1 => new StoreFault(429, "es_rejected_execution_exception"),
                    2 => new StoreFault(0),
                    3 => new StoreFault(0, StoreFirst: true),
                    4 => new StoreFault(413),
                    _ => null,
                };
                await LoadAsync();
                _store.RequestFault = null;
                return "requests refused and cut";
            case 5:
                _throttled = true;
                await LoadAsync();
                _throttled = false;
                return "items refused";
            case 6:
                Write(++_version);
                _agent.SignalIt(Signal.Hup);
                return "reload";
            case 7:
                await _agent.KillAsync();
                Damage();
                Start();
                return "damaged checkpoint";
            default:
                _store.RequestFault = (_, _) =>
                {
                    _agent.SignalIt(Signal.Kill);
                    return new StoreFault(0, StoreFirst: true);
                };
                await Until.TrueAsync(() => _agent.HasExited, "a request to kill the agent at", () => _agent.LogTail);
                _store.RequestFault = null;
                Start();
                return "kill at a request";
        }
    }

    private void Start() => _agent = StartAgent(Configuration(_version), _metricsPort);

    private void Write(int version)
    {
        string path = Folder["agent/logagent.yaml"];
        File.WriteAllText(path + ".new", Configuration(version));
        File.Move(path + ".new", path, overwrite: true);
    }

    private string Configuration(int version) => TreeConfiguration(
        _tree,
        Elasticsearch(_store.Url) + $"\nbatch:\n  records: {300 + (version % 3)}\n  age: 100ms",
        $"drain: 5s\nfields:\n  version: \"{version}\"",
        _metricsPort) + $"""

          - type: file
            path: {Folder["out/soak.ndjson"]}
            max_bytes: 8MiB
            only:
              containers: [soak-0]

        """;

    private void Damage()
    {
        string file = Path.Combine(StateDirectory, "checkpoints");
        if (File.Exists(file))
        {
            using FileStream stream = File.OpenWrite(file);
            if (_random.Next(2) == 0)
            {
                stream.SetLength(stream.Length / 2);
            }
            else
            {
                stream.Write(new byte[stream.Length]);
            }
        }
    }

    private Task LoadAsync() => Until.LoadAsync(_random.Next(100, 1500));

    private Task GoesOnAsync(string after)
    {
        long before = _store.Stored.Distinct;
        return WaitAsync(() => _store.Stored.Distinct > before + 500, $"500 more records after {after}, seed {Seed}", () => $"{_store.Stored.Distinct} of {_tree.Written.Values.Sum()}, {string.Join(", ", _faults)}");
    }

    // Every thousandth is refused for good; of the others a third while the server is said to be busy.
    private StoreFault? Refuse(string id, string document)
    {
        int start = document.IndexOf(" n=", StringComparison.Ordinal) + 3;
        long number = start < 3 ? 0 : long.Parse(document.AsSpan(start, document.IndexOf(' ', start) - start), CultureInfo.InvariantCulture);
        if (number % 1000 == 999)
        {
            _refused.Add(document);
            return new StoreFault(400, "document_parsing_exception");
        }

        return _throttled && number % 3 == 0 ? new StoreFault(429, "es_rejected_execution_exception") : null;
    }

    private Sequences WithDeadLetters()
    {
        var letters = new Sequences();
        foreach (string letter in DeadLetterLines.Read(StateDirectory))
        {
            letters.Add(letter);
        }

        // One that was refused before a kill may be refused once more after it: it is a letter twice, and one record.
        var all = new Sequences();
        all.AddAll(_store.Stored);
        all.AddAll(letters, once: true);
        return all;
    }

    private Sequences OfFile()
    {
        var lines = new Sequences();
        foreach (string file in Directory.GetFiles(Path.GetDirectoryName(Folder["out/."])!))
        {
            foreach (string line in File.ReadLines(file))
            {
                lines.Add(line);
            }
        }

        return lines;
    }

    private static int Number(string variable, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), CultureInfo.InvariantCulture, out int number) ? number : otherwise;
}
