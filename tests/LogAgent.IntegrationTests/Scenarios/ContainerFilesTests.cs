using System.Globalization;
using System.Text.Json.Nodes;
using LogAgent.IntegrationTests.Support;

namespace LogAgent.IntegrationTests.Scenarios;

/// <summary>Files of containers of a real engine, read by the real agent.</summary>
public sealed class ContainerFilesTests : Scenario
{
    [ScenarioFact(Needs.Docker)]
    public async Task Files_on_a_volume_a_bind_a_nested_mount_in_the_layer_and_on_a_tmpfs_are_read_to_their_end_when_the_container_is_gone()
    {
        string[] paths = ["/vol/a.log", "/vol/nested/n.log", "/bind/b.log", "/opt/app/o.log", "/run/t.log"];
        DockerEngine engine = Own(await DockerEngine.ConnectAsync());
        DocumentStore store = Own(await DocumentStore.StartNewAsync());
        AgentProcess agent = StartAgent(EngineConfiguration(engine.Socket, engine.Prefix, Elasticsearch(store.Url)));
        string bind = Path.GetDirectoryName(Folder["bind/."])!;
        string nested = Path.GetDirectoryName(Folder["nested/."])!;
        string count = string.Join(' ', paths.Select(path => $"f={path}; mkdir -p ${{f%/*}}; i=$from; while [ $i -lt $to ]; do echo \"seq source=$f n=$i of it\"; i=$((i+1)); done >>$f;"));
        string id = await engine.StartAsync(
            "kinds",
            ["--detach", "--rm", "--volume", "/vol", "--volume", nested + ":/vol/nested", "--volume", bind + ":/bind:rw", "--tmpfs", "/run", "--label", "logagent.files=/vol/**/*.log,/bind/*.log,/opt/**/*.log,/run/*.log"],
            "sh", "-c", $"more() {{ from=$1; to=$2; {count} }}; trap 'more 500 600; exit 0' TERM; more 0 500; while true; do sleep 0.1; done");
        await WaitForAllAsync(store.Stored, () => paths.ToDictionary(path => path, _ => 500L));
        await engine.RunAsync("stop", "--time", "30", id);
        await WaitForAllAsync(store.Stored, () => paths.ToDictionary(path => path, _ => 600L));
        Assert.Equal("0 missing, 0 doubled", store.Stored.Compare(paths.ToDictionary(path => path, _ => 600L)));
        foreach (JsonNode document in store.Documents.Select(text => JsonNode.Parse(text)!))
        {
            Assert.Contains($"source={document["log"]!["file"]!["path"]} ", (string?)document["message"], StringComparison.Ordinal);
            Assert.Equal((engine.Prefix + "kinds", "1"), ((string?)document["container"]!["name"], (string?)document["container"]!["image"]!["tag"]));
        }

        await WaitAsync(() => agent.CountOpen("/b.log") == 0, "the files of a container that is gone are closed");
    }

    [ScenarioFact(Needs.Docker)]
    [Trait("Scenario", "18")]
    public async Task Containers_that_write_only_files_on_volumes_of_their_own_come_and_go_and_leave_nothing_behind()
    {
        int count = Machine.Full ? 400 : 16;
        DockerEngine engine = Own(await DockerEngine.ConnectAsync());
        DocumentStore store = Own(await DocumentStore.StartNewAsync());
        AgentProcess agent = StartAgent(EngineConfiguration(engine.Socket, engine.Prefix, Elasticsearch(store.Url)));
        int handles = 0;
        await Parallel.ForAsync(0, count, new ParallelOptions { MaxDegreeOfParallelism = 4 }, async (i, _) =>
        {
            string write = $"line() {{ echo \"seq source={Name(i)} n=$n\" >>/logs/app.log; n=$((n+1)); }}; n=0; trap 'line; line; line; exit 0' TERM; line; line; line; while true; do sleep 0.1; done";
            string id = await engine.StartAsync(Name(i), ["--rm", "--detach", "--volume", "/logs", "--label", "logagent.files=/logs/*.log"], "sh", "-c", write);
            await WaitAsync(() => store.Stored.CountOf(Name(i)) == 3, $"the first lines of {Name(i)}");
            handles = Math.Max(handles, agent.OpenHandles());
            await engine.RunAsync("kill", "--signal", "TERM", id);
        });
        Dictionary<string, long> written = Enumerable.Range(0, count).ToDictionary(Name, _ => 6L);
        await WaitForAllAsync(store.Stored, () => written);
        Assert.Equal("0 missing, 0 doubled", store.Stored.Compare(written));
        await WaitAsync(() => agent.CountOpen("/app.log") == 0, "their files are closed", () => $"{agent.CountOpen("/app.log")} are open");
        Assert.InRange(agent.OpenHandles(), 0, handles);
        Assert.InRange(agent.MemoryKiB("VmRSS"), 0, 300 << 10);
    }

    private static string Name(int i) => string.Create(CultureInfo.InvariantCulture, $"files-{i}");
}
