using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using LogAgent.Delivery;
using LogAgent.Outputs;
using LogAgent.Outputs.Elasticsearch;
using LogAgent.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;

namespace LogAgent.Tests.Outputs;

public sealed class ServerTrustTests : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("logagent-trust-").FullName;
    private readonly X509Certificate2 _authority = Authority("CN=The CA");
    private X509Certificate2 _leaf = null!;
    private BulkServer _server = null!;

    public async Task InitializeAsync()
    {
        _leaf = Leaf(_authority, IPAddress.Loopback);
        _server = await BulkServer.StartAsync(_leaf, _authority);
    }

    public async Task DisposeAsync()
    {
        await _server.DisposeAsync();
        _authority.Dispose();
        _leaf.Dispose();
        Directory.Delete(_folder, true);
    }

    [Fact]
    public async Task A_server_is_believed_by_the_file_of_its_ca() =>
        await SendAsync(new() { CaFile = Pem("ca", _authority) });

    [Fact]
    public void A_server_that_sends_its_ca_is_believed_by_the_fingerprint_of_that() =>
        Assert.Equal("", Judge(new() { CaFingerprint = _authority.GetCertHashString(HashAlgorithmName.SHA256).ToLowerInvariant() }, _leaf, _authority));

    [Fact]
    public void A_server_that_does_not_send_its_ca_is_not_believed_by_a_fingerprint() =>
        Assert.Contains("use tls.ca_file where the server does not send its CA", Judge(new() { CaFingerprint = _authority.GetCertHashString(HashAlgorithmName.SHA256) }, _leaf));

    [Fact]
    public void A_ca_of_the_right_fingerprint_that_did_not_sign_the_certificate_is_not_enough()
    {
        using X509Certificate2 sameName = Authority("CN=The CA");
        Assert.Contains("is not signed by the CA of tls.ca_fingerprint", Judge(new() { CaFingerprint = sameName.GetCertHashString(HashAlgorithmName.SHA256) }, _leaf, sameName, _authority));
    }

    [Fact]
    public void The_root_of_a_longer_chain_is_what_counts()
    {
        using X509Certificate2 between = Authority("CN=Between", _authority);
        using X509Certificate2 leaf = Leaf(between, IPAddress.Loopback);
        Assert.Equal("", Judge(new() { CaFile = Pem("ca", _authority) }, leaf, between));
        Assert.Equal("", Judge(new() { CaFingerprint = _authority.GetCertHashString(HashAlgorithmName.SHA256) }, leaf, between, _authority));
        using X509Certificate2 sameName = Authority("CN=Between", _authority);
        Assert.NotEqual("", Judge(new() { CaFile = Pem("between", sameName) }, leaf, between));
        Assert.NotEqual("", Judge(new() { CaFile = Pem("between", sameName) }, leaf));
        using X509Certificate2 otherRoot = Authority("CN=The CA");
        Assert.NotEqual("", Judge(new() { CaFile = Pem("other", otherRoot) }, leaf, between));
    }

    [Fact]
    public async Task A_server_is_believed_by_its_own_fingerprint() =>
        await SendAsync(new() { CaFingerprint = _leaf.GetCertHashString(HashAlgorithmName.SHA256) });

    [Fact]
    public async Task Any_server_is_believed_when_nothing_is_verified() =>
        await SendAsync(new() { Verify = false });

    [Fact]
    public async Task A_wrong_ca_is_named_with_its_file()
    {
        using X509Certificate2 other = Authority("CN=Another CA");
        string file = Pem("other", other);
        string words = await RefusedAsync(new() { CaFile = file });
        Assert.Contains($"(issued by CN=The CA) is not signed by the CA in tls.ca_file ({file})", words);
    }

    [Fact]
    public async Task Without_a_ca_the_sentence_says_how_to_name_one() =>
        Assert.Contains("name the server's CA with tls.ca_file or tls.ca_fingerprint", await RefusedAsync(new()));

    [Fact]
    public async Task A_certificate_for_another_name_is_refused()
    {
        using X509Certificate2 leaf = Leaf(_authority, IPAddress.Parse("192.0.2.1"));
        await using BulkServer server = await BulkServer.StartAsync(leaf, _authority);
        Assert.Contains("is for another name", await RefusedAsync(new() { CaFile = Pem("ca", _authority) }, server));
    }

    [Fact]
    public async Task The_agents_own_certificate_is_shown()
    {
        using X509Certificate2 own = Authority("CN=The agent");
        string certificate = Pem("agent", own);
        string key = Path.Combine(_folder, "agent.key");
        await File.WriteAllTextAsync(key, own.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem());
        await SendAsync(new() { CaFile = Pem("ca", _authority), CertificateFile = certificate, KeyFile = key });
        Assert.Contains("CN=The agent", _server.ClientCertificates);
    }

    [Fact]
    public async Task Plain_text_to_a_server_of_tls_is_told()
    {
        ElasticsearchOutput output = Output(new(), new($"http://127.0.0.1:{_server.Port}"));
        await using (output)
        {
            SendException problem = await Assert.ThrowsAsync<SendException>(() => output.SendAsync(new BatchBuilder().Add("x").BuildGroup(), default));
            Assert.Equal(SendTrouble.Unreachable, problem.Trouble);
        }
    }

    /// <summary>Shows a certificate, and what a server would send with it; gives the problem, empty = believed.</summary>
    private static string Judge(TlsOptions options, X509Certificate2 certificate, params X509Certificate2[] sent)
    {
        ServerTrust trust = new(options);
        using X509Chain chain = new();
        chain.ChainPolicy.ExtraStore.AddRange(sent);
        bool believed = trust.Ssl.RemoteCertificateValidationCallback!(trust, certificate, chain, System.Net.Security.SslPolicyErrors.RemoteCertificateChainErrors);
        Assert.Equal(believed, trust.Problem.Length == 0);
        return trust.Problem;
    }

    private static X509Certificate2 Authority(string name, X509Certificate2? signer = null)
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = new(name, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        if (signer is null)
        {
            return request.CreateSelfSigned(new(2020, 1, 1, 0, 0, 0, TimeSpan.Zero), new(2040, 1, 1, 0, 0, 0, TimeSpan.Zero));
        }

        using X509Certificate2 signed = request.Create(signer, new(2020, 2, 1, 0, 0, 0, TimeSpan.Zero), new(2039, 6, 1, 0, 0, 0, TimeSpan.Zero), [4, 5, 6]);
        return signed.CopyWithPrivateKey(key);
    }

    private static X509Certificate2 Leaf(X509Certificate2 authority, IPAddress address)
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = new("CN=node", key, HashAlgorithmName.SHA256);
        SubjectAlternativeNameBuilder names = new();
        names.AddIpAddress(address);
        request.CertificateExtensions.Add(names.Build());
        using X509Certificate2 signed = request.Create(authority, new(2021, 1, 1, 0, 0, 0, TimeSpan.Zero), new(2039, 1, 1, 0, 0, 0, TimeSpan.Zero), [1, 2, 3]);
        return signed.CopyWithPrivateKey(key);
    }

    private string Pem(string name, X509Certificate2 certificate)
    {
        string file = Path.Combine(_folder, $"{name}.crt");
        File.WriteAllText(file, certificate.ExportCertificatePem());
        return file;
    }

    private ElasticsearchOutput Output(TlsOptions tls, Uri host)
    {
        Assert.True(IndexName.TryParse("logagent", out IndexName index, out _));
        ElasticsearchOptions options = new() { Index = index, Hosts = [host], Tls = tls, InstallTemplate = false };
        return new(options, new(Schema.Ecs), TimeProvider.System, NullLogger.Instance);
    }

    private async Task SendAsync(TlsOptions tls)
    {
        await using ElasticsearchOutput output = Output(tls, _server.Address);
        Assert.Same(SendResult.Delivered, await output.SendAsync(new BatchBuilder().Add("x").BuildGroup(), default));
    }

    private async Task<string> RefusedAsync(TlsOptions tls, BulkServer? server = null)
    {
        await using ElasticsearchOutput output = Output(tls, (server ?? _server).Address);
        SendException problem = await Assert.ThrowsAsync<SendException>(() => output.SendAsync(new BatchBuilder().Add("x").BuildGroup(), default));
        Assert.Equal(SendTrouble.Unreachable, problem.Trouble);
        return problem.Message;
    }
}
