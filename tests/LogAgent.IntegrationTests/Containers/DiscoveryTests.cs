using LogAgent.Configuration;
using LogAgent.Containers;
using LogAgent.IntegrationTests.Support;
using LogAgent.Tailing;

namespace LogAgent.IntegrationTests.Containers;

public class DiscoveryTests
{
    [ScenarioFact(Needs.Docker)]
    public async Task Containers_that_live_for_an_echo_are_all_seen_and_read_through_the_engine() => await ShortLivedAsync(files: false);

    [ScenarioFact(Needs.Docker)]
    public async Task Containers_that_live_for_an_echo_are_all_seen_and_read_without_a_socket() => await ShortLivedAsync(files: true);

    [ScenarioFact(Needs.Docker)]
    public async Task A_rename_and_a_restart_keep_the_target_and_renew_its_name()
    {
        await using DockerEngine docker = await DockerEngine.ConnectAsync();
        await using WatchedEngine watched = new(docker, new DockerOptions());
        string id = await docker.StartAsync("before", ["-d", "--label", "a.b=c"], "sleep", "1000");
        await Until.TrueAsync(() => NameOf(watched, id) == docker.Prefix + "before", "the container is a target");
        Assert.Equal("c", watched.Targets["container:" + id].Fields["container.labels.a.b"]);
        Assert.Equal(BusyboxImage.Name, watched.Targets["container:" + id].Fields["container.image.name"] + ":" + watched.Targets["container:" + id].Fields["container.image.tag"]);
        await docker.RunAsync("rename", id, docker.Prefix + "after");
        await Until.TrueAsync(() => NameOf(watched, id) == docker.Prefix + "after", "the new name is there");
        await docker.RunAsync("restart", "-t", "0", id);
        Assert.Empty(watched.Removed);
        await docker.RunAsync("rm", "-f", id);
        await Until.TrueAsync(() => watched.Removed.ContainsKey("container:" + id), "the target is removed");
    }

    [ScenarioFact(Needs.Docker)]
    public async Task The_engine_and_its_files_say_the_same_of_a_container()
    {
        await using DockerEngine docker = await DockerEngine.ConnectAsync();
        using TempFolder folder = new();
        string volume = await docker.VolumeAsync("v");
        string id = await docker.StartAsync("same", ["-d", "--label", "x=y", "-v", volume + ":/vol", "-v", folder.Path + ":/bind:ro", "--tmpfs", "/run"], "sleep", "1000");
        string imageId = await docker.RunAsync("image", "inspect", "--format", "{{.Id}}", BusyboxImage.Name);
        string byId = await docker.RunAsync("create", "--name", docker.Prefix + "byid", "--label", "logagent.test=" + docker.Prefix, imageId, "true");
        using DockerClient client = new(new DockerEndpoint { SocketPath = docker.Socket }, TimeProvider.System);
        ContainerInfo fromEngine = ContainerReading.From((await client.InspectAsync(id, default))!, BusyboxImage.Name, docker.DataRoot);
        ContainerDirectory directory = new(docker.DataRoot, "");
        Assert.Contains(id, directory.List());
        Assert.True(directory.TryRead(id, out ContainerInfo? fromFiles, out string problem), problem);
        Assert.Equal(fromEngine.Labels, fromFiles!.Labels);
        Assert.Equal(fromEngine.Mounts.OrderBy(m => m.Destination), fromFiles.Mounts.OrderBy(m => m.Destination));
        Assert.Equal(
            fromEngine with { Labels = fromFiles.Labels, Mounts = fromFiles.Mounts, VolumesFrom = fromFiles.VolumesFrom },
            fromFiles);
        Assert.True(directory.TryRead(byId, out ContainerInfo? named, out problem), problem);
        Assert.Equal(BusyboxImage.Name, named!.Image);
    }

    private static async Task ShortLivedAsync(bool files)
    {
        int count = Machine.Full ? 50 : 5;
        await using DockerEngine docker = await DockerEngine.ConnectAsync();
        DockerOptions options = files ? new DockerOptions { Discovery = Discovery.Files, DataRoot = docker.DataRoot } : new DockerOptions();
        await using WatchedEngine watched = new(docker, options);
        await Until.TrueAsync(() => watched.Discovery.IsConnected, "discovery has begun");
        for (int i = 0; i < count; i++)
        {
            await docker.StartAsync("e" + i, ["--rm"], "echo", "hello " + i);
        }

        await Until.TrueAsync(() => watched.Removed.Count == count, "all targets are removed", () => $"{watched.Targets.Count} seen, {watched.Opened} opened, {watched.Removed.Count} removed", TimeSpan.FromSeconds(30));
        foreach (TailTarget target in watched.Targets.Values)
        {
            string number = target.Fields["container.name"]![(docker.Prefix.Length + 1)..];
            Assert.Contains($"\"hello {number}\\n\"", watched.Content(target.Id));
        }
    }

    private static string? NameOf(WatchedEngine watched, string id) =>
        watched.Targets.TryGetValue("container:" + id, out TailTarget? target) ? target.Fields["container.name"] : null;
}
