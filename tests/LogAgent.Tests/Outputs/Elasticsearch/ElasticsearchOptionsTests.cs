using LogAgent.Configuration;
using LogAgent.Outputs.Elasticsearch;

namespace LogAgent.Tests.Outputs.Elasticsearch;

public class ElasticsearchOptionsTests
{
    [Fact]
    public void Without_keys_the_defaults_are_those_of_the_type()
    {
        ElasticsearchOptions read = Read("{}", out string[] errors);
        Assert.Empty(errors);
        ElasticsearchOptions defaults = new() { Index = read.Index };
        Assert.Equal(defaults with { Hosts = read.Hosts }, read);
        Assert.Equal(defaults.Hosts, read.Hosts);
        Assert.Equal("logagent-%{yyyy.MM.dd}", read.Index.Pattern);
    }

    [Fact]
    public void Every_key_is_read()
    {
        ElasticsearchOptions read = Read("""
            name: main
            hosts: [https://a:9200, https://b:9200/es/]
            data_stream: app
            id: none
            username: u
            password: p
            tls: { verify: false, ca_fingerprint: "AB:AB:ab:ab:ab:ab:ab:ab:ab:ab:ab:ab:ab:ab:ab:ab:ab:ab:ab:ab:ab:ab:ab:ab:ab:ab:ab:ab:ab:ab:ab:ab" }
            compression: gzip
            compression_level: 7
            timeout: 5s
            batch: { bytes: 1MiB, records: 10, age: 2s }
            concurrency: 3
            template: { install: false }
            """, out string[] errors);
        Assert.Empty(errors);
        Assert.Equal("main", read.Name);
        Assert.Equal(["https://a:9200/", "https://b:9200/es/"], read.Hosts.Select(host => host.ToString()));
        Assert.True(read.IsDataStream);
        Assert.Equal("app", read.Index.Pattern);
        Assert.Equal(DocumentId.None, read.Id);
        Assert.Equal("username and password", read.Credentials!.Key);
        Assert.False(read.Tls.Verify);
        Assert.Equal(64, read.Tls.CaFingerprint.Length);
        Assert.Equal((7, TimeSpan.FromSeconds(5), 1L << 20, 10, TimeSpan.FromSeconds(2), 3, false), (read.GzipLevel, read.Timeout, read.BatchBytes, read.BatchRecords, read.BatchAge, read.Concurrency, read.InstallTemplate));
        Assert.Equal(0, Read("compression: none", out _).GzipLevel);
    }

    [Theory]
    [InlineData("hosts: [localhost:9200]", "is no address of a node")]
    [InlineData("hosts: [ftp://x]", "is no address of a node")]
    [InlineData("hosts: ['https://u:geheim@x:9200']", "carries credentials")]
    [InlineData("hosts: []", "hosts")]
    [InlineData("index: Logs", "is not allowed")]
    [InlineData("data_stream: a-%{yyyy}", "has no date")]
    [InlineData("{data_stream: a, index: b}", "exclude each other")]
    [InlineData("{api_key: geheim, bearer: geheim}", "exclude each other")]
    [InlineData("username: u", "belong together")]
    [InlineData("bearer: \"geheim\\nx\"", "no HTTP header")]
    [InlineData("tls: { ca_file: /does/not/exist }", "/does/not/exist cannot be used")]
    [InlineData("tls: { ca_fingerprint: abc }", "64 hexadecimal digits")]
    [InlineData("tls: { key_file: /x }", "belong together")]
    public void A_value_that_cannot_be_is_an_error_that_shows_no_secret(string yaml, string words)
    {
        Read(yaml, out string[] errors);
        Assert.Contains(errors, error => error.Contains(words, StringComparison.Ordinal));
        Assert.DoesNotContain(errors, error => error.Contains("geheim", StringComparison.Ordinal));
    }

    private static ElasticsearchOptions Read(string yaml, out string[] errors)
    {
        ConfigurationFile file = ConfigurationFile.Parse(yaml);
        ElasticsearchOptions options = ElasticsearchOptions.Read(file.Root);
        errors = [.. file.Errors.Select(error => error.ToString()!)];
        return options;
    }
}
