using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace LogAgent.Containers;

/// <summary>
/// The few requests of the Docker Engine API that the agent needs. The version comes from the engine's own answer to _ping, at
/// the first request and again after <see cref="Forget"/>. Every failure is a <see cref="DockerException"/>. One caller at a time.
/// </summary>
internal sealed class DockerClient(DockerEndpoint endpoint, TimeProvider time) : IDisposable
{
    /// <summary>Newest API version that these requests were tried with; a newer engine is asked in this one.</summary>
    private static readonly Version NewestKnown = new(1, 50);

    /// <summary>An engine that does not answer a short request for this long is taken as hung.</summary>
    private static readonly TimeSpan RequestTimeout = TimeSpan.FromSeconds(30);

    private HttpClient? _http;
    private string _version = "";

    public DockerEndpoint Endpoint => endpoint;

    /// <summary>The negotiated API version, as 1.41; empty before the first request.</summary>
    public string ApiVersion => _version;

    /// <summary>All containers, running or not.</summary>
    public async Task<DockerJson.ListItem[]> ListAsync(CancellationToken cancel) =>
        await GetAsync("/containers/json?all=true", DockerJsonContext.Default.ListItemArray, cancel) ?? [];

    /// <summary>
    /// A container by id or name, or null where the engine knows none, or knows it no longer in full: while it is being removed, the
    /// engine answers 500 (its layer has gone before its name).
    /// </summary>
    public Task<DockerJson.Inspection?> InspectAsync(string id, CancellationToken cancel) =>
        GetAsync($"/containers/{Uri.EscapeDataString(id)}/json", DockerJsonContext.Default.Inspection, cancel, allowFailure: true);

    /// <summary>An image by reference or id, or null where the engine knows none.</summary>
    public Task<DockerJson.Image?> ImageAsync(string reference, CancellationToken cancel) =>
        GetAsync($"/images/{Uri.EscapeDataString(reference)}/json", DockerJsonContext.Default.Image, cancel);

    public async Task<DockerJson.Info> InfoAsync(CancellationToken cancel) =>
        await GetAsync("/info", DockerJsonContext.Default.Info, cancel) ?? throw new DockerException($"The engine at {endpoint} answers 404 to /info: is it Docker?");

    /// <summary>Opens the stream of container events; returns when the engine has begun to answer, so that nothing later is missed.</summary>
    public async Task<DockerEvents> EventsAsync(CancellationToken cancel)
    {
        const string Filters = """{"type":["container"],"event":["create","start","die","rename","destroy"]}""";
        using CancellationTokenSource timer = new(RequestTimeout, time);
        using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(cancel, timer.Token);
        HttpResponseMessage response = await SendAsync("/events?filters=" + Uri.EscapeDataString(Filters), limit.Token, cancel);
        try
        {
            return new DockerEvents(response, await response.Content.ReadAsStreamAsync(cancel), endpoint);
        }
        catch
        {
            response.Dispose();
            throw;
        }
    }

    /// <summary>Drops the connections and the version: the next request begins anew, as another engine may listen now.</summary>
    public void Forget()
    {
        _http?.Dispose();
        _http = null;
        _version = "";
    }

    public void Dispose() => Forget();

    private async Task<T?> GetAsync<T>(string path, JsonTypeInfo<T> type, CancellationToken cancel, bool allowFailure = false)
        where T : class
    {
        using CancellationTokenSource timer = new(RequestTimeout, time);
        using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(cancel, timer.Token);
        try
        {
            using HttpResponseMessage response = await SendAsync(path, limit.Token, cancel, status => status == HttpStatusCode.NotFound || (allowFailure && status is (HttpStatusCode.Conflict or HttpStatusCode.InternalServerError)));
            if (!response.IsSuccessStatusCode)
            {
                return null;
            }

            await using Stream body = await response.Content.ReadAsStreamAsync(limit.Token);
            return await JsonSerializer.DeserializeAsync(body, type, limit.Token);
        }
        catch (JsonException e)
        {
            throw new DockerException($"The engine at {endpoint} answered {path} with something that is not the expected JSON ({e.Message}): is it Docker?", e);
        }
        catch (Exception e) when (e is IOException or HttpRequestException or OperationCanceledException && !cancel.IsCancellationRequested)
        {
            throw Explain(e);
        }
    }

    private async Task<HttpResponseMessage> SendAsync(string path, CancellationToken limit, CancellationToken cancel, Func<HttpStatusCode, bool>? isNone = null)
    {
        try
        {
            _http ??= new HttpClient(endpoint.CreateHandler()) { BaseAddress = endpoint.Address, Timeout = Timeout.InfiniteTimeSpan };
            if (_version.Length == 0)
            {
                _version = await NegotiateAsync(limit);
            }

            HttpResponseMessage response = await _http.GetAsync($"/v{_version}{path}", HttpCompletionOption.ResponseHeadersRead, limit);
            if (response.IsSuccessStatusCode || isNone?.Invoke(response.StatusCode) == true)
            {
                return response;
            }

            using (response)
            {
                throw new DockerException($"The engine at {endpoint} answered {path} with {(int)response.StatusCode}: {await ProblemAsync(response, limit)}");
            }
        }
        catch (Exception e) when (e is IOException or HttpRequestException or OperationCanceledException && !cancel.IsCancellationRequested)
        {
            throw Explain(e);
        }
    }

    private async Task<string> NegotiateAsync(CancellationToken cancel)
    {
        using HttpResponseMessage ping = await _http!.GetAsync("/_ping", cancel);
        if (!ping.IsSuccessStatusCode)
        {
            throw new DockerException($"The engine at {endpoint} answered _ping with {(int)ping.StatusCode}: {await ProblemAsync(ping, cancel)}");
        }

        if (!ping.Headers.TryGetValues("Api-Version", out IEnumerable<string>? values) || !Version.TryParse(values.First(), out Version? version))
        {
            throw new DockerException($"What listens at {endpoint} sends no Api-Version: is it Docker?");
        }

        return (version < NewestKnown ? version : NewestKnown).ToString();
    }

    private static async Task<string> ProblemAsync(HttpResponseMessage response, CancellationToken cancel)
    {
        string body = await response.Content.ReadAsStringAsync(cancel);
        try
        {
            return JsonSerializer.Deserialize(body, DockerJsonContext.Default.Problem)?.Text ?? response.ReasonPhrase ?? "";
        }
        catch (JsonException)
        {
            return body.Length > 200 ? body[..200] : body;
        }
    }

    private DockerException Explain(Exception e)
    {
        if (e is OperationCanceledException)
        {
            return new DockerException($"The engine at {endpoint} has not answered within {RequestTimeout.TotalSeconds:0} s.", e);
        }

        SocketException? socket = e as SocketException ?? e.InnerException as SocketException;
        string path = endpoint.SocketPath;
        string advice = socket?.SocketErrorCode switch
        {
            SocketError.AccessDenied when path.Length > 0 =>
                $"The agent may not open {path}: run it as root or in the group that owns the socket (usually docker), or set docker.discovery: files.",
            SocketError.ConnectionRefused when path.Length > 0 =>
                $"Nothing listens at {path}, though the file is there: the Docker engine is not running. Start it (systemctl start docker).",
            _ when path.Length > 0 && !File.Exists(path) =>
                $"There is no socket at {path}: start the Docker engine, mount the socket into the agent's container, set docker.endpoint, or set docker.discovery: files.",
            _ => $"The engine at {endpoint} cannot be reached: {e.InnerException?.Message ?? e.Message}",
        };
        return new DockerException(advice, e);
    }
}
