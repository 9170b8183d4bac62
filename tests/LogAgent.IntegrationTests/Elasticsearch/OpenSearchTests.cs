using System.Text.Json.Nodes;
using LogAgent.Delivery;
using LogAgent.IntegrationTests.Support;
using LogAgent.Outputs.Elasticsearch;

namespace LogAgent.IntegrationTests.Elasticsearch;

public sealed class OpenSearchTests(OpenSearchTests.Fixture fixture) : IClassFixture<OpenSearchTests.Fixture>
{
    [ScenarioFact(Needs.Elasticsearch)]
    public async Task Records_are_stored_once_under_a_template_that_OpenSearch_takes()
    {
        ElasticsearchServer server = await fixture.GetAsync();
        KeptLines log = new();
        await using ElasticsearchOutput output = OutputUnderTest.Make(server, "logagent-%{yyyy.MM.dd}", logger: log);
        RecordGroup group = OutputUnderTest.Lines(1000, more: OutputUnderTest.DottedLabels);
        Assert.Same(SendResult.Delivered, await output.SendAsync(group, default));
        Assert.Empty((await output.SendAsync(group, default)).Retry);
        Assert.Equal(Enumerable.Range(0, 1000), await OutputUnderTest.NumbersAsync(server, "logagent-2026.11.20"));
        JsonNode properties = JsonNode.Parse(await server.RequestAsync(HttpMethod.Get, "/logagent-2026.11.20/_mapping"))!["logagent-2026.11.20"]!["mappings"]!["properties"]!;
        Assert.Equal("date_nanos", properties["@timestamp"]!["type"]!.GetValue<string>());
        Assert.Equal("flat_object", properties["container"]!["properties"]!["labels"]!["type"]!.GetValue<string>());
        IReadOnlyList<CheckResult> check = await output.CheckAsync(default);
        Assert.StartsWith("OpenSearch 2.", check[0].Detail, StringComparison.Ordinal);
        Assert.Contains(check, result => result.Detail == "installed");
        Assert.DoesNotContain(log.All, line => line.StartsWith("Warning", StringComparison.Ordinal));
    }

    [ScenarioFact(Needs.Elasticsearch)]
    public async Task A_data_stream_is_made_by_the_first_write()
    {
        ElasticsearchServer server = await fixture.GetAsync();
        await using ElasticsearchOutput output = OutputUnderTest.Make(server, "app-logs", options => options with { IsDataStream = true });
        Assert.Same(SendResult.Delivered, await output.SendAsync(OutputUnderTest.Lines(100), default));
        Assert.Equal(100, await server.CountAsync("app-logs"));
        Assert.Contains("app-logs", await server.RequestAsync(HttpMethod.Get, "/_data_stream/app-logs"));
        Assert.Contains(await output.CheckAsync(default), result => result.Detail == "installed");
    }

    public sealed class Fixture() : ServerFixture(1, false, "--opensearch");
}
