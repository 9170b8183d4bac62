using System.Buffers;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace LogAgent.Operations;

/// <summary>
/// A small HTTP/1.1 server for the agent's own pages: GET and HEAD, one request a connection, a few connections at once.
/// It takes 13 MiB less memory than Kestrel, which has nothing to offer for three pages. Owns its socket while it runs.
/// </summary>
/// <param name="pages">By path; called on a thread of the pool for each request.</param>
internal sealed partial class HttpResponder(IPEndPoint address, IReadOnlyDictionary<string, Func<HttpAnswer>> pages, TimeProvider time, ILogger logger)
{
    public const string ServerName = "LogAgent";

    private const int LargestRequest = 8 << 10;
    private const int MostConnections = 16;

    private static readonly TimeSpan RequestTime = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan BindAgain = TimeSpan.FromSeconds(30);

    private readonly SemaphoreSlim _free = new(MostConnections);
    private readonly TaskCompletionSource<IPEndPoint> _listening = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes with the address, its port chosen, once the server listens.</summary>
    public Task<IPEndPoint> Listening => _listening.Task;

    /// <summary>Serves until cancelled. An address that is taken is tried again: the agent ships logs with or without its pages.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            using Socket listener = new(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                listener.Bind(address);
                listener.Listen(MostConnections);
                _listening.TrySetResult((IPEndPoint)listener.LocalEndPoint!);
                await AcceptAsync(listener, stop).ConfigureAwait(false);
            }
            catch (SocketException e)
            {
                CannotListen(address, e.Message, BindAgain.TotalSeconds);
                await Task.Delay(BindAgain, time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                return;
            }
        }
    }

    private async Task AcceptAsync(Socket listener, CancellationToken stop)
    {
        while (true)
        {
            await _free.WaitAsync(stop).ConfigureAwait(false);
            Socket connection;
            try
            {
                connection = await listener.AcceptAsync(stop).ConfigureAwait(false);
            }
            catch
            {
                _free.Release();
                throw;
            }

            _ = ServeAsync(connection, stop);
        }
    }

    private async Task ServeAsync(Socket connection, CancellationToken stop)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(LargestRequest);
        try
        {
            using Socket own = connection;
            using CancellationTokenSource deadline = new(RequestTime, time);
            using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, stop);
            int length = await ReceiveHeadAsync(connection, buffer, either.Token).ConfigureAwait(false);
            if (length > 0)
            {
                await SendAllAsync(connection, Answer(buffer.AsSpan(0, length)), either.Token).ConfigureAwait(false);
                connection.Shutdown(SocketShutdown.Send);
            }
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // The client went away or was too slow: its loss.
        }
        catch (Exception e)
        {
            PageFailed(e);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
            _free.Release();
        }
    }

    private static async Task<int> ReceiveHeadAsync(Socket connection, byte[] buffer, CancellationToken cancel)
    {
        int length = 0;
        while (length < LargestRequest)
        {
            int read = await connection.ReceiveAsync(buffer.AsMemory(length, LargestRequest - length), cancel).ConfigureAwait(false);
            length += read;
            if (read == 0 || buffer.AsSpan(0, length).IndexOf("\r\n\r\n"u8) >= 0)
            {
                break;
            }
        }

        return length;
    }

    private static async Task SendAllAsync(Socket connection, byte[] bytes, CancellationToken cancel)
    {
        for (int sent = 0; sent < bytes.Length;)
        {
            sent += await connection.SendAsync(bytes.AsMemory(sent), cancel).ConfigureAwait(false);
        }
    }

    private byte[] Answer(ReadOnlySpan<byte> request)
    {
        int end = request.IndexOf("\r\n"u8);
        string[] line = Encoding.ASCII.GetString(end < 0 ? [] : request[..end]).Split(' ');
        bool whole = request.IndexOf("\r\n\r\n"u8) >= 0;
        HttpAnswer answer;
        if (!whole || line.Length != 3 || !line[2].StartsWith("HTTP/1.", StringComparison.Ordinal))
        {
            answer = HttpAnswer.Text(400, "This is no HTTP/1.1 request of at most 8 KiB.\n");
        }
        else if (line[0] is not ("GET" or "HEAD"))
        {
            answer = HttpAnswer.Text(405, "Only GET and HEAD are served.\n");
        }
        else
        {
            answer = pages.TryGetValue(line[1].Split('?', 2)[0], out Func<HttpAnswer>? page)
                ? page()
                : HttpAnswer.Text(404, $"The pages are: {string.Join(' ', pages.Keys.Order(StringComparer.Ordinal))}\n");
        }

        byte[] body = Encoding.UTF8.GetBytes(answer.Body);
        string head = $"HTTP/1.1 {answer.Status} {Reason(answer.Status)}\r\nServer: {ServerName}\r\nContent-Type: {answer.ContentType}\r\n"
            + $"Content-Length: {body.Length}\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n";
        byte[] headBytes = Encoding.ASCII.GetBytes(head);
        return line[0] == "HEAD" ? headBytes : [.. headBytes, .. body];
    }

    private static string Reason(int status) => status switch
    {
        200 => "OK",
        400 => "Bad Request",
        404 => "Not Found",
        405 => "Method Not Allowed",
        503 => "Service Unavailable",
        _ => "Answer",
    };

    [LoggerMessage(Level = LogLevel.Warning, Message = "The metrics address {Address} cannot be listened on: {Reason}. It is tried again in {Seconds} s; set metrics.listen to another address if another program holds it. Logs are shipped meanwhile.")]
    private partial void CannotListen(IPEndPoint address, string reason, double seconds);

    [LoggerMessage(Level = LogLevel.Error, Message = "A page of the metrics address failed.")]
    private partial void PageFailed(Exception exception);
}
