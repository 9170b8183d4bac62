using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

namespace LogAgent.IntegrationTests.Support;

/// <summary>A real Elasticsearch (or OpenSearch) on free ports, started by the script that LOGAGENT_TEST_ELASTICSEARCH names.</summary>
internal sealed class ElasticsearchServer : IAsyncDisposable
{
    public const string Password = "agent-secret";

    private readonly TempFolder _folder = new();
    private readonly HttpClient _http;
    private readonly int _nodes;

    private ElasticsearchServer(int port, int nodes, bool secure)
    {
        _nodes = nodes;
        Urls = [.. Enumerable.Range(port, nodes).Select(p => secure ? $"https://localhost:{p}" : $"http://127.0.0.1:{p}")];
#pragma warning disable CA5399 // The server's certificate is from its own authority; only the oracle reads through this client.
        _http = new HttpClient(new HttpClientHandler { ServerCertificateCustomValidationCallback = (_, _, _, _) => true }) { Timeout = TimeSpan.FromSeconds(60) };
#pragma warning restore CA5399
        if (secure)
        {
            _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes("elastic:" + Password)));
        }
    }

    public IReadOnlyList<string> Urls { get; }

    /// <summary>The authority that has signed a secure server's certificate.</summary>
    public string CaFile => Path.Combine(_folder.Path, "tls", "ca.crt");

    public static async Task<ElasticsearchServer> StartAsync(int nodes = 1, bool secure = false, params string[] options)
    {
        for (int attempt = 1; ; attempt++)
        {
            int port = FreePorts.Block([.. Enumerable.Range(0, nodes), .. Enumerable.Range(100, nodes)]);
            var server = new ElasticsearchServer(port, nodes, secure);
            string[] extra = secure ? ["--secure"] : nodes > 1 ? ["--nodes", $"{nodes}"] : [];
            ShellResult start = await server.ScriptAsync("start", ["--port", $"{port}", .. extra, .. options]);
            if (start.ExitCode == 0)
            {
                return server;
            }

            await server.DisposeAsync();
            if (attempt == 3)
            {
                throw new InvalidOperationException("Elasticsearch did not start: " + start.Error);
            }
        }
    }

    /// <summary>SIGKILL to one node, 1 to N, once each shard has its copy: without one, the death of its only node would leave the index red for ever.</summary>
    public async Task KillNodeAsync(int node)
    {
        await Until.TrueAsync(
            async () => (await RequestAsync(HttpMethod.Get, "/_cluster/health")).Contains("\"status\":\"green\"", StringComparison.Ordinal),
            "each shard has its copy");
        (await ScriptAsync("stop-node", [$"{node}"])).Text("stop-node");
    }

    public async Task StartNodeAsync(int node) => (await ScriptAsync("start-node", [$"{node}"])).Text("start-node");

    public void SignalNode(int node, Signal signal) =>
        Signals.Send(int.Parse(File.ReadAllText(Path.Combine(_folder.Path, $"node-{node}.pid")), System.Globalization.CultureInfo.InvariantCulture), signal);

    public async Task<string> RequestAsync(HttpMethod method, string path, string? body = null, int node = 1)
    {
        using var request = new HttpRequestMessage(method, Urls[node - 1] + path);
        if (body is not null)
        {
            request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        }

        using HttpResponseMessage response = await _http.SendAsync(request);
        string text = await response.Content.ReadAsStringAsync();
        return response.IsSuccessStatusCode ? text : throw new InvalidOperationException($"{method} {path}: {(int)response.StatusCode} {text}");
    }

    /// <summary>How many documents the index pattern holds; 0 where there is no index yet or the cluster does not answer.</summary>
    public async Task<long> CountAsync(string pattern, int node = 1)
    {
        try
        {
            await RequestAsync(HttpMethod.Post, $"/{pattern}/_refresh", node: node);
            using JsonDocument answer = JsonDocument.Parse(await RequestAsync(HttpMethod.Get, $"/{pattern}/_count", node: node));
            return answer.RootElement.GetProperty("count").GetInt64();
        }
        catch (Exception error) when (error is HttpRequestException or InvalidOperationException or TaskCanceledException)
        {
            return 0;
        }
    }

    /// <summary>
    /// Reads every document of the pattern back and gives it to <paramref name="each"/>. After a node has come back, a reading may
    /// find a shard gone, or a copy of it that has not been refreshed since: it is begun again until it has all that are counted.
    /// </summary>
    public async Task ReadAllAsync(string pattern, Action<JsonElement> each)
    {
        List<JsonElement>? documents = null;
        for (int attempt = 0; documents is null; attempt++)
        {
            Assert.True(attempt < 20, "No reading of all shards was complete.");
            await RequestAsync(HttpMethod.Get, "/_cluster/health?wait_for_no_relocating_shards=true&wait_for_no_initializing_shards=true&timeout=50s"); // 408 where it takes longer
            await RequestAsync(HttpMethod.Post, $"/{pattern}/_refresh");
            documents = await TryReadAllAsync(pattern);
            documents = documents?.Count == await CountAsync(pattern) ? documents : null;
        }

        documents.ForEach(each);
    }

    /// <summary>Null where a shard failed to answer.</summary>
    private async Task<List<JsonElement>?> TryReadAllAsync(string pattern)
    {
        List<JsonElement> documents = [];
        string page = await RequestAsync(HttpMethod.Post, $"/{pattern}/_search?scroll=2m", """{"size":5000,"sort":["_doc"]}""");
        while (true)
        {
            using JsonDocument answer = JsonDocument.Parse(page);
            if (answer.RootElement.GetProperty("_shards").GetProperty("failed").GetInt32() > 0)
            {
                return null;
            }

            JsonElement hits = answer.RootElement.GetProperty("hits").GetProperty("hits");
            if (hits.GetArrayLength() == 0)
            {
                return documents;
            }

            documents.AddRange(hits.EnumerateArray().Select(hit => hit.GetProperty("_source").Clone()));
            string scroll = answer.RootElement.GetProperty("_scroll_id").GetString()!;
            page = await RequestAsync(HttpMethod.Post, "/_search/scroll", JsonSerializer.Serialize(new { scroll = "2m", scroll_id = scroll }));
        }
    }

    /// <summary>The oracle's view of the pattern.</summary>
    public async Task<Sequences> SequencesAsync(string pattern)
    {
        var sequences = new Sequences();
        await ReadAllAsync(pattern, document => sequences.Add(document.GetProperty("message").GetString()!));
        return sequences;
    }

    public async ValueTask DisposeAsync()
    {
        for (int node = 1; node <= _nodes; node++)
        {
            if (File.Exists(Path.Combine(_folder.Path, $"node-{node}.pid")))
            {
                try
                {
                    SignalNode(node, Signal.Cont); // a stopped one would not obey SIGTERM
                    SignalNode(node, Signal.Kill);
                }
                catch (System.ComponentModel.Win32Exception)
                {
                    // It has ended already.
                }
            }
        }

        await ScriptAsync("stop", []);
        _http.Dispose();
        _folder.Dispose();
    }

    private Task<ShellResult> ScriptAsync(string action, string[] arguments) =>
        Shell.TryAsync(Machine.ElasticsearchScript!, [action, _folder.Path, .. arguments], deadline: TimeSpan.FromSeconds(200));
}
