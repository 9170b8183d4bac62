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
