using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Security.Authentication;
using LogAgent.Delivery;

namespace LogAgent.Outputs.Elasticsearch;

/// <summary>
/// Sends requests to the nodes and reads whole answers. A node that cannot be reached, hangs or answers nonsense is left out
/// and the next one is asked within the same call. Thread-safe.
/// </summary>
internal sealed class ElasticsearchClient : IDisposable
{
    /// <summary>No answer that we ask for is longer: 200 000 items with an error of 300 bytes each.</summary>
    private const int LongestAnswer = 64 << 20;

    private readonly ElasticsearchOptions _options;
    private readonly NodePool _nodes;
    private readonly TimeProvider _time;
    private readonly ServerTrust _trust;
    private readonly HttpClient _http;

    public ElasticsearchClient(ElasticsearchOptions options, NodePool nodes, TimeProvider time)
    {
        _options = options;
        _nodes = nodes;
        _time = time;
        _trust = new(options.Tls);
        _http = new(new SocketsHttpHandler
        {
            AllowAutoRedirect = false, // credentials go nowhere else
            AutomaticDecompression = options.GzipLevel > 0 ? DecompressionMethods.GZip : DecompressionMethods.None,
            ConnectTimeout = TimeSpan.FromSeconds(10),
            Expect100ContinueTimeout = TimeSpan.FromSeconds(2),
            MaxConnectionsPerServer = options.Concurrency + 2,
            PooledConnectionLifetime = TimeSpan.FromMinutes(10), // a name that has moved is noticed
            PooledConnectionIdleTimeout = TimeSpan.FromSeconds(30), // under the idle limits of common proxies
            SslOptions = _trust.Ssl,
            UseCookies = false,
            UseProxy = false, // the nodes are named one by one
            ActivityHeadersPropagator = null,
        })
        {
            Timeout = Timeout.InfiniteTimeSpan, // each call has its own, by the TimeProvider
        };
    }

    public IReadOnlyList<Node> Nodes => _nodes.All;

    /// <summary>Sends to the next live node, and to the others in turn while nodes fail. An answer of any status is an answer.</summary>
    /// <param name="path">With its leading slash.</param>
    /// <param name="isBad">True for an answer that this node should not have given: it counts as a failure of the node.</param>
    /// <exception cref="SendException">Unreachable: no node answered; the last one's trouble in a sentence.</exception>
    public async Task<Answer> SendAsync(HttpMethod method, string path, ReadOnlyMemory<byte> body, string contentType, bool gzipped, Func<Answer, bool> isBad, CancellationToken cancel)
    {
        List<Node> tried = [];
        SendException? trouble = null;
        while (_nodes.Next(tried) is { } node)
        {
            tried.Add(node);
            try
            {
                Answer answer = await SendAsync(node, method, path, body, contentType, gzipped, cancel).ConfigureAwait(false);
                if (!isBad(answer))
                {
                    _nodes.Worked(node);
                    return answer;
                }

                trouble = Unexpected(answer);
                answer.Dispose();
                _nodes.Failed(node, whileSending: false);
            }
            catch (SendException problem)
            {
                trouble = problem;
                _nodes.Failed(node, whileSending: body.Length > 0 && problem.InnerException is not OperationCanceledException);
            }
        }

        throw trouble!;
    }

    /// <summary>Sends to one node, whatever its state.</summary>
    public async Task<Answer> SendAsync(Node node, HttpMethod method, string path, ReadOnlyMemory<byte> body, string contentType, bool gzipped, CancellationToken cancel)
    {
        using CancellationTokenSource deadline = new(_options.Timeout, _time);
        using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(cancel, deadline.Token);
        using HttpRequestMessage request = new(method, node.Address + path);
        request.Headers.Authorization = _options.Credentials?.Header;
        if (!body.IsEmpty)
        {
            request.Content = new ReadOnlyMemoryContent(body);
            request.Content.Headers.ContentType = new MediaTypeHeaderValue(contentType);
            request.Headers.ExpectContinue = node.AskFirst ? true : null;
            if (gzipped)
            {
                request.Content.Headers.ContentEncoding.Add("gzip");
            }
        }

        ByteBuffer? received = null;
        try
        {
            using HttpResponseMessage response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, either.Token).ConfigureAwait(false);
            received = new(16 * 1024);
            await ReadAsync(response.Content, received, either.Token).ConfigureAwait(false);
            return new(node, (int)response.StatusCode, received);
        }
        catch (Exception problem) when (problem is HttpRequestException or IOException or OperationCanceledException or SocketException or InvalidDataException)
        {
            received?.Dispose();
            if (cancel.IsCancellationRequested)
            {
                throw new OperationCanceledException(cancel);
            }

            throw new SendException(SendTrouble.Unreachable, Sentence(node, problem), problem);
        }
    }

    public void Dispose() => _http.Dispose();

    /// <summary>An answer as the trouble of a whole group, in a sentence.</summary>
    public SendException Refusal(Answer answer)
    {
        string said = answer.Problem();
        string tail = said.Length == 0 ? "" : $"; it says: {said}";
        string who = _options.Credentials is { } credentials ? credentials.Key : "no credentials";
        return answer.Status switch
        {
            401 => new(SendTrouble.Unauthorized, _options.Credentials is null
                ? $"{answer.Node} wants credentials (401): give the output api_key, username and password, or bearer{tail}"
                : $"{answer.Node} does not accept the {who} of this output (401): correct it, or mend it on the server{tail}"),
            403 => new(SendTrouble.Unauthorized, $"{answer.Node} does not let the {who} of this output write (403): give it create_doc and auto_configure on {_options.Index.Wildcard}{tail}"),
            429 or 503 => new(SendTrouble.Throttled, $"{answer.Node} asks for less ({answer.Status}){tail}"),
            404 or 405 => new(SendTrouble.Refused, $"{answer.Node} knows no bulk API ({answer.Status}): correct hosts; it must be the address of Elasticsearch itself{tail}"),
            >= 300 and < 400 => new(SendTrouble.Refused, $"{answer.Node} sends the agent elsewhere ({answer.Status}), which it does not follow: correct hosts"),
            >= 400 and < 500 => new(SendTrouble.Refused, $"{answer.Node} refuses the request ({answer.Status}){tail}"),
            _ => Unexpected(answer),
        };
    }

    public static SendException Unexpected(Answer answer)
    {
        string said = answer.Problem();
        return new(SendTrouble.Unreachable, answer.IsSuccess
            ? $"{answer.Node} answers {answer.Status} with something that is no answer to the request: {(said.Length == 0 ? "nothing" : said)}"
            : $"{answer.Node} answers {answer.Status}{(said.Length == 0 ? "" : $": {said}")}");
    }

    private static async Task ReadAsync(HttpContent content, ByteBuffer received, CancellationToken cancel)
    {
        Stream stream = await content.ReadAsStreamAsync(cancel).ConfigureAwait(false);
        await using (stream.ConfigureAwait(false))
        {
            while (await stream.ReadAsync(received.GetMemory(8 * 1024), cancel).ConfigureAwait(false) is var count and > 0)
            {
                received.Advance(count);
                if (received.Length > LongestAnswer)
                {
                    throw new InvalidDataException($"the answer is longer than {LongestAnswer} bytes");
                }
            }
        }
    }

    private string Sentence(Node node, Exception problem)
    {
        for (Exception? inner = problem; inner is not null; inner = inner.InnerException)
        {
            switch (inner)
            {
                case AuthenticationException when _trust.Problem is { Length: > 0 } why:
                    return $"{node} is not trusted: {why}";
                case AuthenticationException:
                    return $"{node}: no TLS connection: {inner.Message}";
                case SocketException { SocketErrorCode: SocketError.ConnectionRefused }:
                    return $"{node} refuses the connection: nothing listens there; start the server, or correct hosts";
                case SocketException { SocketErrorCode: SocketError.HostNotFound or SocketError.NoData or SocketError.TryAgain }:
                    return $"{node}: the host name cannot be resolved; correct hosts, or the name servers of this host";
            }
        }

        return problem switch
        {
            OperationCanceledException { InnerException: TimeoutException } => $"{node} cannot be connected to within 10 s",
            OperationCanceledException => $"{node} did not answer within {_options.Timeout.TotalSeconds:0} s (timeout)",
            HttpRequestException { HttpRequestError: HttpRequestError.InvalidResponse } when node.Address.StartsWith("http:", StringComparison.Ordinal) => $"{node} does not speak HTTP; is it an https address? {problem.Message}",
            _ => $"{node}: the connection broke: {(problem.InnerException ?? problem).Message}",
        };
    }
}
