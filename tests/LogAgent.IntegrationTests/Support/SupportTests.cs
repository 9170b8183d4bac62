namespace LogAgent.IntegrationTests.Support;

/// <summary>The fixtures themselves: an oracle that cannot fail proves nothing.</summary>
public sealed class SupportTests
{
    [Fact]
    public void The_oracle_finds_what_is_missing_doubled_and_foreign()
    {
        var sequences = new Sequences();
        foreach (int n in new[] { 0, 1, 3, 3, 9 })
        {
            Assert.True(sequences.Add(Sequences.Line("a", n, "text")));
        }

        Assert.False(sequences.Add("something else"));
        string result = sequences.Compare(new Dictionary<string, long> { ["a"] = 5, ["b"] = 1 });
        Assert.StartsWith("3 missing, 1 doubled, 1 that nobody wrote", result, StringComparison.Ordinal);
        Assert.False(sequences.IsComplete(new Dictionary<string, long> { ["a"] = 5 }));
        Assert.Equal(0, sequences.Backwards);
    }

    [Fact]
    public void A_tree_rotates_and_compresses_as_the_engine_does()
    {
        using var folder = new TempFolder();
        using var tree = new DockerTree(folder.Path);
        FakeContainer container = tree.Add("web", maxFile: 3, compress: true);
        for (int i = 0; i < 4; i++)
        {
            container.WriteSequence(10);
            container.Rotate();
        }

        string[] files = [.. Directory.GetFiles(Path.GetDirectoryName(container.LogPath)!, "*-json.log*").Select(file => Path.GetFileName(file)[64..]).Order(StringComparer.Ordinal)];
        Assert.Equal(["-json.log", "-json.log.1.gz", "-json.log.2.gz"], files);
    }

    [Fact]
    public async Task The_store_takes_a_document_once()
    {
        await using DocumentStore store = await DocumentStore.StartNewAsync();
        using var http = new HttpClient();
        for (int i = 0; i < 2; i++)
        {
            using var body = new StringContent("{\"create\":{\"_index\":\"x\",\"_id\":\"1\"}}\n{\"message\":\"seq source=a n=0\"}\n");
            await http.PostAsync(new Uri(store.Url + "/_bulk"), body);
        }

        Assert.Equal(1, store.Stored.Total);
        Assert.Equal(1, store.Conflicts);
    }

    [ScenarioFact(Needs.Docker)]
    public async Task A_container_of_the_engine_writes_the_oracles_lines()
    {
        await using DockerEngine engine = await DockerEngine.ConnectAsync();
        string output = await engine.StartAsync("count", ["--rm"], DockerEngine.Count("a", 3));
        Assert.Equal("seq source=a n=2 from a container", output.Split('\n')[^1]);
    }

    [ScenarioFact(Needs.DockerDaemon)]
    public async Task An_engine_of_the_tests_own_survives_its_own_death()
    {
        using var folder = new TempFolder();
        await using var docker = new PrivateDocker(Path.Combine(folder.Path, "d"));
        await docker.StartAsync();
        await docker.KillAsync();
        await docker.StartAsync();
        await using DockerEngine engine = await DockerEngine.ConnectAsync(docker.Socket);
        Assert.Equal("hello", await engine.StartAsync("hello", ["--rm"], "echo", "hello"));
        Assert.Equal(docker.DataRoot, engine.DataRoot);
    }

    [ScenarioFact(Needs.Elasticsearch)]
    public async Task A_real_Elasticsearch_starts_on_free_ports_and_is_read_back()
    {
        await using ElasticsearchServer server = await ElasticsearchServer.StartAsync();
        await server.RequestAsync(HttpMethod.Put, "/x/_create/1", """{"message":"seq source=a n=0"}""");
        Assert.Equal(1, await server.CountAsync("x"));
        Assert.Equal("0 missing, 0 doubled", (await server.SequencesAsync("x")).Compare(new Dictionary<string, long> { ["a"] = 1 }));
    }

    [ScenarioFact(Needs.Kafka)]
    public async Task A_real_Kafka_starts_on_free_ports_and_is_read_back()
    {
        await using KafkaServer server = await KafkaServer.StartAsync();
        await Shell.RunAsync("sh", "-c", $"echo 'seq source=a n=0' | kcat -P -b {server.Bootstrap} -t x");
        Assert.Equal(["seq source=a n=0"], await server.ReadAllAsync("x"));
    }
}
