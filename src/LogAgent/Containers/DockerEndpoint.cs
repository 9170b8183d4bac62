using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using LogAgent.Configuration;

namespace LogAgent.Containers;

/// <summary>Where the Docker engine listens: a Unix socket, or TCP with or without TLS.</summary>
internal sealed record DockerEndpoint
{
    /// <summary>Path of the Unix socket; empty for TCP.</summary>
    public string SocketPath { get; init; } = "";

    /// <summary>Base address for requests.</summary>
    public Uri Address { get; init; } = new("http://docker");

    /// <summary>Directory of ca.pem, cert.pem and key.pem; empty: no TLS.</summary>
    public string CertPath { get; init; } = "";

    public bool TlsVerify { get; init; } = true;

    /// <param name="options">docker.endpoint of the file wins; without it DOCKER_HOST, DOCKER_CERT_PATH and DOCKER_TLS_VERIFY do.</param>
    /// <param name="environment">The value of an environment variable, or null.</param>
    /// <exception cref="DockerException">The endpoint is in no form that is known.</exception>
    public static DockerEndpoint From(DockerOptions options, Func<string, string?> environment)
    {
        string text = options.Endpoint;
        string certPath = options.CertPath;
        bool verify = options.TlsVerify;
        if (!options.EndpointIsSet)
        {
            string? host = environment("DOCKER_HOST");
            text = string.IsNullOrEmpty(host) ? DockerOptions.DefaultEndpoint : host;
            if (certPath.Length == 0 && environment("DOCKER_CERT_PATH") is { Length: > 0 } path)
            {
                // As Docker's own clients read it: an empty DOCKER_TLS_VERIFY is TLS without verification.
                certPath = path;
                verify = !string.IsNullOrEmpty(environment("DOCKER_TLS_VERIFY"));
            }
            else if (certPath.Length == 0 && !string.IsNullOrEmpty(environment("DOCKER_TLS_VERIFY")))
            {
                certPath = Path.Combine(environment("HOME") ?? "/root", ".docker");
            }
        }

        if (text.StartsWith("unix://", StringComparison.Ordinal))
        {
            return new DockerEndpoint { SocketPath = text["unix://".Length..] };
        }

        if (Uri.TryCreate(text, UriKind.Absolute, out Uri? uri) && uri.Scheme is "tcp" or "http" or "https" && uri.Host.Length > 0)
        {
            bool tls = certPath.Length > 0 || uri.Scheme == "https";
            int port = uri.Port > 0 ? uri.Port : tls ? 2376 : 2375;
            return new DockerEndpoint
            {
                Address = new UriBuilder(tls ? "https" : "http", uri.Host, port).Uri,
                CertPath = certPath,
                TlsVerify = verify,
            };
        }

        throw new DockerException($"The Docker endpoint '{text}' is not known: allowed are unix:///path/of/docker.sock and tcp://host:port.");
    }

    public override string ToString() => SocketPath.Length > 0 ? "unix://" + SocketPath : Address.ToString();

    /// <summary>A handler that connects here; owned by the caller.</summary>
    internal SocketsHttpHandler CreateHandler()
    {
        SocketsHttpHandler handler = new() { UseProxy = false, AllowAutoRedirect = false };
        if (SocketPath.Length > 0)
        {
            handler.ConnectCallback = async (_, cancel) =>
            {
                Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                try
                {
                    await socket.ConnectAsync(new UnixDomainSocketEndPoint(SocketPath), cancel);
                    return new NetworkStream(socket, ownsSocket: true);
                }
                catch
                {
                    socket.Dispose();
                    throw;
                }
            };
            return handler;
        }

        handler.ConnectTimeout = TimeSpan.FromSeconds(10);
        if (CertPath.Length > 0)
        {
            handler.SslOptions = TlsOptions();
        }

        return handler;
    }

    private SslClientAuthenticationOptions TlsOptions()
    {
        SslClientAuthenticationOptions tls = new();
        try
        {
            string certificate = Path.Combine(CertPath, "cert.pem");
            if (File.Exists(certificate))
            {
                tls.ClientCertificates = [X509Certificate2.CreateFromPemFile(certificate, Path.Combine(CertPath, "key.pem"))];
            }

            string authority = Path.Combine(CertPath, "ca.pem");
            if (!TlsVerify)
            {
                tls.RemoteCertificateValidationCallback = (_, _, _, _) => true;
            }
            else if (File.Exists(authority))
            {
                X509ChainPolicy policy = new() { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
                policy.CustomTrustStore.ImportFromPemFile(authority);
                tls.CertificateChainPolicy = policy;
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or System.Security.Cryptography.CryptographicException)
        {
            throw new DockerException($"The TLS files of the Docker endpoint cannot be read ({e.Message}): {CertPath} must hold ca.pem, cert.pem and key.pem, readable by the agent.", e);
        }

        return tls;
    }
}
