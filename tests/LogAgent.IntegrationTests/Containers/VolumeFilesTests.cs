using LogAgent.Configuration;
using LogAgent.IntegrationTests.Support;
using LogAgent.Tailing;

namespace LogAgent.IntegrationTests.Containers;

public class VolumeFilesTests
{
    private const string Write = "mkdir -p /vol/sub /opt/app; for p in /vol/a.log /vol/nested/n.log /bind/b.log /opt/app/o.log /run/t.log; do echo $p >$p; done; ln -s /vol/a.log /opt/app/link.log; ln -s /dev/stdout /opt/app/out.log; sleep 1000";

    [ScenarioFact(Needs.Docker)]
    public async Task Files_are_found_on_volumes_binds_nested_mounts_the_writable_layer_and_tmpfs_through_the_engine() => await AllKindsAsync(false);

    [ScenarioFact(Needs.Docker)]
    public async Task Files_are_found_on_volumes_binds_nested_mounts_the_writable_layer_and_tmpfs_without_a_socket() => await AllKindsAsync(true);

    [ScenarioFact(Needs.Docker)]
    public async Task A_volume_of_two_containers_is_read_once_for_the_one_that_had_it_first()
    {
        await using DockerEngine docker = await DockerEngine.ConnectAsync();
        string first = await docker.StartAsync("first", ["-d", "-v", "/logs", "--label", "logagent.files=/logs/*.log"], "sh", "-c", "echo x >/logs/app.log; sleep 1000");
        await docker.StartAsync("second", ["-d", "--volumes-from", first, "--label", "logagent.files=/logs/*.log"], "sh", "-c", "echo y >/logs/second.log; sleep 1000");
        await using WatchedEngine watched = new(docker, new DockerOptions());
        await Until.TrueAsync(() => Shown(watched).Count() == 2, "both files are targets");
        Assert.NotNull(watched.ByShownPath(docker.Prefix + "first", "/logs/app.log"));
        Assert.NotNull(watched.ByShownPath(docker.Prefix + "first", "/logs/second.log"));
        await docker.RunAsync("rm", "-f", first);
        await Until.TrueAsync(() => watched.ByShownPath(docker.Prefix + "second", "/logs/app.log") is not null, "the second container has the file");
        Assert.DoesNotContain(watched.Removed.Keys, id => id.StartsWith("file:", StringComparison.Ordinal));
    }

    [ScenarioFact(Needs.Docker)]
    public async Task Ten_containers_that_write_only_a_file_and_are_gone_a_second_later_are_all_read()
    {
        const int Count = 10;
        await using DockerEngine docker = await DockerEngine.ConnectAsync();
        await using WatchedEngine watched = new(docker, new DockerOptions());
        await Until.TrueAsync(() => watched.Discovery.IsConnected, "discovery has begun");
        for (int i = 0; i < Count; i++)
        {
            await docker.StartAsync("f" + i, ["--rm", "-v", "/logs", "--label", "logagent.files=/logs/*.log"], "sh", "-c", $"echo 'only {i}' >/logs/app.log; sleep 1");
        }

        await Until.TrueAsync(() => Shown(watched).Count() == Count, "all files were targets", () => $"{Shown(watched).Count()} of {Count}", TimeSpan.FromSeconds(30));
        foreach (TailTarget target in Shown(watched))
        {
            string number = target.Fields["container.name"]![(docker.Prefix.Length + 1)..];
            Assert.Equal($"only {number}\n", watched.Content(target.Id));
        }
    }

    private static IEnumerable<TailTarget> Shown(WatchedEngine watched) => watched.Targets.Values.Where(t => t.ShownPath is not null);

    private static async Task AllKindsAsync(bool files)
    {
        await using DockerEngine docker = await DockerEngine.ConnectAsync();
        using TempFolder folder = new();
        string volume = await docker.VolumeAsync("vol");
        Directory.CreateDirectory(folder.Path + "/nested");
        DockerOptions options = files ? new DockerOptions { Discovery = Discovery.Files, DataRoot = docker.DataRoot } : new DockerOptions();
        await using WatchedEngine watched = new(docker, options);
        string[] mounts = ["-v", volume + ":/vol", "-v", folder.Path + "/nested:/vol/nested", "-v", folder.Path + ":/bind", "--tmpfs", "/run"];
        await docker.StartAsync("kinds", ["-d", .. mounts, "--label", "logagent.files=/vol/**/*.log,/bind/*.log,/opt/**/*.log,/run/*.log"], "sh", "-c", Write);
        string[] expected = ["/bind/b.log", "/opt/app/o.log", "/run/t.log", "/vol/a.log", "/vol/nested/n.log"];
        await Until.TrueAsync(
            () => expected.All(path => Content(watched, docker, path) == path + "\n"),
            "each file is a target, and its content its name",
            () => string.Join('\n', Shown(watched).Select(t => t.ShownPath + " at " + t.Path)),
            TimeSpan.FromSeconds(20));
        Assert.Equal(expected, Shown(watched).Select(t => t.ShownPath).Order());
    }

    private static string? Content(WatchedEngine watched, DockerEngine docker, string path) =>
        watched.ByShownPath(docker.Prefix + "kinds", path) is { } target ? watched.Content(target.Id) : null;
}
