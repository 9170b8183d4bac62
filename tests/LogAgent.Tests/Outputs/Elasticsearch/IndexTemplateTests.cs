using System.Text.Json.Nodes;
using LogAgent.Delivery;
using LogAgent.Outputs;
using LogAgent.Outputs.Elasticsearch;
using LogAgent.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;

namespace LogAgent.Tests.Outputs.Elasticsearch;

public sealed class IndexTemplateTests : IAsyncLifetime
{
    private BulkServer _server = null!;

    public async Task InitializeAsync() => _server = await BulkServer.StartAsync();

    public async Task DisposeAsync() => await _server.DisposeAsync();

    [Fact]
    public async Task It_is_installed_before_the_first_records()
    {
        await SendAsync();
        JsonNode template = _server.Templates["logagent"];
        Assert.Equal("logagent-*", template["index_patterns"]![0]!.GetValue<string>());
        JsonNode properties = template["template"]!["mappings"]!["properties"]!;
        Assert.Equal("date_nanos", properties["@timestamp"]!["type"]!.GetValue<string>());
        Assert.Equal("flattened", properties["container"]!["properties"]!["labels"]!["type"]!.GetValue<string>());
        Assert.Equal("keyword", properties["container"]!["properties"]!["image"]!["properties"]!["tag"]!["type"]!.GetValue<string>());
        Assert.Null(template["data_stream"]);
        Assert.NotNull(template["_meta"]!["logagent_version"]);
    }

    [Fact]
    public async Task OpenSearch_gets_its_own_type_for_labels()
    {
        _server.Distribution = "opensearch";
        await SendAsync();
        Assert.Contains("flat_object", _server.Templates["logagent"].ToJsonString());
    }

    [Fact]
    public async Task A_data_stream_says_so()
    {
        await SendAsync(options => options with { Index = Index("app-logs"), IsDataStream = true });
        Assert.NotNull(_server.Templates["logagent-app-logs-stream"]["data_stream"]);
        Assert.StartsWith("app-logs/", _server.Documents.Keys.Single(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_flat_schema_has_its_own_names()
    {
        await SendAsync(schema: Schema.Flat);
        Assert.Equal("date_nanos", _server.Templates["logagent-flat"]["template"]!["mappings"]!["properties"]!["time"]!["type"]!.GetValue<string>());
    }

    [Fact]
    public async Task One_that_someone_changed_is_left_as_it_is()
    {
        await SendAsync();
        _server.Templates["logagent"]["template"]!["settings"] = JsonNode.Parse("""{"index":{"number_of_replicas":"2"}}""");
        string changed = _server.Templates["logagent"].ToJsonString();
        await SendAsync();
        Assert.Equal(changed, _server.Templates["logagent"].ToJsonString());
        _server.Templates["logagent"] = JsonNode.Parse("""{"index_patterns":["logagent-*"]}""")!;
        await SendAsync();
        Assert.Null(_server.Templates["logagent"]["template"]);
    }

    [Fact]
    public async Task One_of_another_version_that_nobody_changed_is_brought_up_to_date()
    {
        JsonObject old = (JsonObject)JsonNode.Parse("""{"index_patterns":["logagent-*"],"priority":100,"template":{}}""")!;
        old["_meta"] = new JsonObject { ["logagent_version"] = "0.0.1", ["logagent_checksum"] = TemplateDocument.Checksum(old) };
        _server.Templates["logagent"] = old;
        await SendAsync();
        Assert.Equal(150, _server.Templates["logagent"]["priority"]!.GetValue<int>());
    }

    [Fact]
    public async Task One_of_a_newer_version_is_not_taken_back()
    {
        JsonObject newer = (JsonObject)JsonNode.Parse("""{"index_patterns":["logagent-*"],"priority":300,"template":{}}""")!;
        newer["_meta"] = new JsonObject { ["logagent_version"] = "99.0.0", ["logagent_checksum"] = TemplateDocument.Checksum(newer) };
        _server.Templates["logagent"] = newer;
        await SendAsync();
        Assert.Equal(300, _server.Templates["logagent"]["priority"]!.GetValue<int>());
    }

    [Theory]
    [InlineData(400)]
    [InlineData(403)]
    public async Task A_server_that_will_not_have_it_gets_the_records_all_the_same(int status)
    {
        _server.TemplateStatus = status;
        await SendAsync();
        Assert.Empty(_server.Templates);
        Assert.Single(_server.Documents);
    }

    [Fact]
    public async Task A_server_that_is_busy_keeps_the_records_waiting_until_it_is_installed()
    {
        _server.TemplateStatus = 503;
        await using ElasticsearchOutput output = Output();
        SendException problem = await Assert.ThrowsAsync<SendException>(() => output.SendAsync(new BatchBuilder().Add("x").BuildGroup(), default));
        Assert.Equal(SendTrouble.Throttled, problem.Trouble);
        Assert.Equal(0, _server.Requests);
        _server.TemplateStatus = 0;
        await output.SendAsync(new BatchBuilder().Add("x").BuildGroup(), default);
        Assert.Single(_server.Templates);
        Assert.Single(_server.Documents);
    }

    private static IndexName Index(string pattern)
    {
        Assert.True(IndexName.TryParse(pattern, out IndexName index, out _));
        return index;
    }

    private async Task SendAsync(Func<ElasticsearchOptions, ElasticsearchOptions>? change = null, Schema schema = Schema.Ecs)
    {
        await using ElasticsearchOutput output = Output(change, schema);
        await output.SendAsync(new BatchBuilder().Add("x").BuildGroup(), default);
    }

    private ElasticsearchOutput Output(Func<ElasticsearchOptions, ElasticsearchOptions>? change = null, Schema schema = Schema.Ecs)
    {
        ElasticsearchOptions options = new() { Index = Index("logagent-%{yyyy.MM.dd}"), Hosts = [_server.Address] };
        return new(change?.Invoke(options) ?? options, new(schema), TimeProvider.System, NullLogger.Instance);
    }
}
