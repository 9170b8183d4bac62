using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Threading.Channels;

namespace LogAgent.Tests.Outputs.Syslog;

/// <summary>A receiver of octet-counted syslog over TCP or TLS on a port of its own. It can stop and start again on the same port, and hang.</summary>
internal sealed class SyslogReceiver : IDisposable
{
    private readonly X509Certificate2? _certificate;
    private readonly Channel<string> _messages = Channel.CreateUnbounded<string>();
    private readonly List<Socket> _clients = [];
    private TcpListener _listener;

    public SyslogReceiver(X509Certificate2? certificate = null)
    {
        _certificate = certificate;
        _listener = new(IPAddress.Loopback, 0);
        _listener.Server.ReceiveBufferSize = 64 << 10; // one that hangs is full soon
        _listener.Start();
        Port = ((IPEndPoint)_listener.LocalEndpoint).Port;
        _ = AcceptAsync(_listener);
    }

    public int Port { get; }

    /// <summary>It accepts and reads nothing, until this is over.</summary>
    public bool Hangs { get; set; }

    /// <summary>It answers each message, which has no meaning in syslog.</summary>
    public bool Talks { get; set; }

    /// <summary>What it takes for each message.</summary>
    public TimeSpan Pause { get; set; }

    public bool Listens { get; private set; } = true;

    public ValueTask<string> NextAsync() => _messages.Reader.ReadAsync();

    /// <summary>Closes the connections and listens on.</summary>
    public void CloseConnections(bool reset = false)
    {
        lock (_clients)
        {
            foreach (Socket client in _clients)
            {
                if (reset)
                {
                    client.LingerState = new(true, 0);
                }

                client.Dispose();
            }

            _clients.Clear();
        }
    }

    public void Stop()
    {
        Listens = false;
        _listener.Stop();
        CloseConnections();
    }

    public void Start()
    {
        _listener = new(IPAddress.Loopback, Port);
        _listener.Start();
        Listens = true;
        _ = AcceptAsync(_listener);
    }

    public void Dispose()
    {
        Hangs = false;
        Stop();
    }

    /// <summary>An authority, and a certificate that it has signed for localhost.</summary>
    public static (string AuthorityPem, X509Certificate2 Server) MakeCertificates()
    {
        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        using ECDsa authorityKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest authorityRequest = new("CN=test authority", authorityKey, HashAlgorithmName.SHA256);
        authorityRequest.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        using X509Certificate2 authority = authorityRequest.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = new("CN=localhost", key, HashAlgorithmName.SHA256);
        SubjectAlternativeNameBuilder names = new();
        names.AddDnsName("localhost");
        request.CertificateExtensions.Add(names.Build());
        using X509Certificate2 signed = request.Create(authority, now.AddDays(-1), now.AddDays(1), [1, 2, 3, 4]);
        return (authority.ExportCertificatePem(), signed.CopyWithPrivateKey(key));
    }

    private async Task AcceptAsync(TcpListener listener)
    {
        try
        {
            while (true)
            {
                Socket client = await listener.AcceptSocketAsync();
                lock (_clients)
                {
                    _clients.Add(client);
                }

                _ = ReadAsync(client);
            }
        }
        catch (Exception stopped) when (stopped is SocketException or ObjectDisposedException)
        {
        }
    }

    private async Task ReadAsync(Socket client)
    {
        try
        {
            Stream stream = new NetworkStream(client);
            if (_certificate is not null)
            {
                SslStream tls = new(stream);
                await tls.AuthenticateAsServerAsync(_certificate);
                stream = tls;
            }

            byte[] one = new byte[1];
            while (true)
            {
                while (Hangs || Pause > TimeSpan.Zero)
                {
                    await Task.Delay(Hangs ? TimeSpan.FromMilliseconds(10) : Pause, TimeProvider.System);
                    if (!Hangs)
                    {
                        break;
                    }
                }

                int length = 0;
                while (true)
                {
                    await stream.ReadExactlyAsync(one);
                    if (one[0] == ' ')
                    {
                        break;
                    }

                    length = (length * 10) + (one[0] - '0');
                }

                byte[] message = new byte[length];
                await stream.ReadExactlyAsync(message);
                _messages.Writer.TryWrite(Encoding.UTF8.GetString(message));
                if (Talks)
                {
                    await stream.WriteAsync("What?"u8.ToArray());
                }
            }
        }
        catch (Exception closed) when (closed is IOException or ObjectDisposedException or System.Security.Authentication.AuthenticationException)
        {
        }
    }
}
