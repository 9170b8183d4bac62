using System.Text.Json.Nodes;
using LogAgent.Delivery;
using LogAgent.IntegrationTests.Support;
using LogAgent.Outputs.Elasticsearch;

namespace LogAgent.IntegrationTests.Elasticsearch;

public sealed class OneNodeTests(OneNodeTests.Fixture fixture) : IClassFixture<OneNodeTests.Fixture>
{
    [ScenarioFact(Needs.Elasticsearch)]
    public async Task Records_are_stored_once_with_their_nanoseconds_under_the_agents_template()
    {
        ElasticsearchServer server = await fixture.GetAsync();
        await using ElasticsearchOutput output = OutputUnderTest.Make(server, "logagent-once-%{yyyy.MM.dd}");
        RecordGroup group = OutputUnderTest.Lines(2000, more: OutputUnderTest.DottedLabels);
        Assert.Same(SendResult.Delivered, await output.SendAsync(group, default));
        SendResult again = await output.SendAsync(group, default);
        Assert.Empty(again.Retry);
        Assert.Empty(again.Rejected);
        Assert.Equal(Enumerable.Range(0, 2000), await OutputUnderTest.NumbersAsync(server, "logagent-once-2026.11.20"));
        JsonNode properties = JsonNode.Parse(await server.RequestAsync(HttpMethod.Get, "/logagent-once-2026.11.20/_mapping"))!["logagent-once-2026.11.20"]!["mappings"]!["properties"]!;
        Assert.Equal("date_nanos", properties["@timestamp"]!["type"]!.GetValue<string>());
        Assert.Equal("flattened", properties["container"]!["properties"]!["labels"]!["type"]!.GetValue<string>());
        Assert.Equal("keyword", properties["host"]!["properties"]!["name"]!["type"]!.GetValue<string>());
    }

    [ScenarioFact(Needs.Elasticsearch)]
    public async Task The_template_is_recognised_as_the_agents_until_someone_changes_it()
    {
        ElasticsearchServer server = await fixture.GetAsync();
        KeptLines log = new();
        await using (ElasticsearchOutput first = OutputUnderTest.Make(server, "logagent-template-%{yyyy.MM.dd}", logger: log))
        {
            await first.SendAsync(OutputUnderTest.Lines(1), default);
            Assert.Contains(await first.CheckAsync(default), result => result is { Ok: true, Detail: "installed" });
        }

        Assert.Contains(log.All, line => line.Contains("index template logagent-template installed", StringComparison.Ordinal));
        JsonNode stored = JsonNode.Parse(await server.RequestAsync(HttpMethod.Get, "/_index_template/logagent-template"))!["index_templates"]![0]!["index_template"]!;
        stored["template"]!["settings"] = JsonNode.Parse("""{"index":{"number_of_replicas":"0"}}""");
        await server.RequestAsync(HttpMethod.Put, "/_index_template/logagent-template", stored.ToJsonString());
        log.All.Clear();
        await using ElasticsearchOutput second = OutputUnderTest.Make(server, "logagent-template-%{yyyy.MM.dd}", logger: log);
        await second.SendAsync(OutputUnderTest.Lines(1, first: 1), default);
        Assert.Contains("changed by someone else", Assert.Single(log.All));
        Assert.Contains("number_of_replicas", await server.RequestAsync(HttpMethod.Get, "/_index_template/logagent-template"));
    }

    [ScenarioFact(Needs.Elasticsearch)]
    public async Task A_record_that_the_mapping_refuses_is_rejected_with_the_servers_reason()
    {
        ElasticsearchServer server = await fixture.GetAsync();
        await server.RequestAsync(HttpMethod.Put, "/conflict", """{"mappings":{"properties":{"team":{"type":"long"}}}}""");
        await using ElasticsearchOutput output = OutputUnderTest.Make(server, "conflict");
        SendResult bad = await output.SendAsync(OutputUnderTest.Lines(2, more: ",\"team\":\"search\""), default);
        Assert.Equal([0, 1], bad.Rejected.Select(rejected => rejected.Index));
        Assert.Equal("document_parsing_exception", bad.Rejected[0].Reason);
        Assert.Contains("team", bad.Rejected[0].Detail);
        SendResult mixed = await output.SendAsync(OutputUnderTest.Lines(4), default);
        Assert.Empty(mixed.Rejected);
        Assert.Equal(4, await server.CountAsync("conflict"));
    }

    [ScenarioFact(Needs.Elasticsearch)]
    public async Task A_full_disk_keeps_the_records_until_there_is_room()
    {
        ElasticsearchServer server = await fixture.GetAsync();
        await server.RequestAsync(HttpMethod.Put, "/full");
        await server.RequestAsync(HttpMethod.Put, "/full/_settings", """{"index.blocks.read_only_allow_delete":true}""");
        await using ElasticsearchOutput output = OutputUnderTest.Make(server, "full");
        RecordGroup group = OutputUnderTest.Lines(10);
        SendResult result = await output.SendAsync(group, default);
        Assert.Equal(Enumerable.Range(0, 10), result.Retry);
        Assert.Contains("cluster_block_exception", result.RetryReason);
        await server.RequestAsync(HttpMethod.Put, "/full/_settings", """{"index.blocks.read_only_allow_delete":null}""");
        await OutputUnderTest.DeliverAsync(output, group);
        Assert.Equal(10, await server.CountAsync("full"));
    }

    [ScenarioFact(Needs.Elasticsearch)]
    public async Task A_write_block_keeps_the_records_until_it_is_lifted()
    {
        ElasticsearchServer server = await fixture.GetAsync();
        await server.RequestAsync(HttpMethod.Put, "/blocked");
        await server.RequestAsync(HttpMethod.Put, "/blocked/_settings", """{"index.blocks.write":true}""");
        await using ElasticsearchOutput output = OutputUnderTest.Make(server, "blocked");
        RecordGroup group = OutputUnderTest.Lines(10);
        Assert.Equal(10, (await output.SendAsync(group, default)).Retry.Count);
        await server.RequestAsync(HttpMethod.Put, "/blocked/_settings", """{"index.blocks.write":null}""");
        await OutputUnderTest.DeliverAsync(output, group);
        Assert.Equal(10, await server.CountAsync("blocked"));
    }

    [ScenarioFact(Needs.Elasticsearch)]
    public async Task No_room_for_a_new_index_keeps_the_records()
    {
        ElasticsearchServer server = await fixture.GetAsync();
        await server.RequestAsync(HttpMethod.Put, "/_cluster/settings", """{"persistent":{"cluster.max_shards_per_node":1}}""");
        await using ElasticsearchOutput output = OutputUnderTest.Make(server, "logagent-crowded-%{yyyy.MM.dd}");
        RecordGroup group = OutputUnderTest.Lines(10);
        try
        {
            Assert.Equal(10, (await output.SendAsync(group, default)).Retry.Count);
        }
        finally
        {
            await server.RequestAsync(HttpMethod.Put, "/_cluster/settings", """{"persistent":{"cluster.max_shards_per_node":null}}""");
        }

        await OutputUnderTest.DeliverAsync(output, group);
    }

    [ScenarioFact(Needs.Elasticsearch)]
    public async Task A_body_over_the_limit_is_too_large_and_the_limit_is_learned()
    {
        ElasticsearchServer server = await fixture.GetAsync();
        foreach (int gzipLevel in new[] { 0, 1 })
        {
            await using ElasticsearchOutput output = OutputUnderTest.Make(server, "large", options => options with { GzipLevel = gzipLevel });
            long before = output.Limits.GroupBytes;
            Assert.Same(SendResult.TooLarge, await output.SendAsync(OutputUnderTest.Lines(12_000, length: 300), default));
            Assert.InRange(output.Limits.GroupBytes, 1, before);
            for (int first = 0; first < 12_000; first += 1500)
            {
                await OutputUnderTest.DeliverAsync(output, OutputUnderTest.Lines(1500, first, 300));
            }

            Assert.Equal(12_000, await server.CountAsync("large"));
            Assert.Same(SendResult.TooLarge, await output.SendAsync(OutputUnderTest.Lines(1, first: 20_000, length: 1_100_000), default));
        }
    }

    [ScenarioFact(Needs.Elasticsearch)]
    public async Task A_data_stream_is_made_by_the_first_write()
    {
        ElasticsearchServer server = await fixture.GetAsync();
        await using ElasticsearchOutput output = OutputUnderTest.Make(server, "app-logs", options => options with { IsDataStream = true });
        RecordGroup group = OutputUnderTest.Lines(100);
        Assert.Same(SendResult.Delivered, await output.SendAsync(group, default));
        Assert.Empty((await output.SendAsync(group, default)).Retry);
        Assert.Equal(100, await server.CountAsync("app-logs"));
        Assert.Contains(".ds-app-logs-", await server.RequestAsync(HttpMethod.Get, "/_cat/indices?expand_wildcards=all"));
    }

    [ScenarioFact(Needs.Elasticsearch)]
    public async Task A_check_finds_the_version_and_the_missing_security()
    {
        ElasticsearchServer server = await fixture.GetAsync();
        await using ElasticsearchOutput output = OutputUnderTest.Make(server, "logagent-%{yyyy.MM.dd}");
        IReadOnlyList<CheckResult> results = await output.CheckAsync(default);
        Assert.All(results, result => Assert.True(result.Ok, result.Detail));
        Assert.StartsWith("Elasticsearch 8.", results[0].Detail, StringComparison.Ordinal);
    }

    public sealed class Fixture() : ServerFixture(1, false, "--set", "http.max_content_length=1mb");
}
