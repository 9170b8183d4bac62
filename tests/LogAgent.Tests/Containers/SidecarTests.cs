using LogAgent.Configuration;
using LogAgent.Containers;
using LogAgent.Enrichment;
using LogAgent.Tailing;
using LogAgent.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;

namespace LogAgent.Tests.Containers;

public sealed class SidecarTests : IDisposable
{
    private readonly TempDirectory _directory = new();
    private readonly List<TailTarget> _set = [];
    private readonly List<string> _removed = [];
    private readonly FileTargets _files;

    public SidecarTests()
    {
        _files = new FileTargets([], new ContainerFields(new()), false, _set.Add, _removed.Add, new TestClock(), NullLogger<FileTargets>.Instance);
        _directory.File("app.log");
    }

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void Files_and_metadata_come_from_the_environment_alone()
    {
        string image = _directory.File("image", "team/web:1.2\n");
        Make(new()
        {
            ["LOGAGENT_CONTAINER_NAME"] = "web",
            ["LOGAGENT_CONTAINER_ID"] = "abc",
            ["LOGAGENT_IMAGE_FILE"] = image,
            ["LOGAGENT_SERVICE"] = "shop",
        }).Begin();
        FieldSet fields = Assert.Single(_set).Fields;
        Assert.Equal(_directory.Path + "/app.log", _set[0].ShownPath);
        Assert.Equal(
            ("abc", "web", "team/web", "1.2", "shop"),
            (fields["container.id"], fields["container.name"], fields["container.image.name"], fields["container.image.tag"], fields["service.name"]));
    }

    [Fact]
    public void A_mounted_file_that_cannot_be_read_is_said_and_the_rest_counts()
    {
        SidecarOptions options = SidecarOptions.FromEnvironment(new Dictionary<string, string>
        {
            ["LOGAGENT_FILES_FILE"] = _directory.Path + "/absent",
            ["LOGAGENT_SERVICE"] = "shop",
        }.GetValueOrDefault)!;
        Assert.Empty(options.Files);
        Assert.Equal("shop", options.Service);
        Assert.StartsWith($"LOGAGENT_FILES_FILE: {_directory.Path}/absent cannot be read", Assert.Single(options.Problems), StringComparison.Ordinal);
    }

    [Fact]
    public void Without_LOGAGENT_FILES_the_agent_is_no_sidecar()
    {
        Assert.Null(SidecarOptions.FromEnvironment(_ => null));
    }

    [Fact]
    public void The_container_of_volumes_from_is_the_one_whose_files_they_are()
    {
        Sidecar sidecar = Make([]);
        sidecar.Begin();
        sidecar.Changed(Container("older", 1, _directory.Path));
        sidecar.Changed(Container("app", 2, _directory.Path));
        sidecar.Changed(Container("own", 3, _directory.Path) with { VolumesFrom = ["app:ro"] });
        Assert.Equal("app", _set[^1].Fields["container.name"]);
        Assert.Equal("1", _set[^1].Fields["container.image.tag"]);
        sidecar.Changed(Container("app", 2, _directory.Path) with { Name = "app-renamed" });
        sidecar.Destroyed("app");
        Assert.Equal("app-renamed", _set[^1].Fields["container.name"]);
        Assert.Equal(3, _set.Count);
    }

    [Fact]
    public void Else_it_is_the_oldest_container_with_the_same_mount_at_the_files()
    {
        Sidecar sidecar = Make(new() { ["LOGAGENT_SERVICE"] = "said" });
        sidecar.Begin();
        sidecar.Changed(Container("own", 9, _directory.Path));
        sidecar.Changed(Container("elsewhere", 1, "/other"));
        sidecar.Changed(Container("second", 3, _directory.Path));
        sidecar.Changed(Container("first", 2, _directory.Path));
        Assert.Equal("first", _set[^1].Fields["container.name"]);
        Assert.Equal("said", _set[^1].Fields["service.name"]);
    }

    [Fact]
    public async Task A_sidecar_does_not_insist_on_Docker()
    {
        DockerOptions options = new() { Endpoint = "unix://" + _directory.Path + "/none.sock", EndpointIsSet = true };
        ContainerTargets targets = new(options, new ContainerFields(new()), _files, null, false, _set.Add, _removed.Add, new TestClock(), NullLogger<ContainerTargets>.Instance);
        ContainerDiscovery discovery = new(options, _ => null, targets, static _ => false, static _ => { }, new TestClock(), NullLoggerFactory.Instance, Make([]));
        await discovery.RunAsync(default);
        Assert.True(discovery.IsConnected);
    }

    private static ContainerInfo Container(string name, int created, string source) => new()
    {
        Id = name,
        Name = name,
        Image = "app:1",
        Created = DateTimeOffset.UnixEpoch.AddSeconds(created),
        Mounts = [new("bind", source, source)],
    };

    private Sidecar Make(Dictionary<string, string> environment)
    {
        environment["LOGAGENT_FILES"] = _directory.Path + "/*.log, relative";
        return new Sidecar(SidecarOptions.FromEnvironment(environment.GetValueOrDefault)!, new ContainerFields(new()), _files, "own", NullLogger<Sidecar>.Instance);
    }
}
