using System.Collections.Concurrent;
using System.IO.Compression;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.Logging;

namespace LogAgent.Tests.Support;

/// <summary>
/// A server that speaks as much of Elasticsearch as the agent uses, on 127.0.0.1, and does on request what a real one will not:
/// it stores documents by index and _id (create: 409 where there is one), and plays faults, for whole requests or for items.
/// It stands alone: it knows nothing of the agent's code.
/// </summary>
public sealed class BulkServer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly BulkDocuments _documents = new();
    private readonly ConcurrentQueue<BulkFault> _next = new();
    private readonly CancellationTokenSource _stopping = new();
    private int _requests;

    private BulkServer(WebApplication app, bool secure)
    {
        _app = app;
        Secure = secure;
    }

    public bool Secure { get; }

    public Uri Address { get; private set; } = null!;

    public int Port => Address.Port;

    /// <summary>Played when <see cref="Then"/> has nothing left.</summary>
    public BulkFault Always { get; set; }

    /// <summary>Asked for each item that is not stored yet; null = store it.</summary>
    public Func<BulkItem, ItemFault?>? OnItem
    {
        get => _documents.OnItem;
        set => _documents.OnItem = value;
    }

    /// <summary>Bodies above this get 413, before they are read, as the real one does it.</summary>
    public long MaxBody { get; set; } = long.MaxValue;

    /// <summary>The whole value of the Authorization header that is asked for; others get 401.</summary>
    public string? Authorization { get; set; }

    /// <summary>"" for Elasticsearch, else what GET / says as version.distribution.</summary>
    public string Distribution { get; set; } = "";

    public string Version { get; set; } = "8.19.21";

    /// <summary>False: documents are taken, counted and forgotten, for measurements.</summary>
    public bool Keep
    {
        get => _documents.Keep;
        set => _documents.Keep = value;
    }

    /// <summary>Bulk requests so far, those that met a fault included.</summary>
    public int Requests => Volatile.Read(ref _requests);

    public long Created => _documents.Created;

    public long Conflicts => _documents.Conflicts;

    /// <summary>Paths of the bulk requests.</summary>
    public ConcurrentQueue<string> Paths { get; } = new();

    /// <summary>Subjects of the certificates that clients showed.</summary>
    public ConcurrentQueue<string> ClientCertificates { get; private init; } = new();

    /// <summary>Content-Encoding of the bulk requests.</summary>
    public ConcurrentQueue<string> Encodings { get; } = new();

    public ConcurrentDictionary<string, JsonNode> Templates { get; } = new();

    /// <summary>What a PUT of a template gets instead of being stored; 0 = store it.</summary>
    public int TemplateStatus { get; set; }

    /// <summary>Documents by "index/id".</summary>
    public IReadOnlyDictionary<string, byte[]> Documents => _documents.All;

    /// <param name="certificate">Serve HTTPS with it.</param>
    /// <param name="authority">Its CA, sent along with it.</param>
    /// <param name="port">0 = any free one.</param>
    public static async Task<BulkServer> StartAsync(X509Certificate2? certificate = null, X509Certificate2? authority = null, int port = 0)
    {
        ConcurrentQueue<string> shownSubjects = new();
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelCore();
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Limits.MaxRequestBodySize = null;
            kestrel.Limits.MinRequestBodyDataRate = null;
            kestrel.Listen(IPAddress.Loopback, port, listen =>
            {
                if (certificate is not null)
                {
                    listen.UseHttps(https =>
                    {
                        https.ServerCertificate = certificate;
                        https.ServerCertificateChain = authority is null ? null : [authority];
                        https.ClientCertificateMode = ClientCertificateMode.AllowCertificate;
                        https.ClientCertificateValidation = (shown, _, _) =>
                        {
                            shownSubjects.Enqueue(shown.Subject);
                            return true;
                        };
                    });
                }
            });
        });
        WebApplication app = builder.Build();
        BulkServer server = new(app, certificate is not null) { ClientCertificates = shownSubjects };
        app.Run(server.ServeAsync);
        await app.StartAsync();
        server.Address = new(app.Urls.First());
        return server;
    }

    /// <summary>The next bulk requests meet these faults, one each.</summary>
    public void Then(params BulkFault[] faults)
    {
        foreach (BulkFault fault in faults)
        {
            _next.Enqueue(fault);
        }
    }

    /// <summary>Compares the stored documents with what was written.</summary>
    /// <param name="number">Its first group is the sequence number; documents that it does not match are not of this source.</param>
    /// <param name="first">First and last number expected.</param>
    public SequenceReport Audit(Regex number, long first, long last)
    {
        Dictionary<long, int> seen = [];
        foreach (byte[] document in _documents.All.Values)
        {
            if (number.Match(Encoding.UTF8.GetString(document)) is { Success: true } match)
            {
                long value = long.Parse(match.Groups[1].ValueSpan, System.Globalization.CultureInfo.InvariantCulture);
                seen[value] = seen.GetValueOrDefault(value) + 1;
            }
        }

        List<long> missing = [];
        for (long value = first; value <= last; value++)
        {
            if (!seen.ContainsKey(value))
            {
                missing.Add(value);
            }
        }

        return new([.. missing], [.. seen.Where(pair => pair.Value > 1).Select(pair => pair.Key).Order()]);
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _app.DisposeAsync();
        _stopping.Dispose();
    }

    private async Task ServeAsync(HttpContext context)
    {
        string path = context.Request.Path.Value!;
        context.Response.Headers["X-Elastic-Product"] = Distribution.Length == 0 ? "Elasticsearch" : "";
        if (path.EndsWith("/_bulk", StringComparison.Ordinal))
        {
            Interlocked.Increment(ref _requests);
            Paths.Enqueue(path);
            Encodings.Enqueue(context.Request.Headers.ContentEncoding.ToString());
            await BulkAsync(context, path.Length > 6 ? path[1..^6] : "");
        }
        else if (Authorization is not null && context.Request.Headers.Authorization != Authorization)
        {
            await JsonAsync(context, 401, """{"error":{"type":"security_exception","reason":"unable to authenticate"},"status":401}""");
        }
        else if (path == "/")
        {
            string distribution = Distribution.Length > 0 ? $"\"distribution\":\"{Distribution}\"," : "";
            await JsonAsync(context, 200, $"{{\"version\":{{{distribution}\"number\":\"{Version}\"}}}}");
        }
        else if (path.StartsWith("/_index_template/", StringComparison.Ordinal))
        {
            await TemplateAsync(context, path["/_index_template/".Length..]);
        }
        else
        {
            await JsonAsync(context, 400, """{"error":"no handler found for uri"}""");
        }
    }

    private async Task TemplateAsync(HttpContext context, string name)
    {
        if (context.Request.Method == "GET")
        {
            if (!Templates.TryGetValue(name, out JsonNode? stored))
            {
                await JsonAsync(context, 404, """{"error":{"type":"resource_not_found_exception","reason":"index template matching not found"},"status":404}""");
                return;
            }

            JsonObject found = new() { ["index_templates"] = new JsonArray(new JsonObject { ["name"] = name, ["index_template"] = stored.DeepClone() }) };
            await JsonAsync(context, 200, found.ToJsonString());
            return;
        }

        if (TemplateStatus != 0)
        {
            await JsonAsync(context, TemplateStatus, """{"error":{"type":"security_exception","reason":"not allowed"}}""");
            return;
        }

        Templates[name] = (await JsonNode.ParseAsync(context.Request.Body))!;
        await JsonAsync(context, 200, """{"acknowledged":true}""");
    }

    private async Task BulkAsync(HttpContext context, string index)
    {
        BulkFault fault = _next.TryDequeue(out BulkFault next) ? next : Always;
        if (fault == BulkFault.Status413 || context.Request.ContentLength > MaxBody)
        {
            context.Response.StatusCode = 413;
            return;
        }

        using MemoryStream body = new();
        Stream source = context.Request.Headers.ContentEncoding == "gzip" ? new GZipStream(context.Request.Body, CompressionMode.Decompress) : context.Request.Body;
        await source.CopyToAsync(body, context.RequestAborted);
        if (body.Length > MaxBody)
        {
            context.Response.StatusCode = 413;
            return;
        }

        if (Authorization is not null && context.Request.Headers.Authorization != Authorization)
        {
            fault = BulkFault.Status401;
        }

        switch (fault)
        {
            case BulkFault.Status400 or BulkFault.Status401 or BulkFault.Status403 or BulkFault.Status429 or BulkFault.Status500 or BulkFault.Status503:
                int status = int.Parse(fault.ToString()["Status".Length..], System.Globalization.CultureInfo.InvariantCulture);
                await JsonAsync(context, status, $$"""{"error":{"type":"played_exception","reason":"the test asked for it"},"status":{{status}} }""");
                return;
            case BulkFault.CutBefore:
                context.Abort();
                return;
            case BulkFault.Hang:
                using (CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, _stopping.Token))
                {
                    await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, either.Token).ContinueWith(_ => { }, TaskScheduler.Default);
                }

                context.Abort();
                return;
            case BulkFault.Garbage:
                context.Response.ContentType = "text/html";
                await context.Response.WriteAsync("<html>It works!</html>");
                return;
        }

        byte[] answer = Encoding.UTF8.GetBytes(_documents.Take(body.GetBuffer().AsSpan(0, (int)body.Length), index, fault == BulkFault.WrongCount));
        switch (fault)
        {
            case BulkFault.CutAfter:
                context.Abort();
                return;
            case BulkFault.HalfAnswer:
                context.Response.ContentLength = answer.Length;
                await context.Response.Body.WriteAsync(answer.AsMemory(0, answer.Length / 2));
                await context.Response.Body.FlushAsync();
                context.Abort();
                return;
            default:
                context.Response.ContentType = "application/json";
                context.Response.ContentLength = answer.Length;
                await context.Response.Body.WriteAsync(answer);
                return;
        }
    }

    private static async Task JsonAsync(HttpContext context, int status, string json)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json";
        await context.Response.WriteAsync(json);
    }
}
