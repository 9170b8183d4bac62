using System.Globalization;
using LogAgent.IntegrationTests.Support;
using Xunit.Abstractions;

namespace LogAgent.IntegrationTests.Outputs;

/// <summary>One of two outputs is dead under load, for seconds, and for ten minutes in a full run: memory is flat, nothing is lost.</summary>
public sealed class OneOutputDeadTests(ITestOutputHelper print) : Scenario
{
    private const int HalfAnHour = 1_800_000;

    /// <summary>Above what it has once the limit of its memory is reached: the runtime's heap breathes.</summary>
    private const long FlatMiB = 40;

    private static TimeSpan Dead => Machine.Full ? TimeSpan.FromMinutes(10) : TimeSpan.FromSeconds(4);

    [ScenarioFact(Needs.Kafka, Timeout = HalfAnHour)]
    public async Task With_when_down_block_both_wait_and_both_have_everything_in_the_end()
    {
        OutputSite kafka = Own(await OutputSite.StartAsync("kafka", ""));
        DocumentStore store = Own(await DocumentStore.StartNewAsync());
        store.KeepDocuments = false;
        DockerTree tree = NewTree();
        tree.Add("a");
        tree.Add("b");
        int port = FreePorts.One();
        string configuration = TreeConfiguration(tree, Elasticsearch(store.Url), "limits: { memory: 16MiB }", port) + $"\n  - {kafka.Yaml.Replace("\n", "\n    ", StringComparison.Ordinal)}\n";
        AgentProcess agent = StartAgent(configuration, port);
        Write(tree);
        await WaitForAllAsync(store.Stored, () => tree.Written);
        await WaitForKafkaAsync(kafka, tree);

        await kafka.DownAsync();
        await LoadAsync(tree, agent);
        Assert.True(store.Stored.Distinct < tree.Written.Values.Sum(), "The output that is up has gone on without the one that is down.");

        await kafka.UpAsync();
        await WaitForAllAsync(store.Stored, () => tree.Written);
        Sequences arrived = await WaitForKafkaAsync(kafka, tree);
        print.WriteLine($"elasticsearch: {store.Stored.Compare(tree.Written)}; kafka: {arrived.Compare(tree.Written)}, {arrived.Backwards} out of order; {tree.Written.Values.Sum()} written");
        Assert.Equal("0 missing, 0 doubled", store.Stored.Compare(tree.Written));
        Assert.Equal("0 missing, 0 doubled", arrived.Compare(tree.Written));
        Assert.Equal(0, arrived.Backwards);
    }

    [ScenarioFact(Timeout = HalfAnHour)]
    public async Task With_skip_after_the_other_goes_on_and_what_was_skipped_is_counted_and_told()
    {
        string path = Folder["out/records.ndjson"];
        DocumentStore store = Own(await DocumentStore.StartNewAsync());
        store.KeepDocuments = false;
        DockerTree tree = NewTree();
        tree.Add("a");
        tree.Add("b");
        int port = FreePorts.One();
        string configuration = TreeConfiguration(tree, Elasticsearch(store.Url) + "\nskip_after: 2s", "limits: { memory: 16MiB }", port) + $"\n  - type: file\n    path: {path}\n    max_bytes: 1GiB\n";
        AgentProcess agent = StartAgent(configuration, port);
        Write(tree);
        await WaitForAllAsync(store.Stored, () => tree.Written);

        await store.StopAsync();
        await LoadAsync(tree, agent);
        await WaitAsync(() => FileHas(path, tree), "the output that is up has everything");
        Assert.Equal("0 missing, 0 doubled", ReadFile(path).Compare(tree.Written));

        await store.StartAsync();
        string after = $"seq source=a n={tree.All[0].Written} ";
        Write(tree);
        await WaitAsync(() => FileHas(path, tree) && store.Stored.CountOf("a") > 0 && store.GapRecords > 0, "the gap records");
        await WaitAsync(async () => await agent.MetricAsync("logagent_output_records_in_flight") == 0, "nothing is in flight", () => after);
        string metrics = await agent.MetricsTextAsync();
        double lost = Value(metrics, "logagent_output_records_lost_total{output=\"elasticsearch\",reason=\"skipped\"}");
        print.WriteLine($"file: {ReadFile(path).Compare(tree.Written)}; elasticsearch: {store.Stored.Distinct} stored + {lost} skipped of {tree.Written.Values.Sum()} written, {store.GapRecords} gap records");
        Assert.True(lost > 0);
        Assert.Equal(tree.Written.Values.Sum(), store.Stored.Distinct + lost);
    }

    private static double Value(string metrics, string series)
    {
        string line = metrics.Split('\n').First(line => line.StartsWith(series, StringComparison.Ordinal));
        return double.Parse(line[(line.LastIndexOf(' ') + 1)..], CultureInfo.InvariantCulture);
    }

    private static void Write(DockerTree tree)
    {
        foreach (FakeContainer container in tree.All)
        {
            container.WriteSequence(2000, "words of an application that has something to say");
        }
    }

    private static bool FileHas(string path, DockerTree tree) => ReadFile(path).IsComplete(tree.Written);

    private static Sequences ReadFile(string path)
    {
        var arrived = new Sequences();
        if (File.Exists(path))
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            using var reader = new StreamReader(file);
            while (reader.ReadLine() is { } line)
            {
                arrived.Add(line);
            }
        }

        return arrived;
    }

    /// <summary>Writes for as long as the output is dead, and watches the agent's memory: full at first, then flat.</summary>
    private async Task LoadAsync(DockerTree tree, AgentProcess agent)
    {
        // In a short run as much as in a long one until memory is full; a long one goes on in a trickle.
        long began = TimeProvider.System.GetTimestamp();
        for (int i = 0; i < 60; i++)
        {
            Write(tree);
            await Until.PauseAsync();
        }

        long full = agent.MemoryKiB("VmRSS") >> 10;
        long most = full;
        for (long said = 0; TimeProvider.System.GetElapsedTime(began) < Dead;)
        {
            Assert.False(agent.HasExited, agent.LogTail);
            foreach (FakeContainer container in tree.All)
            {
                container.WriteSequence(25, "words of an application that has something to say");
            }

            long now = agent.MemoryKiB("VmRSS") >> 10;
            most = Math.Max(most, now);
            long minute = (long)TimeProvider.System.GetElapsedTime(began).TotalMinutes;
            if (minute > said)
            {
                said = minute;
                print.WriteLine($"minute {minute}: RSS {now} MiB, most {most} MiB, {tree.Written.Values.Sum()} written");
            }

            await Until.PauseAsync();
        }

        print.WriteLine($"RSS {full} MiB when memory was full, most {most} MiB after {TimeProvider.System.GetElapsedTime(began).TotalSeconds:0} s");
        Assert.InRange(most, 0, full + FlatMiB);
    }

    private async Task<Sequences> WaitForKafkaAsync(OutputSite kafka, DockerTree tree)
    {
        Sequences arrived = new();
        await WaitAsync(async () => (arrived = await kafka.ArrivedAsync()).IsComplete(tree.Written), "kafka has everything", () => arrived.Compare(tree.Written));
        return arrived;
    }
}
