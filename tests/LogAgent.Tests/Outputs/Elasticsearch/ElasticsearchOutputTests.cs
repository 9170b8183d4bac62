using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using LogAgent.Delivery;
using LogAgent.Outputs;
using LogAgent.Outputs.Elasticsearch;
using LogAgent.Tailing;
using LogAgent.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;

namespace LogAgent.Tests.Outputs.Elasticsearch;

public sealed partial class ElasticsearchOutputTests : IAsyncLifetime
{
    private const long Day = UtcDay.Nanos;

    private BulkServer _server = null!;

    public async Task InitializeAsync() => _server = await BulkServer.StartAsync();

    public async Task DisposeAsync() => await _server.DisposeAsync();

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(9)]
    public async Task Records_arrive_under_the_id_of_their_position_in_the_index_of_their_day(int gzipLevel)
    {
        await using ElasticsearchOutput output = Output(options => options with { GzipLevel = gzipLevel });
        BatchBuilder batch = new();
        batch.Add("one", RecordFlags.Escaped, "2026-11-20T20:35:46.685148284Z", nanos: 20_777 * Day).Add("two \"plain\"", nanos: (20_777 * Day) + 5);
        SendResult result = await output.SendAsync(batch.BuildGroup(), default);
        Assert.Same(SendResult.Delivered, result);
        Assert.Equal(["/logagent-2026.11.20/_bulk"], _server.Paths);
        Assert.Equal([gzipLevel > 0 ? "gzip" : ""], _server.Encodings);
        LogBatch built = batch.Build();
        foreach (LogRecord record in built.Records.ToArray())
        {
            byte[] id = new byte[RecordId.MaxLength];
            int length = RecordId.Write(id, built, record);
            Assert.True(_server.Documents.ContainsKey($"logagent-2026.11.20/{Encoding.ASCII.GetString(id, 0, length)}"));
        }

        Assert.Contains(_server.Documents.Values, document => JsonDocument.Parse(document).RootElement.GetProperty("message").GetString() == "two \"plain\"");
    }

    [Fact]
    public async Task Records_of_two_days_go_each_to_the_index_of_its_day()
    {
        await using ElasticsearchOutput output = Output();
        BatchBuilder batch = new();
        batch.Add("a", nanos: 20_777 * Day).Add("b", nanos: (20_777 * Day) - 1);
        await output.SendAsync(batch.BuildGroup(), default);
        Assert.Equal(["/_bulk"], _server.Paths);
        Assert.Equal(["logagent-2026.11.19", "logagent-2026.11.20"], _server.Documents.Keys.Select(key => key.Split('/')[0]).Order());
    }

    [Fact]
    public async Task Without_ids_the_server_makes_them()
    {
        await using ElasticsearchOutput output = Output(options => options with { Id = DocumentId.None });
        BatchBuilder batch = new();
        batch.Add("a", nanos: 20_777 * Day).Add("b", nanos: (20_777 * Day) - 1);
        await output.SendAsync(batch.BuildGroup(), default);
        await output.SendAsync(new BatchBuilder().Add("a").BuildGroup(), default);
        Assert.All(_server.Documents.Keys, key => Assert.Contains("/made-", key));
        Assert.Equal(3, _server.Documents.Count);
    }

    [Fact]
    public async Task What_is_there_already_counts_as_delivered()
    {
        await using ElasticsearchOutput output = Output();
        RecordGroup group = Lines(100);
        await output.SendAsync(group, default);
        SendResult again = await output.SendAsync(group, default);
        Assert.Empty(again.Retry);
        Assert.Empty(again.Rejected);
        Assert.Equal(100, _server.Conflicts);
        Assert.Equal(100, _server.Documents.Count);
    }

    [Fact]
    public async Task Each_item_has_a_state_of_its_own()
    {
        await using ElasticsearchOutput output = Output();
        _server.OnItem = item => Number(item) switch
        {
            1 => new(429, "es_rejected_execution_exception", "queue full"),
            2 => new(400, "document_parsing_exception", "field [x] of type [long]"),
            3 => new(503, "unavailable_shards_exception", "primary away"),
            4 => new(403, "security_exception", "not yours"),
            5 => new(404, "document_missing_exception", "gone"),
            6 => new(400, "validation_exception", "this cluster has 1000 of 1000 shards open"),
            _ => null,
        };
        SendResult result = await output.SendAsync(Lines(8), default);
        Assert.Equal([1, 3, 4, 6], result.Retry);
        Assert.Equal("429 es_rejected_execution_exception: queue full", result.RetryReason);
        Assert.Equal([new(2, "document_parsing_exception", "field [x] of type [long]"), new(5, "document_missing_exception", "gone")], result.Rejected);
        Assert.Equal(2, _server.Documents.Count);
    }

    [Fact]
    public async Task When_no_item_may_be_written_the_group_is_kept_as_unauthorized()
    {
        await using ElasticsearchOutput output = Output();
        _server.OnItem = _ => new(403, "security_exception", "not yours");
        SendException problem = await Assert.ThrowsAsync<SendException>(() => output.SendAsync(Lines(3), default));
        Assert.Equal(SendTrouble.Unauthorized, problem.Trouble);
        Assert.Contains("create_doc", problem.Message);
    }

    [Theory]
    [InlineData(BulkFault.Status401, (int)SendTrouble.Unauthorized, "wants credentials (401)")]
    [InlineData(BulkFault.Status403, (int)SendTrouble.Unauthorized, "(403)")]
    [InlineData(BulkFault.Status429, (int)SendTrouble.Throttled, "played_exception: the test asked for it")]
    [InlineData(BulkFault.Status503, (int)SendTrouble.Throttled, "503")]
    [InlineData(BulkFault.Status500, (int)SendTrouble.Unreachable, "answers 500")]
    [InlineData(BulkFault.Status400, (int)SendTrouble.Refused, "refuses the request (400)")]
    [InlineData(BulkFault.CutBefore, (int)SendTrouble.Unreachable, "the connection broke")]
    [InlineData(BulkFault.CutAfter, (int)SendTrouble.Unreachable, "the connection broke")]
    [InlineData(BulkFault.HalfAnswer, (int)SendTrouble.Unreachable, "the connection broke")]
    [InlineData(BulkFault.Garbage, (int)SendTrouble.Unreachable, "<html>")]
    [InlineData(BulkFault.WrongCount, (int)SendTrouble.Unreachable, "no answer to the request")]
    [InlineData(BulkFault.Hang, (int)SendTrouble.Unreachable, "did not answer within")]
    public async Task Trouble_with_the_whole_request_keeps_the_group_and_the_next_attempt_delivers_it_once(BulkFault fault, int trouble, string words)
    {
        await using ElasticsearchOutput output = Output(options => options with { Timeout = fault == BulkFault.Hang ? TimeSpan.FromMilliseconds(150) : TimeSpan.FromSeconds(20) });
        _server.Then(fault);
        RecordGroup group = Lines(10);
        SendException problem = await Assert.ThrowsAsync<SendException>(() => output.SendAsync(group, default));
        Assert.Equal((SendTrouble)trouble, problem.Trouble);
        Assert.Contains(words, problem.Message);
        Assert.Contains(_server.Address.Authority, problem.Message);
        SendResult result = await output.SendAsync(group, default);
        Assert.Empty(result.Retry);
        SequenceReport audit = _server.Audit(LineNumber(), 0, 9);
        Assert.Empty(audit.Missing);
        Assert.Empty(audit.Doubled);
    }

    [Fact]
    public async Task A_refused_length_is_learned_and_groups_become_smaller()
    {
        await using ElasticsearchOutput output = Output(options => options with { GzipLevel = 0 });
        RecordGroup large = Lines(4000);
        await output.SendAsync(large, default);
        long before = output.Limits.GroupBytes;
        _server.MaxBody = 300_000;
        Assert.Same(SendResult.TooLarge, await output.SendAsync(large, default));
        Assert.InRange(output.Limits.GroupBytes, 1, before / 2);
        int requests = _server.Requests;
        Assert.Same(SendResult.TooLarge, await output.SendAsync(large, default));
        Assert.Equal(requests, _server.Requests); // known by now: not sent
        Assert.NotSame(SendResult.TooLarge, await output.SendAsync(Lines(1000), default));
    }

    [Fact]
    public async Task A_single_record_is_cut_at_the_limit_of_its_group()
    {
        await using ElasticsearchOutput output = Output();
        BatchBuilder batch = new();
        batch.Add(new string('x', 1000), RecordFlags.Escaped);
        await output.SendAsync(batch.BuildGroup(messageLimit: 10), default);
        JsonElement document = JsonDocument.Parse(_server.Documents.Values.Single()).RootElement;
        Assert.Equal("xxxxxxxxxx", document.GetProperty("message").GetString());
        Assert.Equal("truncated", document.GetProperty("log").GetProperty("flags")[0].GetString());
    }

    [Fact]
    public async Task A_dead_node_is_left_out_and_the_others_take_its_share()
    {
        BulkServer second = await BulkServer.StartAsync();
        Uri gone = second.Address;
        await second.DisposeAsync();
        await using ElasticsearchOutput output = Output(options => options with { Hosts = [gone, _server.Address] });
        for (int i = 0; i < 6; i++)
        {
            Assert.Same(SendResult.Delivered, await output.SendAsync(Lines(1, first: i), default));
        }

        Assert.Empty(_server.Audit(LineNumber(), 0, 5).Missing);
    }

    [Fact]
    public async Task With_every_node_away_the_sentence_says_so()
    {
        BulkServer second = await BulkServer.StartAsync();
        Uri gone = second.Address;
        await second.DisposeAsync();
        await using ElasticsearchOutput output = Output(options => options with { Hosts = [gone] });
        SendException problem = await Assert.ThrowsAsync<SendException>(() => output.SendAsync(Lines(1), default));
        Assert.Contains("refuses the connection: nothing listens there", problem.Message);
    }

    [Fact]
    public async Task Credentials_are_shown_and_a_refusal_is_mended_without_a_restart()
    {
        _server.Authorization = "ApiKey aWQ6a2V5";
        await using (ElasticsearchOutput output = Output(options => options with { Credentials = Credentials.ApiKey("id:key") }))
        {
            Assert.Same(SendResult.Delivered, await output.SendAsync(Lines(1), default));
            _server.Authorization = "ApiKey other";
            SendException problem = await Assert.ThrowsAsync<SendException>(() => output.SendAsync(Lines(2), default));
            Assert.Contains("does not accept the api_key", problem.Message);
            Assert.DoesNotContain("aWQ6a2V5", problem.Message);
            _server.Authorization = "ApiKey aWQ6a2V5";
            await output.SendAsync(Lines(2), default);
        }

        _server.Authorization = "Basic ZWxhc3RpYzpwYTpzcw==";
        await using (ElasticsearchOutput output = Output(options => options with { Credentials = Credentials.Basic("elastic", "pa:ss") }))
        {
            await output.SendAsync(Lines(2), default);
        }
    }

    [Fact]
    public async Task A_stop_ends_a_send_that_hangs()
    {
        await using ElasticsearchOutput output = Output();
        _server.Always = BulkFault.Hang;
        using CancellationTokenSource stop = new();
        Task<SendResult> send = output.SendAsync(Lines(1), stop.Token);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => send);
    }

    [Fact]
    public async Task Sends_may_overlap()
    {
        await using ElasticsearchOutput output = Output();
        await Task.WhenAll(Enumerable.Range(0, 20).Select(i => output.SendAsync(Lines(200, first: i * 200), default)));
        SequenceReport audit = _server.Audit(LineNumber(), 0, 3999);
        Assert.Empty(audit.Missing);
        Assert.Empty(audit.Doubled);
    }

    [Fact]
    public async Task A_check_says_what_answers_there()
    {
        await using ElasticsearchOutput output = Output(options => options with { InstallTemplate = true });
        IReadOnlyList<CheckResult> results = await output.CheckAsync(default);
        Assert.All(results, result => Assert.True(result.Ok, result.Detail));
        Assert.Equal("Elasticsearch 8.19.21", results[0].Detail);
        Assert.Empty(_server.Templates); // a check changes nothing
        _server.Version = "6.8.0";
        Assert.False((await output.CheckAsync(default))[0].Ok);
        _server.Authorization = "x";
        Assert.Contains("401", (await output.CheckAsync(default))[0].Detail);
    }

    private static int Number(BulkItem item) => int.Parse(LineNumber().Match(Encoding.UTF8.GetString(item.Document)).Groups[1].ValueSpan);

    private static RecordGroup Lines(int count, int first = 0)
    {
        BatchBuilder batch = new();
        for (int i = first; i < first + count; i++)
        {
            batch.Add($"line={i}; and some text that makes it longer", RecordFlags.Escaped, nanos: 20_777 * Day, offset: i * 60);
        }

        return batch.BuildGroup();
    }

    [GeneratedRegex("line=([0-9]+);")]
    private static partial Regex LineNumber();

    private ElasticsearchOutput Output(Func<ElasticsearchOptions, ElasticsearchOptions>? change = null)
    {
        Assert.True(IndexName.TryParse("logagent-%{yyyy.MM.dd}", out IndexName index, out _));
        ElasticsearchOptions options = new() { Index = index, Hosts = [_server.Address], InstallTemplate = false };
        return new(change?.Invoke(options) ?? options, new(Schema.Ecs), TimeProvider.System, NullLogger.Instance);
    }
}
