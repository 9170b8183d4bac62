using LogAgent.Containers;

namespace LogAgent.Tests.Containers;

public class MountTableTests
{
    private static readonly ContainerInfo Container = new()
    {
        Id = "c1",
        Name = "app",
        UpperDirectory = "/data/overlay2/x/diff",
        Mounts =
        [
            new("volume", "/data/volumes/v/_data", "/var/log"),
            new("bind", "/srv/nested", "/var/log/app"),
            new("tmpfs", "", "/run/logs"),
        ],
    };

    [Theory]
    [InlineData("/var/log/a.log", "/data/volumes/v/_data/a.log")]
    [InlineData("/var/log", "/data/volumes/v/_data")]
    [InlineData("/var/log/app/a.log", "/srv/nested/a.log")]
    [InlineData("/var/log/apps/a.log", "/data/volumes/v/_data/apps/a.log")]
    [InlineData("/opt/a.log", "/data/overlay2/x/diff/opt/a.log")]
    public void The_mount_with_the_longest_destination_wins(string path, string expected)
    {
        Assert.True(MountTable.Of(Container, "").TryToHost(path, out string host, out _));
        Assert.Equal(expected, host);
    }

    [Fact]
    public void The_host_root_stands_before_every_host_path()
    {
        Assert.True(MountTable.Of(Container, "/host").TryToHost("/var/log/app/a.log", out string host, out _));
        Assert.Equal("/host/srv/nested/a.log", host);
    }

    [Fact]
    public void A_tmpfs_of_a_container_that_does_not_run_is_out_of_reach_and_the_reason_is_said()
    {
        Assert.False(MountTable.Of(Container, "").TryToHost("/run/logs/a.log", out _, out string reason));
        Assert.Contains("tmpfs", reason);
        Assert.Contains("does not run", reason);
    }

    [Fact]
    public void A_process_that_is_not_the_containers_is_not_looked_into()
    {
        Assert.False(MountTable.Of(Container with { Id = new string('f', 64), Pid = Environment.ProcessId }, "").TryToHost("/run/logs/a.log", out _, out string reason));
        Assert.Contains("--pid=host", reason);
    }

    [Fact]
    public void Without_any_layer_a_path_on_no_mount_is_out_of_reach()
    {
        Assert.False(MountTable.Of(Container with { UpperDirectory = "" }, "").TryToHost("/opt/a.log", out _, out string reason));
        Assert.Contains("no mount", reason);
    }
}
