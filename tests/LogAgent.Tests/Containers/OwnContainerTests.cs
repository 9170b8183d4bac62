using LogAgent.Containers;

namespace LogAgent.Tests.Containers;

public class OwnContainerTests
{
    private static readonly string Id = new('a', 64);

    [Fact]
    public void The_mount_of_the_host_name_tells_the_container()
    {
        string mountinfo = $"""
            1 2 0:1 / / rw - overlay overlay rw
            3 1 8:1 /var/lib/docker/containers/{Id}/hostname /etc/hostname rw - ext4 /dev/sda1 rw
            """;
        Assert.Equal(Id, OwnContainer.Find(mountinfo, ""));
    }

    [Fact]
    public void A_host_with_containers_is_no_container()
    {
        string mountinfo = $"""
            1 2 8:1 / / rw - ext4 /dev/sda1 rw
            3 1 0:9 / /var/lib/docker/containers/{Id}/mounts/shm rw - tmpfs shm rw
            """;
        Assert.Null(OwnContainer.Find(mountinfo, "0::/user.slice/session-1.scope\n"));
    }

    [Theory]
    [InlineData("7:cpu:/docker/")]
    [InlineData("0::/kubepods/pod1/")]
    public void The_control_group_tells_it_too(string before)
    {
        Assert.Equal(Id, OwnContainer.Find("", before + Id + "\n"));
        Assert.Equal(Id, OwnContainer.Find("", "0::/system.slice/docker-" + Id + ".scope\n"));
    }
}
