using System.Globalization;
using System.Text.Json;
using LogAgent.IntegrationTests.Support;

namespace LogAgent.IntegrationTests.Scenarios;

public sealed class ShortLivedContainerTests : Scenario
{
    // They write until they are told to end, and are gone as they have written the last line.
    private static string[] WriteAndEnd(string source) =>
    [
        "sh", "-c",
        $"i=0; line() {{ echo \"seq source={source} n=$i from a short life\"; i=$((i+1)); }}; trap 'line; line; line; exit 0' TERM; line; line; line; while true; do sleep 0.1; done",
    ];

    [ScenarioFact(Needs.Docker)]
    [Trait("Scenario", "4")]
    public async Task The_last_lines_of_containers_that_are_removed_as_they_end_arrive()
    {
        int count = Machine.Full ? 300 : 12;
        DockerEngine engine = Own(await DockerEngine.ConnectAsync());
        DocumentStore store = Own(await DocumentStore.StartNewAsync());
        AgentProcess agent = StartAgent(EngineConfiguration(engine.Socket, engine.Prefix, Elasticsearch(store.Url)));
        await Parallel.ForAsync(0, count, new ParallelOptions { MaxDegreeOfParallelism = 4 }, async (i, _) =>
        {
            string id = await engine.StartAsync($"rm-{i}", ["--rm", "--detach"], WriteAndEnd(Name(i)));
            await WaitAsync(() => agent.HasOpen(id), $"the agent holds the log of {Name(i)}");

            // The shell's first lines come after its trap: a signal before that would be ignored.
            await WaitAsync(() => store.Stored.CountOf(Name(i)) == 3, $"the first lines of {Name(i)}");
            await engine.RunAsync("kill", "--signal", "TERM", id);
        });
        Dictionary<string, long> written = Enumerable.Range(0, count).ToDictionary(Name, _ => 6L);
        await WaitForAllAsync(store.Stored, () => written);
        Assert.Equal("0 missing, 0 doubled", store.Stored.Compare(written));
    }

    [ScenarioFact(Needs.Docker)]
    [Trait("Scenario", "4")]
    public async Task Every_line_of_containers_of_milliseconds_arrives_through_the_engine()
    {
        DockerEngine engine = Own(await DockerEngine.ConnectAsync());
        await MillisecondsAsync(engine, output => EngineConfiguration(engine.Socket, engine.Prefix, output));
    }

    [ScenarioFact(Needs.Docker)]
    [Trait("Scenario", "4")]
    public async Task Every_line_of_containers_of_milliseconds_arrives_without_a_socket()
    {
        DockerEngine engine = Own(await DockerEngine.ConnectAsync());
        await MillisecondsAsync(engine, output => FilesConfiguration(engine.DataRoot, engine.Prefix, output));
    }

    [ScenarioFact(Needs.Docker)]
    [Trait("Scenario", "5")]
    public async Task A_container_removed_by_force_while_the_output_is_down_is_shipped_in_full()
    {
        DockerEngine engine = Own(await DockerEngine.ConnectAsync());
        DocumentStore store = Own(DocumentStore.Down());
        AgentProcess agent = StartAgent(EngineConfiguration(engine.Socket, engine.Prefix, Elasticsearch(store.Url)));
        string id = await engine.StartAsync("victim", ["--detach"], DockerEngine.Count("victim", 5000, "echo done; sleep 1000"));
        await WaitAsync(async () => (await engine.TryAsync("logs", "--tail", "1", id)).Output.Contains("done", StringComparison.Ordinal), "the container has written all");
        await WaitAsync(() => agent.HasOpen(id), "the agent holds the log");
        await engine.RunAsync("rm", "--force", id);
        Assert.False(File.Exists(Path.Combine(engine.DataRoot, "containers", id, id + "-json.log")));
        await store.StartAsync();
        var written = new Dictionary<string, long> { ["victim"] = 5000 };
        await WaitForAllAsync(store.Stored, () => written);
        Assert.Equal("0 missing, 0 doubled", store.Stored.Compare(written));
    }

    [ScenarioFact(Needs.Docker)]
    [Trait("Scenario", "11")]
    public async Task A_log_of_twelve_bytes_is_shipped_after_the_container_has_ended()
    {
        DockerEngine engine = Own(await DockerEngine.ConnectAsync());
        DocumentStore store = Own(await DocumentStore.StartNewAsync());
        await engine.StartAsync("tiny", ["--detach"], "echo", "-n", "twelve bytes");
        StartAgent(EngineConfiguration(engine.Socket, engine.Prefix, Elasticsearch(store.Url)));
        await WaitAsync(() => store.Documents.Count == 1, "the one line");
        string document = store.Documents.Single();
        Assert.Contains("\"message\":\"twelve bytes\"", document, StringComparison.Ordinal);
        Assert.Contains(engine.Prefix + "tiny", document, StringComparison.Ordinal);
    }

    [ScenarioFact]
    [Trait("Scenario", "11")]
    public async Task A_tiny_log_is_shipped_without_an_engine()
    {
        DockerTree tree = NewTree();
        DocumentStore store = Own(await DocumentStore.StartNewAsync());
        StartAgent(TreeConfiguration(tree, Elasticsearch(store.Url)));
        tree.Add("tiny").WriteLine("twelve bytes");
        await WaitAsync(() => store.Documents.Count == 1, "the one line");
        Assert.Contains("\"message\":\"twelve bytes\"", store.Documents.Single(), StringComparison.Ordinal);
    }

    /// <summary>No hand-shake: each container writes its lines, ends, and is removed.</summary>
    private async Task MillisecondsAsync(DockerEngine engine, Func<string, string> configuration)
    {
        int count = Machine.Full ? 1000 : 20;
        DocumentStore store = Own(await DocumentStore.StartNewAsync());
        StartAgent(configuration(Elasticsearch(store.Url)));
        await engine.StartAsync("ready", ["--detach"], DockerEngine.Count("ready", 1, "sleep 1000"));
        await WaitAsync(() => store.Stored.CountOf("ready") == 1, "the agent follows the engine");
        await Parallel.ForAsync(0, count, new ParallelOptions { MaxDegreeOfParallelism = 4 }, async (i, _) =>
            await engine.StartAsync($"rm-{i}", ["--rm", "--detach", "--label", "a.b=c"], DockerEngine.Count(Name(i), 3)));
        Dictionary<string, long> written = Enumerable.Range(0, count).ToDictionary(Name, _ => 3L);
        written["ready"] = 1;
        await WaitForAllAsync(store.Stored, () => written);
        Assert.Equal("0 missing, 0 doubled", store.Stored.Compare(written));
        Assert.All(store.Documents.Where(document => !document.Contains("source=ready", StringComparison.Ordinal)), document =>
        {
            using JsonDocument parsed = JsonDocument.Parse(document);
            JsonElement container = parsed.RootElement.GetProperty("container");
            string source = parsed.RootElement.GetProperty("message").GetString()!.Split('=', ' ')[2];
            Assert.Equal(engine.Prefix + source, container.GetProperty("name").GetString());
            Assert.Equal(BusyboxImage.Name, $"{container.GetProperty("image").GetProperty("name")}:{container.GetProperty("image").GetProperty("tag")}");
            Assert.Equal("c", container.GetProperty("labels").GetProperty("a.b").GetString());
        });
    }

    private static string Name(int i) => string.Create(CultureInfo.InvariantCulture, $"rm-{i}");
}
