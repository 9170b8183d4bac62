using LogAgent.Containers;

namespace LogAgent.Tests.Containers;

public sealed class DockerClientTests : IDisposable
{
    private readonly FakeEngine _engine = new();

    public void Dispose() => _engine.Dispose();

    [Theory]
    [InlineData("1.41", "/v1.41/")]
    [InlineData("1.24", "/v1.24/")]
    [InlineData("1.99", "/v1.50/")]
    public async Task The_version_is_the_engines_own_up_to_the_newest_that_is_known(string version, string expected)
    {
        _engine.PingHeaders = $"Api-Version: {version}\r\n";
        _engine.Start();
        using DockerClient client = Client();
        Assert.Equal("/data", (await client.InfoAsync(default)).DockerRootDir);
        Assert.Contains(_engine.Requests, r => r.StartsWith(expected, StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_the_engine_does_not_know_is_null()
    {
        _engine.Start();
        using DockerClient client = Client();
        Assert.Null(await client.InspectAsync("none", default));
        Assert.Null(await client.ImageAsync("none", default));
    }

    [Fact]
    public async Task A_missing_socket_is_explained()
    {
        using DockerClient client = Client();
        DockerException e = await Assert.ThrowsAsync<DockerException>(() => client.ListAsync(default));
        Assert.Contains("There is no socket at " + _engine.SocketPath, e.Message);
        Assert.Contains("docker.discovery: files", e.Message);
    }

    [Fact]
    public async Task A_socket_that_a_killed_engine_left_is_explained()
    {
        _engine.Start();
        _engine.Kill();
        using DockerClient client = Client();
        DockerException e = await Assert.ThrowsAsync<DockerException>(() => client.ListAsync(default));
        Assert.Contains("is not running", e.Message);
    }

    [Fact]
    public async Task Garbage_in_place_of_JSON_is_explained()
    {
        _engine.Answers["/containers/json"] = "<html>";
        _engine.Start();
        using DockerClient client = Client();
        DockerException e = await Assert.ThrowsAsync<DockerException>(() => client.ListAsync(default));
        Assert.Contains("/containers/json", e.Message);
    }

    [Fact]
    public async Task Something_that_is_no_engine_is_explained()
    {
        _engine.PingHeaders = "";
        _engine.Start();
        using DockerClient client = Client();
        DockerException e = await Assert.ThrowsAsync<DockerException>(() => client.ListAsync(default));
        Assert.Contains("Api-Version", e.Message);
    }

    [Fact]
    public void The_file_wins_over_the_environment_which_wins_over_the_default()
    {
        Dictionary<string, string> environment = new() { ["DOCKER_HOST"] = "tcp://box:2376", ["DOCKER_CERT_PATH"] = "/certs", ["DOCKER_TLS_VERIFY"] = "1" };
        DockerEndpoint fromFile = DockerEndpoint.From(new() { Endpoint = "unix:///x.sock", EndpointIsSet = true }, environment.GetValueOrDefault);
        Assert.Equal("/x.sock", fromFile.SocketPath);
        DockerEndpoint fromEnvironment = DockerEndpoint.From(new(), environment.GetValueOrDefault);
        Assert.Equal(new Uri("https://box:2376"), fromEnvironment.Address);
        Assert.Equal("/certs", fromEnvironment.CertPath);
        Assert.True(fromEnvironment.TlsVerify);
        environment.Remove("DOCKER_TLS_VERIFY");
        Assert.False(DockerEndpoint.From(new(), environment.GetValueOrDefault).TlsVerify);
        Assert.Equal("/var/run/docker.sock", DockerEndpoint.From(new(), _ => null).SocketPath);
        Assert.Equal(new Uri("http://box:2375"), DockerEndpoint.From(new() { Endpoint = "tcp://box", EndpointIsSet = true }, _ => null).Address);
        Assert.Throws<DockerException>(() => DockerEndpoint.From(new() { Endpoint = "npipe://x", EndpointIsSet = true }, _ => null));
    }

    private DockerClient Client() => new(new DockerEndpoint { SocketPath = _engine.SocketPath }, TimeProvider.System);
}
