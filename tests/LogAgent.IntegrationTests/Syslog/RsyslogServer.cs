using System.Diagnostics;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using LogAgent.IntegrationTests.Support;

namespace LogAgent.IntegrationTests.Syslog;

/// <summary>A real rsyslogd on a port of its own that writes what it understood of each message as a line.</summary>
internal sealed class RsyslogServer : IAsyncDisposable
{
    public const string Program = "/usr/sbin/rsyslogd";

    private readonly TempFolder _folder = new();
    private readonly string _configuration;
    private Process? _process;

    /// <param name="tls">TCP with TLS; false: TCP and UDP on the same port.</param>
    public RsyslogServer(bool tls = false)
    {
        Port = FreePorts.One();
        string inputs = $"""
            module(load="imtcp")
            module(load="imudp")
            input(type="imtcp" port="{Port}" address="127.0.0.1")
            input(type="imudp" port="{Port}" address="127.0.0.1")
            """;
        if (tls)
        {
            MakeCertificates();
            inputs = $"""
                global(DefaultNetstreamDriver="gtls" DefaultNetstreamDriverCAFile="{CaFile}" DefaultNetstreamDriverCertFile="{_folder["server.crt"]}" DefaultNetstreamDriverKeyFile="{_folder["server.key"]}")
                module(load="imtcp" StreamDriver.Name="gtls" StreamDriver.Mode="1" StreamDriver.Authmode="anon")
                input(type="imtcp" port="{Port}" address="127.0.0.1")
                """;
        }

        _configuration = _folder["rsyslog.conf"];
        File.WriteAllText(_configuration, $"""
            global(workDirectory="{_folder.Path}" maxMessageSize="64k")
            {inputs}
            template(name="line" type="string" string="%syslogfacility-text%.%syslogseverity-text%;%timestamp:::date-rfc3339%;%hostname%;%app-name%;%procid%;%structured-data%;%msg%\n")
            action(type="omfile" file="{_folder["out"]}" template="line")

            """);
    }

    public int Port { get; }

    public string CaFile => _folder["ca.crt"];

    /// <summary>What it has written so far: facility.severity;time;host;app;pid;structured data;message.</summary>
    public string[] Lines => File.Exists(_folder["out"]) ? File.ReadAllLines(_folder["out"]) : [];

    public async Task StartAsync()
    {
        ProcessStartInfo start = new(Program, ["-n", "-f", _configuration, "-i", _folder["pid"]]) { RedirectStandardError = true, RedirectStandardOutput = true };
        Process process = Process.Start(start)!;
        process.ErrorDataReceived += static (_, _) => { };
        process.OutputDataReceived += static (_, _) => { };
        process.BeginErrorReadLine();
        process.BeginOutputReadLine();
        _process = process;
        await Until.TrueAsync(IsListening, "rsyslogd listens", () => $"exited: {process.HasExited}");
    }

    /// <summary>SIGKILL: the connections are reset or closed by the kernel.</summary>
    public async Task KillAsync()
    {
        if (_process is { } process)
        {
            process.Kill();
            await process.WaitForExitAsync();
            process.Dispose();
            _process = null;
        }
    }

    public Task<string[]> LinesAsync(int count) => WaitAsync(count);

    public async ValueTask DisposeAsync()
    {
        await KillAsync();
        _folder.Dispose();
    }

    private async Task<string[]> WaitAsync(int count)
    {
        await Until.TrueAsync(() => Lines.Length >= count, $"rsyslogd has written {count} lines", () => string.Join('\n', Lines.TakeLast(10)), TimeSpan.FromSeconds(60));
        return Lines;
    }

    private async Task<bool> IsListening()
    {
        try
        {
            using TcpClient client = new();
            await client.ConnectAsync("127.0.0.1", Port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private void MakeCertificates()
    {
        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        using RSA authorityKey = RSA.Create(2048);
        CertificateRequest authorityRequest = new("CN=test authority", authorityKey, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        authorityRequest.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        using X509Certificate2 authority = authorityRequest.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
        using RSA key = RSA.Create(2048);
        CertificateRequest request = new("CN=localhost", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        SubjectAlternativeNameBuilder names = new();
        names.AddDnsName("localhost");
        request.CertificateExtensions.Add(names.Build());
        using X509Certificate2 server = request.Create(authority, now.AddDays(-1), now.AddDays(1), [1, 2, 3, 4]);
        File.WriteAllText(CaFile, authority.ExportCertificatePem());
        File.WriteAllText(_folder["server.crt"], server.ExportCertificatePem());
        File.WriteAllText(_folder["server.key"], key.ExportRSAPrivateKeyPem());
    }
}
