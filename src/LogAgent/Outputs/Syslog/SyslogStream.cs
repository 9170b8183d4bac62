using System.Net.Security;
using System.Net.Sockets;

namespace LogAgent.Outputs.Syslog;

/// <summary>
/// TCP or TLS to one receiver. A read is always under way, so that a close or a reset is noticed when it comes and not with
/// the second write after it, which would lose the first.
/// </summary>
internal sealed class SyslogStream : ISyslogConnection
{
    private readonly Socket _socket;
    private readonly Stream _stream;
    private readonly CancellationTokenSource _end = new();
    private readonly Task _closed;

    private SyslogStream(SyslogTarget target, Socket socket, Stream stream)
    {
        Target = target;
        _socket = socket;
        _stream = stream;
        _closed = WatchAsync();
    }

    public SyslogTarget Target { get; }

    public bool IsOpen => !_closed.IsCompleted && !(_stream is NetworkStream && _socket.Poll(0, SelectMode.SelectRead) && _socket.Available == 0);

    /// <param name="trust">For TLS; null for plain TCP.</param>
    public static async Task<SyslogStream> ConnectAsync(SyslogTarget target, ServerTrust? trust, CancellationToken cancel)
    {
        Socket socket = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        Stream? stream = null;
        try
        {
            await socket.ConnectAsync(target.Host, target.Port, cancel).ConfigureAwait(false);
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
            stream = new NetworkStream(socket, ownsSocket: true);
            if (trust is not null)
            {
                SslStream tls = new(stream);
                stream = tls;
                await tls.AuthenticateAsClientAsync(
                    new SslClientAuthenticationOptions
                    {
                        TargetHost = target.Host,
                        RemoteCertificateValidationCallback = trust.Ssl.RemoteCertificateValidationCallback,
                        ClientCertificates = trust.Ssl.ClientCertificates,
                    },
                    cancel).ConfigureAwait(false);
            }

            return new(target, socket, stream);
        }
        catch
        {
            stream?.Dispose();
            socket.Dispose();
            throw;
        }
    }

    public async Task SendAsync(ReadOnlyMemory<byte> frames, IReadOnlyList<int> ends, CancellationToken cancel)
    {
        await _stream.WriteAsync(frames, cancel).ConfigureAwait(false);
        await _stream.FlushAsync(cancel).ConfigureAwait(false);
        if (!IsOpen)
        {
            throw new IOException("the receiver closed the connection while records were sent");
        }
    }

    public void Dispose()
    {
        _end.Cancel();
        _stream.Dispose();
        _end.Dispose();
    }

    /// <summary>Ends when the receiver closes. What a receiver sends has no meaning in syslog and is dropped.</summary>
    private async Task WatchAsync()
    {
        byte[] dropped = new byte[256];
        CancellationToken end = _end.Token;
        try
        {
            while (await _stream.ReadAsync(dropped, end).ConfigureAwait(false) > 0)
            {
            }
        }
        catch (Exception closed) when (closed is IOException or SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // Closed is closed, whichever way.
        }
    }
}
