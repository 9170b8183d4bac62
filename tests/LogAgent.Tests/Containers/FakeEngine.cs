using System.Collections.Concurrent;
using System.Net.Sockets;
using System.Text;

namespace LogAgent.Tests.Containers;

/// <summary>
/// A Docker engine on a Unix socket that answers what a test gives it, faults included. Every connection serves one request at a
/// time; the stream of events stays open until the test cuts it.
/// </summary>
internal sealed class FakeEngine : IDisposable
{
    private readonly TempDirectory _directory = new();
    private readonly CancellationTokenSource _end = new();
    private readonly ConcurrentDictionary<NetworkStream, bool> _streams = new();
    private Socket? _listener;
    private Socket? _stale;

    public string SocketPath => _directory.Path + "/docker.sock";

    /// <summary>Bodies by path, without the version: /containers/json, /info ... What is not here is answered by 404.</summary>
    public ConcurrentDictionary<string, string> Answers { get; } = new()
    {
        ["/info"] = """{"DockerRootDir":"/data","ServerVersion":"9.9"}""",
        ["/containers/json"] = "[]",
    };

    /// <summary>Paths that are answered by 500.</summary>
    public HashSet<string> Failing { get; } = [];

    /// <summary>The targets of all requests, in order.</summary>
    public ConcurrentQueue<string> Requests { get; } = new();

    public string PingHeaders { get; set; } = "Api-Version: 1.41\r\n";

    public void Start()
    {
        _stale?.Dispose();
        File.Delete(SocketPath);
        _listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        _listener.Bind(new UnixDomainSocketEndPoint(SocketPath));
        _listener.Listen();
        _ = AcceptAsync(_listener);
    }

    /// <summary>As after SIGKILL: connections are cut, the socket file stays and refuses.</summary>
    public void Kill()
    {
        _listener?.Dispose();
        CutStreams();

        // A socket that is bound and does not listen refuses, as a file does that nobody is bound to.
        File.Delete(SocketPath);
        _stale = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        _stale.Bind(new UnixDomainSocketEndPoint(SocketPath));
    }

    /// <summary>Ends every stream of events without the terminator of the last chunk.</summary>
    public void CutStreams()
    {
        foreach (NetworkStream stream in _streams.Keys)
        {
            _streams.TryRemove(stream, out _);
            stream.Dispose();
        }
    }

    public bool HasStream => !_streams.IsEmpty;

    public void Send(string line)
    {
        byte[] body = Encoding.UTF8.GetBytes(line + "\n");
        byte[] chunk = [.. Encoding.ASCII.GetBytes($"{body.Length:x}\r\n"), .. body, .. "\r\n"u8];
        foreach (NetworkStream stream in _streams.Keys)
        {
            stream.Write(chunk);
        }
    }

    public void Dispose()
    {
        _end.Cancel();
        _listener?.Dispose();
        _stale?.Dispose();
        CutStreams();
        _directory.Dispose();
    }

    public void AddContainer(string id, string name, long created = 1, string driver = "json-file", string image = "app:1", string labels = "{}", string state = "running")
    {
        Answers[$"/containers/{id}/json"] = $$$"""
            {"Id":"{{{id}}}","Name":"/{{{name}}}","Created":"2026-11-20T20:35:46.685148284Z","Image":"sha256:{{{new string('a', 64)}}}",
            "LogPath":"{{{(driver == "json-file" ? $"/data/containers/{id}/{id}-json.log" : "")}}}","State":{"Status":"{{{state}}}","Running":true,"Pid":7},
            "Config":{"Image":"{{{image}}}","Labels":{{{labels}}} },"HostConfig":{"LogConfig":{"Type":"{{{driver}}}"},"Tmpfs":{"/run":""}},
            "Mounts":[{"Type":"bind","Source":"/srv","Destination":"/logs/","RW":true}],"GraphDriver":{"Data":{"UpperDir":"/u","MergedDir":"/m"} } }
            """;
        string item = $$"""{"Id":"{{id}}","Names":["/{{name}}"],"Image":"{{image}}","State":"{{state}}","Created":{{created}} }""";
        string list = Answers["/containers/json"];
        Answers["/containers/json"] = list == "[]" ? $"[{item}]" : list[..^1] + "," + item + "]";
    }

    private async Task AcceptAsync(Socket listener)
    {
        try
        {
            while (true)
            {
                Socket socket = await listener.AcceptAsync(_end.Token);
                _ = ServeAsync(new NetworkStream(socket, ownsSocket: true));
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The engine has ended.
        }
    }

    private async Task ServeAsync(NetworkStream stream)
    {
        try
        {
            StreamReader reader = new(stream);
            while (await reader.ReadLineAsync(_end.Token) is { } request)
            {
                while (await reader.ReadLineAsync(_end.Token) is { Length: > 0 })
                {
                }

                string target = request.Split(' ')[1];
                Requests.Enqueue(target);
                string path = target.Split('?')[0];
                path = path.StartsWith("/v", StringComparison.Ordinal) ? path[path.IndexOf('/', 1)..] : path;
                if (path == "/_ping")
                {
                    await WriteAsync(stream, "200 OK", "OK", PingHeaders);
                }
                else if (path == "/events" && !Answers.ContainsKey(path))
                {
                    await stream.WriteAsync("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"u8.ToArray());
                    _streams[stream] = true;
                    return;
                }
                else if (Failing.Contains(path))
                {
                    await WriteAsync(stream, "500 Internal Server Error", """{"message":"RWLayer is unexpectedly nil"}""", "");
                }
                else if (Answers.TryGetValue(path, out string? body))
                {
                    await WriteAsync(stream, "200 OK", body, "");
                }
                else
                {
                    await WriteAsync(stream, "404 Not Found", """{"message":"No such thing"}""", "");
                }
            }
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or ObjectDisposedException)
        {
            // The client or the engine has gone.
        }
    }

    private static async Task WriteAsync(NetworkStream stream, string status, string body, string headers)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(body);
        await stream.WriteAsync(Encoding.ASCII.GetBytes($"HTTP/1.1 {status}\r\n{headers}Content-Length: {bytes.Length}\r\n\r\n").Concat(bytes).ToArray());
    }
}
