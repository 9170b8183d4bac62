using System.Text.Json;
using LogAgent.Delivery;
using LogAgent.IntegrationTests.Support;
using LogAgent.Outputs;
using LogAgent.Outputs.Elasticsearch;

namespace LogAgent.IntegrationTests.Elasticsearch;

public sealed class SecureTests(SecureTests.Fixture fixture) : IClassFixture<SecureTests.Fixture>
{
    [ScenarioFact(Needs.Elasticsearch)]
    public async Task A_key_that_may_only_write_its_indices_is_enough()
    {
        ElasticsearchServer server = await fixture.GetAsync();
        Credentials key = await KeyAsync(server);
        KeptLines log = new();
        await using ElasticsearchOutput output = Make(server, "logagent-%{yyyy.MM.dd}", key, log: log);
        RecordGroup group = OutputUnderTest.Lines(500);
        Assert.Same(SendResult.Delivered, await output.SendAsync(group, default));
        Assert.Empty((await output.SendAsync(group, default)).Retry);
        Assert.Equal(500, await server.CountAsync("logagent-2026.11.20"));
        Assert.Contains(log.All, line => line.Contains("manage_index_templates", StringComparison.Ordinal));
        Assert.All(await output.CheckAsync(default), result => Assert.True(result.Ok, result.Detail));
    }

    [ScenarioFact(Needs.Elasticsearch)]
    public async Task The_same_key_on_another_index_keeps_the_records_and_says_which_right_is_missing()
    {
        ElasticsearchServer server = await fixture.GetAsync();
        await using ElasticsearchOutput output = Make(server, "other", await KeyAsync(server));
        SendException problem = await Assert.ThrowsAsync<SendException>(() => output.SendAsync(OutputUnderTest.Lines(3), default));
        Assert.Equal(SendTrouble.Unauthorized, problem.Trouble);
        Assert.Contains("create_doc", problem.Message);
        Assert.Contains(await output.CheckAsync(default), result => !result.Ok && result.Detail.Contains("may not write there", StringComparison.Ordinal));
    }

    [ScenarioFact(Needs.Elasticsearch)]
    public async Task A_wrong_key_is_unauthorized()
    {
        ElasticsearchServer server = await fixture.GetAsync();
        await using ElasticsearchOutput output = Make(server, "logagent-x", Credentials.ApiKey("wrong:key"));
        SendException problem = await Assert.ThrowsAsync<SendException>(() => output.SendAsync(OutputUnderTest.Lines(1), default));
        Assert.Equal(SendTrouble.Unauthorized, problem.Trouble);
        Assert.Contains("does not accept the api_key", problem.Message);
        Assert.Contains(await output.CheckAsync(default), result => !result.Ok && result.Detail.Contains("401", StringComparison.Ordinal));
    }

    [ScenarioFact(Needs.Elasticsearch)]
    public async Task The_ca_is_believed_by_its_fingerprint_too()
    {
        ElasticsearchServer server = await fixture.GetAsync();
        string fingerprint = System.Security.Cryptography.X509Certificates.X509CertificateLoader.LoadCertificateFromFile(server.CaFile).GetCertHashString(System.Security.Cryptography.HashAlgorithmName.SHA256);
        await using ElasticsearchOutput output = Make(server, "logagent-fingerprint", Elastic, new() { CaFingerprint = fingerprint });
        try
        {
            Assert.Same(SendResult.Delivered, await output.SendAsync(OutputUnderTest.Lines(1), default));
        }
        catch (SendException problem)
        {
            // A server that does not send its CA cannot be believed this way; the sentence says what helps.
            Assert.Contains("tls.ca_file where the server does not send its CA", problem.Message);
        }
    }

    [ScenarioFact(Needs.Elasticsearch)]
    public async Task A_wrong_ca_is_told_in_a_clear_sentence()
    {
        ElasticsearchServer server = await fixture.GetAsync();
        using TempFolder folder = new();
        string wrong = Path.Combine(folder.Path, "wrong.crt");
        using (System.Security.Cryptography.RSA rsa = System.Security.Cryptography.RSA.Create(2048))
        {
            using System.Security.Cryptography.X509Certificates.X509Certificate2 other = new System.Security.Cryptography.X509Certificates.CertificateRequest("CN=Another CA", rsa, System.Security.Cryptography.HashAlgorithmName.SHA256, System.Security.Cryptography.RSASignaturePadding.Pkcs1)
                .CreateSelfSigned(new(2020, 1, 1, 0, 0, 0, TimeSpan.Zero), new(2040, 1, 1, 0, 0, 0, TimeSpan.Zero));
            await File.WriteAllTextAsync(wrong, other.ExportCertificatePem());
        }

        foreach ((TlsOptions tls, string words) in new (TlsOptions, string)[]
        {
            (new() { CaFile = wrong }, $"is not signed by the CA in tls.ca_file ({wrong})"),
            (new(), "name the server's CA with tls.ca_file or tls.ca_fingerprint"),
            (new() { CaFingerprint = new string('a', 64) }, "fingerprint"),
        })
        {
            await using ElasticsearchOutput output = Make(server, "logagent-x", Elastic, tls);
            SendException problem = await Assert.ThrowsAsync<SendException>(() => output.SendAsync(OutputUnderTest.Lines(1), default));
            Assert.Equal(SendTrouble.Unreachable, problem.Trouble);
            Assert.Contains(words, problem.Message);
        }

        await using ElasticsearchOutput careless = Make(server, "logagent-careless", Elastic, new() { Verify = false });
        Assert.Same(SendResult.Delivered, await careless.SendAsync(OutputUnderTest.Lines(1), default));
    }

    public sealed class Fixture() : ServerFixture(1, true);

    private static Credentials Elastic => Credentials.Basic("elastic", ElasticsearchServer.Password);

    private static ElasticsearchOutput Make(ElasticsearchServer server, string index, Credentials credentials, TlsOptions? tls = null, KeptLines? log = null) =>
        OutputUnderTest.Make(server, index, options => options with { Credentials = credentials, Tls = tls ?? new() { CaFile = server.CaFile } }, log);

    private static async Task<Credentials> KeyAsync(ElasticsearchServer server)
    {
        using JsonDocument answer = JsonDocument.Parse(await server.RequestAsync(HttpMethod.Post, "/_security/api_key", """
            {"name":"agent","role_descriptors":{"writer":{"index":[{"names":["logagent-*"],"privileges":["create_doc","auto_configure"]}]}}}
            """));
        return Credentials.ApiKey(answer.RootElement.GetProperty("encoded").GetString()!);
    }
}
