using System.IO.Compression;
using System.Net;
using System.Text;
using System.Text.Json;
using LogAgent.Tests.Support;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace LogAgent.IntegrationTests.Support;

/// <summary>What a <see cref="DocumentStore"/> answers in place of taking a request or an item.</summary>
/// <param name="Status">0 cuts the connection.</param>
internal sealed record StoreFault(int Status, string Type = "", bool StoreFirst = false, TimeSpan Delay = default);

/// <summary>
/// A server that answers _bulk as Elasticsearch does: it stores a document under its index and id, answers 409 to a second create,
/// and keeps what it has over a stop and a start on the same port. Faults are given by the test for requests and for items.
/// </summary>
internal sealed class DocumentStore : IAsyncDisposable
{
    private readonly BulkDocuments _documents = new();
    private WebApplication? _server;
    private long _requests;
    private long _gapRecords;

    public DocumentStore()
    {
        _documents.OnStored = item =>
        {
            using JsonDocument document = JsonDocument.Parse(item.Document);
            JsonElement root = document.RootElement;
            string message = root.TryGetProperty("message", out JsonElement text) || root.TryGetProperty("log", out text) ? text.ToString() : "";
            if (!Stored.Add(message) && item.Document.AsSpan().IndexOf("\"gap\""u8) >= 0)
            {
                Interlocked.Increment(ref _gapRecords);
            }
        };
        _documents.OnItem = item => ItemFault?.Invoke(item.Id, Encoding.UTF8.GetString(item.Document)) is { } fault ? new ItemFault(fault.Status, fault.Type, "as the test asks") : null;
    }

    /// <summary>The port on which it listens from the first start on.</summary>
    public int Port { get; private set; }

    public string Url => $"http://127.0.0.1:{Port}";

    /// <summary>What was stored, without the conflicts: the oracle's view.</summary>
    public Sequences Stored { get; } = new();

    /// <summary>False: what is stored is known by its id alone.</summary>
    public bool KeepDocuments
    {
        get => _documents.KeepContent;
        set => _documents.KeepContent = value;
    }

    /// <summary>Documents that tell of records that are missing.</summary>
    public long GapRecords => Interlocked.Read(ref _gapRecords);

    public long Requests => Interlocked.Read(ref _requests);

    /// <summary>How many documents were sent again though they were stored.</summary>
    public long Conflicts => _documents.Conflicts;

    public IReadOnlyCollection<string> Documents => [.. _documents.All.Values.Select(Encoding.UTF8.GetString)];

    /// <summary>Index and id of each document, joined by a slash.</summary>
    public IEnumerable<string> Keys => _documents.All.Keys;

    /// <summary>A fault for the whole request, by its number from 1 and its length in bytes; null takes it.</summary>
    public Func<long, long, StoreFault?>? RequestFault { get; set; }

    /// <summary>A fault for one item, by its id and its document; null takes it.</summary>
    public Func<string, string, StoreFault?>? ItemFault { get; set; }

    public static async Task<DocumentStore> StartNewAsync()
    {
        var store = new DocumentStore();
        await store.StartAsync();
        return store;
    }

    /// <summary>A store that does not listen yet, with a port for it.</summary>
    public static DocumentStore Down() => new() { Port = FreePorts.One() };

    public async Task StartAsync()
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(options =>
        {
            options.Listen(IPAddress.Loopback, Port);
            options.Limits.MaxRequestBodySize = null;
            options.Limits.MinRequestBodyDataRate = null;
        });
        WebApplication server = builder.Build();
        server.Run(AnswerAsync);
        await server.StartAsync();
        Port = new Uri(server.Urls.First()).Port;
        _server = server;
    }

    /// <summary>Stops listening and cuts the connections; what is stored stays.</summary>
    public async Task StopAsync()
    {
        if (_server is not null)
        {
            using var now = new CancellationTokenSource(TimeSpan.FromMilliseconds(200));
            await _server.StopAsync(now.Token);
            await _server.DisposeAsync();
            _server = null;
        }
    }

    public async ValueTask DisposeAsync() => await StopAsync();

    private async Task AnswerAsync(HttpContext context)
    {
        context.Response.Headers["X-Elastic-Product"] = "Elasticsearch";
        string path = context.Request.Path.Value ?? "/";
        if (path.EndsWith("/_bulk", StringComparison.Ordinal))
        {
            await BulkAsync(context);
            return;
        }

        (int status, string body) = path == "/"
            ? (200, """{"name":"store","cluster_name":"store","cluster_uuid":"x","version":{"number":"8.19.0","build_flavor":"default"},"tagline":"You Know, for Search"}""")
            : HttpMethods.IsGet(context.Request.Method) || HttpMethods.IsHead(context.Request.Method) ? (404, """{"error":"not there","status":404}""") : (200, """{"acknowledged":true}""");
        await WriteAsync(context, status, body);
    }

    private async Task BulkAsync(HttpContext context)
    {
        using var buffer = new MemoryStream();
        Stream body = context.Request.Headers.ContentEncoding == "gzip" ? new GZipStream(context.Request.Body, CompressionMode.Decompress) : context.Request.Body;
        await body.CopyToAsync(buffer, context.RequestAborted);
        long number = Interlocked.Increment(ref _requests);
        StoreFault? fault = RequestFault?.Invoke(number, buffer.Length);
        string answer = "";
        if (fault is null or { StoreFirst: true })
        {
            string path = context.Request.Path.Value!;
            answer = _documents.Take(buffer.GetBuffer().AsSpan(0, (int)buffer.Length), path[..^"/_bulk".Length].TrimStart('/'));
        }

        if (fault is null)
        {
            await WriteAsync(context, 200, answer);
            return;
        }

        if (fault.Delay > TimeSpan.Zero)
        {
            await Task.Delay(fault.Delay, TimeProvider.System, context.RequestAborted);
        }

        if (fault.Status == 0)
        {
            context.Abort();
        }
        else
        {
            await WriteAsync(context, fault.Status, fault.Status == 200 ? answer : fault.Status == 413 ? "" : $$"""{"error":{"type":"{{fault.Type}}"},"status":{{fault.Status}}}""");
        }
    }

    private static async Task WriteAsync(HttpContext context, int status, string body)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json";
        byte[] bytes = Encoding.UTF8.GetBytes(body);
        context.Response.ContentLength = bytes.Length;
        if (!HttpMethods.IsHead(context.Request.Method))
        {
            await context.Response.Body.WriteAsync(bytes, context.RequestAborted);
        }
    }
}
