using LogAgent.Configuration;
using LogAgent.Containers;
using LogAgent.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;

namespace LogAgent.Tests.Containers;

public sealed class ContainerDirectoryWatcherTests : IDisposable
{
    private readonly TempDirectory _directory = new();
    private readonly List<ContainerInfo> _changed = [];
    private readonly List<string> _destroyed = [];
    private readonly TestClock _clock = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void A_container_is_read_from_the_engines_files()
    {
        Add("abc", "web");
        _directory.File("image/overlay2/layerdb/mounts/abc/mount-id", "layer1");
        Make().PollOnce();
        ContainerInfo container = Assert.Single(_changed);
        Assert.Equal(("abc", "web", "team/web:1", "json-file"), (container.Id, container.Name, container.Image, container.LogDriver));
        Assert.Equal($"{_directory.Path}/containers/abc/abc-json.log", container.LogPath);
        Assert.Equal("y", container.Labels["x"]);
        Assert.Equal(("running", 42), (container.State, container.Pid));
        Assert.Equal($"{_directory.Path}/overlay2/layer1/diff", container.UpperDirectory);
        Assert.Equal(
            [new("bind", "/srv", "/logs"), new("volume", $"{_directory.Path}/volumes/v1/_data", "/data"), new("tmpfs", "", "/run")],
            container.Mounts);
        Assert.Equal(["other"], container.VolumesFrom);
    }

    [Fact]
    public void New_removed_and_changed_containers_are_noticed()
    {
        ContainerDirectoryWatcher watcher = Make();
        watcher.PollOnce();
        Assert.True(watcher.IsConnected);
        Add("abc", "web");
        watcher.PollOnce();
        watcher.PollOnce();
        Assert.Single(_changed);
        Add("abc", "renamed");
        File.SetLastWriteTimeUtc(_directory.Path + "/containers/abc/config.v2.json", new DateTime(2030, 1, 1));
        _clock.Advance(TimeSpan.FromSeconds(2));
        watcher.PollOnce();
        Assert.Equal("renamed", _changed[1].Name);
        Directory.Delete(_directory.Path + "/containers/abc", recursive: true);
        watcher.PollOnce();
        Assert.Equal(["abc"], _destroyed);
        Assert.Equal(2, _changed.Count);
    }

    [Fact]
    public void A_directory_whose_files_are_still_being_written_is_tried_again()
    {
        ContainerDirectoryWatcher watcher = Make();
        Directory.CreateDirectory(_directory.Path + "/containers/abc");
        watcher.PollOnce();
        _directory.File("containers/abc/config.v2.json", """{"ID":"abc","Na""");
        watcher.PollOnce();
        Assert.Empty(_changed);
        Add("abc", "web");
        watcher.PollOnce();
        Assert.Single(_changed);
    }

    [Fact]
    public void An_image_id_is_looked_up_in_the_engines_list()
    {
        string id = "sha256:" + new string('b', 64);
        _directory.File("image/overlay2/repositories.json", $$$"""{"Repositories":{"team/app":{"team/app@sha256:0":"{{{id}}}","team/app:7":"{{{id}}}"} } }""");
        Add("abc", "web", image: id, imageId: id);
        Make().PollOnce();
        Assert.Equal("team/app:7", _changed[0].Image);
    }

    [Fact]
    public void A_missing_data_root_is_no_end()
    {
        ContainerDirectoryWatcher watcher = Make();
        Assert.False(watcher.IsConnected);
        Directory.Delete(_directory.Path + "/containers", recursive: true);
        watcher.PollOnce();
        Assert.False(watcher.IsConnected);
        Add("abc", "web");
        watcher.PollOnce();
        Assert.Single(_changed);
    }

    private void Add(string id, string name, string image = "team/web:1", string imageId = "sha256:00")
    {
        _directory.File($"containers/{id}/hostconfig.json", """{"LogConfig":{"Type":"json-file","Config":{}},"Tmpfs":{"/run":"size=1m"},"VolumesFrom":["other"]}""");
        _directory.File($"containers/{id}/config.v2.json", $$$"""
            {"ID":"{{{id}}}","Name":"/{{{name}}}","Created":"2026-11-20T20:35:46.685148284Z","Image":"{{{imageId}}}","LogPath":"",
            "State":{"Running":true,"Pid":42},"Config":{"Image":"{{{image}}}","Labels":{"x":"y"}},
            "MountPoints":{"/logs":{"Source":"/srv","Destination":"/logs","RW":true,"Name":"","Driver":"","Type":"bind"},
            "/data":{"Source":"","Destination":"/data","Name":"v1","Driver":"local","Type":"volume"} } }
            """);
    }

    private ContainerDirectoryWatcher Make()
    {
        Directory.CreateDirectory(_directory.Path + "/containers");
        return new ContainerDirectoryWatcher(new DockerOptions { DataRoot = _directory.Path }, _changed.Add, _destroyed.Add, _clock, NullLogger<ContainerDirectoryWatcher>.Instance);
    }
}
