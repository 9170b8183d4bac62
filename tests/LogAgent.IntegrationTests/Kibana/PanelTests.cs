using System.Text.Json.Nodes;
using LogAgent.IntegrationTests.Support;

namespace LogAgent.IntegrationTests.Kibana;

/// <summary>Every panel and search of the dashboard asks a real Elasticsearch, under packaging/kibana's own template, for what the agent has shipped.</summary>
public sealed class PanelTests : Scenario
{
    private const string Pattern = "logagent-*";

    [ScenarioFact(Needs.Elasticsearch)]
    public async Task Panels_and_searches_show_what_was_shipped_and_what_was_lost()
    {
        ElasticsearchServer server = Own(await ElasticsearchServer.StartAsync());
        await PutTemplateAsync(server);
        await ShipAsync(server);

        Assert.Equal(["shop/cart 1.0: 36", "shop/cart 2.0: 30", "web latest: 6"], Sums(await RowsAsync(server, "logagent-records-by-image"), row => $"{row.Keys[0]} {row.Keys[1]}"));
        Assert.Equal(
            ["shop/cart 1.0 stderr: 6", "shop/cart 1.0 stdout: 30", "shop/cart 2.0 stderr: 10", "shop/cart 2.0 stdout: 20", "web latest stdout: 5"],
            Sums(await RowsAsync(server, "logagent-stderr-share"), row => row.Key));
        Assert.Equal(
            ["cart-new test-host 30 10", "cart-old test-host 36 6", "web test-host 6 0"],
            (await RowsAsync(server, "logagent-records-by-container")).Select(row => $"{row.Key} {row.Count("count")} {row.Count("errors")}").Order(StringComparer.Ordinal));
        PanelRow newest = Assert.Single(await RowsAsync(server, "logagent-newest-by-host"));
        Assert.Equal("test-host 72", $"{newest.Key} {newest.Count("count")}");
        Assert.Equal((await SearchAsync(server, "logagent-logs"))[0].Time, Padded(newest.Newest("newest", "@timestamp")));
        Assert.Equal(["test-host: 1"], Sums(await RowsAsync(server, "logagent-gaps-by-host"), row => row.Keys[0]));
        Assert.Equal(["test-host: 72"], Sums(await RowsAsync(server, "logagent-delay"), row => row.Keys[0], "delay"));

        Hit[] logs = await SearchAsync(server, "logagent-logs");
        Assert.Equal(72, logs.Length);
        Assert.Equal(logs.OrderByDescending(hit => hit.Time, StringComparer.Ordinal).ThenByDescending(hit => hit.Sequence), logs);
        Hit gap = Assert.Single(await SearchAsync(server, "logagent-gaps"));
        Assert.Equal("gap", (string?)gap.Fields["log.flags"]![0]);
        Assert.Equal("web", (string?)gap.Fields["container.name"]![0]);
        Assert.Contains("rotated away", (string?)gap.Fields["message"]![0], StringComparison.Ordinal);
    }

    [Fact]
    public void Every_panel_and_search_is_tried_above()
    {
        Assert.Equal(
            ["logagent-delay", "logagent-gaps-by-host", "logagent-newest-by-host", "logagent-records-by-container", "logagent-records-by-image", "logagent-stderr-share"],
            SavedObjects.Ids("lens").Order(StringComparer.Ordinal));
        Assert.Equal(["logagent-gaps", "logagent-logs"], SavedObjects.Ids("search").Order(StringComparer.Ordinal));
    }

    /// <summary>The file as it is, but for the life cycle and the pipeline: the store of these tests has neither of them.</summary>
    private static async Task PutTemplateAsync(ElasticsearchServer server)
    {
        JsonNode template = JsonNode.Parse(await File.ReadAllTextAsync(Path.Combine(SavedObjects.Folder, "index-template.json")))!;
        JsonObject settings = template["template"]!["settings"]!.AsObject();
        Assert.True(settings.Remove("index.lifecycle.name") && settings.Remove("index.default_pipeline"));
        await server.RequestAsync(HttpMethod.Put, "/_index_template/logagent-managed", template.ToJsonString());
    }

    private async Task ShipAsync(ElasticsearchServer server)
    {
        DockerTree tree = NewTree();
        FakeContainer old = tree.Add("cart-old", "shop/cart:1.0");
        FakeContainer current = tree.Add("cart-new", "shop/cart:2.0");
        FakeContainer web = tree.Add("web", "web", maxFile: 1);
        old.WriteSequence(30);
        old.WriteSequence(6, stream: "stderr");
        current.WriteSequence(20);
        current.WriteSequence(10, stream: "stderr");
        web.WriteSequence(3);
        string configuration = TreeConfiguration(tree, Elasticsearch(server.Urls));
        AgentProcess agent = StartAgent(configuration);
        await WaitAsync(async () => await server.CountAsync(Pattern) == 69, "all is stored");
        Assert.Equal(0, await agent.StopAsync());

        // Written and rotated away while nobody looked: of these lines there is a gap record.
        web.WriteSequence(50);
        web.Rotate();
        web.WriteSequence(2);
        StartAgent(configuration);
        await WaitAsync(async () => await server.CountAsync(Pattern) == 72, "what is left and the gap record are stored");
        Assert.Contains("\"best_compression\"", await server.RequestAsync(HttpMethod.Get, $"/{Pattern}/_settings"), StringComparison.Ordinal);
    }

    private static Task<IReadOnlyList<PanelRow>> RowsAsync(ElasticsearchServer server, string id) => new LensQuery(id).RunAsync(server, Pattern);

    private static IEnumerable<string> Sums(IReadOnlyList<PanelRow> rows, Func<PanelRow, string> key, string column = "count") =>
        rows.GroupBy(key).Select(group => $"{group.Key}: {group.Sum(row => row.Count(column))}").Order(StringComparer.Ordinal);

    private static async Task<Hit[]> SearchAsync(ElasticsearchServer server, string id)
    {
        JsonNode answer = JsonNode.Parse(await server.RequestAsync(HttpMethod.Post, $"/{Pattern}/_search", SavedObjects.SearchBody(id).ToJsonString()))!;
        return [.. answer["hits"]!["hits"]!.AsArray().Select(hit => new Hit(hit!["fields"]!, Padded((string)hit["_source"]!["@timestamp"]!), (long)hit["_source"]!["event"]!["sequence"]!))];
    }

    /// <summary>With nine digits of a second: the server leaves out the zeros at the end in one place and shows what it was given in another.</summary>
    private static string Padded(string time)
    {
        string text = time.TrimEnd('Z');
        return (text.Contains('.', StringComparison.Ordinal) ? text : text + ".").PadRight("2026-11-20T20:35:46.685148284".Length, '0');
    }

    private sealed record Hit(JsonNode Fields, string Time, long Sequence);
}
