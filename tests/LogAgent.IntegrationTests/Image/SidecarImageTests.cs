using System.Text.Json.Nodes;
using LogAgent.IntegrationTests.Support;

namespace LogAgent.IntegrationTests.Image;

/// <summary>The image beside one container, reading the files of its volumes.</summary>
public sealed class SidecarImageTests : ImageScenario
{
    [ImageFact]
    public async Task As_sidecar_it_ships_the_files_of_the_volumes_it_shares_without_socket_root_or_configuration_file()
    {
        DockerEngine engine = await StartEngineAsync();
        string logs = await engine.VolumeAsync("logs");
        string state = await engine.VolumeAsync("state");
        await engine.StartAsync("app", ["--detach", "--volume", $"{logs}:/var/log/app"], "sh", "-c", Writer(0, 300) + "sleep 600");

        await RunAgentAsync(engine, [
            "--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--read-only",
            "--volumes-from", engine.Prefix + "app:ro", "--volume", $"{state}:/var/lib/logagent",
            "--env", "LOGAGENT_FILES=/var/log/app/*.log", "--env", "LOGAGENT_CLUSTER=test-cluster",
            "--env", "LOGAGENT_OUTPUT_TYPE=console", "--env", "LOGAGENT_OUTPUT_FORMAT=json"]);
        await ShipsAsync(engine, 300);

        // Stopped and started, it goes on from the state on its volume.
        await StopsCleanlyAsync(engine);
        await engine.RunAsync("exec", engine.Prefix + "app", "sh", "-c", Writer(300, 500));
        await engine.RunAsync("start", engine.Prefix + "agent");
        await ShipsAsync(engine, 500);

        JsonNode document = (await DocumentsAsync(engine)).First();
        Assert.Equal("/var/log/app/shop.log", (string?)document["log"]!["file"]!["path"]);
        Assert.Equal("test-cluster", (string?)document["orchestrator"]!["cluster"]!["name"]);
        await StopsCleanlyAsync(engine);
    }

    [ImageFact]
    public async Task With_a_socket_it_finds_whose_volumes_it_shares_and_drains_when_it_is_stopped()
    {
        DockerEngine engine = await StartEngineAsync();
        DocumentStore store = Own(await DocumentStore.StartNewAsync());
        string image = Folder["image"];
        await File.WriteAllTextAsync(image, "registry:5000/team/shop:7\n");
        await engine.StartAsync("other", ["--detach"], DockerEngine.Count("other", 10, "sleep 600"));
        await engine.StartAsync("app", ["--detach", "--volume", "/var/log/app"], "sh", "-c", Writer(0, 200) + "sleep 600");

        // On the host's network, to reach the test's own server.
        string group = await Shell.RunAsync("stat", "--format", "%g", engine.Socket);
        await engine.RunAsync(
            "run", "--detach", "--name", engine.Prefix + "agent", "--label", "logagent.test=" + engine.Prefix, "--network", "host",
            "--user", "65532:" + group, "--cap-drop", "ALL", "--volumes-from", engine.Prefix + "app:ro", "--volume", $"{engine.Socket}:/var/run/docker.sock:ro", "--volume", $"{image}:/run/image:ro",
            "--env", "LOGAGENT_FILES=/var/log/app/*.log", "--env", "LOGAGENT_IMAGE_FILE=/run/image", "--env", "LOGAGENT_SERVICE=checkout", "--env", "CLUSTER_ID=prod", "--env", "LOGAGENT_METRICS_LISTEN=",
            "--env", "LOGAGENT_OUTPUT_TYPE=elasticsearch", "--env", $"LOGAGENT_OUTPUT_HOSTS={store.Url}", AgentImage.Name);
        var written = new Dictionary<string, long> { ["shop"] = 200 };
        await Until.TrueAsync(
            () => store.Stored.IsComplete(written) && store.Documents.Any(document => document.Contains($"\"{engine.Prefix}app\"", StringComparison.Ordinal)) || Grow(),
            "the lines arrive, and carry the name of the container whose volume it is",
            () => store.Stored.Compare(written) + AgentLog(engine));
        await engine.RunAsync("exec", engine.Prefix + "app", "sh", "-c", Writer((int)written["shop"], 3000));
        await StopsCleanlyAsync(engine);
        Assert.Contains("everything that was read is delivered", AgentLog(engine), StringComparison.Ordinal);
        await engine.RunAsync("start", engine.Prefix + "agent");

        // A line that only the new process can have read: a signal that comes before it listens is lost to the first process of a container.
        await engine.RunAsync("exec", engine.Prefix + "app", "sh", "-c", Writer(3000, 3001));
        written["shop"] = 3001;
        await Until.TrueAsync(() => store.Stored.IsComplete(written), "the rest arrives after the start", () => store.Stored.Compare(written) + AgentLog(engine));
        Assert.Equal("0 missing, 0 doubled", store.Stored.Compare(written));
        JsonNode document = JsonNode.Parse(store.Documents.First(text => text.Contains("n=2999 ", StringComparison.Ordinal)))!;
        Assert.Equal((engine.Prefix + "app", "registry:5000/team/shop", "7"), ((string?)document["container"]!["name"], (string?)document["container"]!["image"]!["name"], (string?)document["container"]!["image"]!["tag"]));
        Assert.Equal(("checkout", "prod"), ((string?)document["service"]!["name"], (string?)document["orchestrator"]!["cluster"]!["name"]));
        await StopsCleanlyAsync(engine);

        // Records carry what was known when they were read: the name comes with the engine's first answer.
        bool Grow()
        {
            if (store.Stored.IsComplete(written))
            {
                int from = (int)written["shop"];
                engine.RunAsync("exec", engine.Prefix + "app", "sh", "-c", Writer(from, from + 1)).GetAwaiter().GetResult();
                written["shop"] = from + 1;
            }

            return false;
        }
    }

    private static string Writer(int from, int to) =>
        $"i={from}; while [ $i -lt {to} ]; do echo \"seq source=shop n=$i from a file\" >>/var/log/app/shop.log; i=$((i+1)); done; ";

    private static async Task ShipsAsync(DockerEngine engine, long lines)
    {
        Sequences shipped = new();
        var written = new Dictionary<string, long> { ["shop"] = lines };
        await Until.TrueAsync(
            async () => (shipped = await ShippedAsync(engine)).IsComplete(written), $"{lines} lines of the file are shipped", () => shipped.Compare(written) + AgentLog(engine));
        Assert.Equal("0 missing, 0 doubled", shipped.Compare(written));
    }
}
