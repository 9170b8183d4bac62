using System.Diagnostics;
using System.Text.Json.Nodes;
using LogAgent.IntegrationTests.Support;

namespace LogAgent.IntegrationTests.Image;

/// <summary>The image that from-scratch.sh builds, run as an operator runs it, on a real engine.</summary>
public sealed class ImageTests : Scenario
{
    /// <summary>Root without root's powers: it may read every file and nothing else.</summary>
    private static readonly string[] HostAgentRights = ["--user", "0:0", "--cap-drop", "ALL", "--cap-add", "DAC_READ_SEARCH", "--security-opt", "no-new-privileges", "--read-only"];

    [ImageFact]
    public async Task As_host_agent_it_ships_what_other_containers_write_with_their_image_and_tag()
    {
        DockerEngine engine = await StartEngineAsync();
        string configuration = Folder["logagent.yaml"];
        await File.WriteAllTextAsync(configuration, $$"""
            cluster: test-cluster
            docker: { include: { names: ["{{engine.Prefix}}app*"] } }
            outputs:
              - { type: console, format: json }
            """);
        await engine.StartAsync("app1", ["--detach"], DockerEngine.Count("app1", 200, "sleep 600"));

        await RunAgentAsync(engine, [
            .. HostAgentRights, "--health-interval", "1s",
            "--volume", $"{engine.Socket}:/var/run/docker.sock:ro", "--volume", $"{engine.DataRoot}:{engine.DataRoot}:ro",
            "--volume", $"{configuration}:/etc/logagent/logagent.yaml:ro"]);
        await engine.StartAsync("app2", ["--detach"], DockerEngine.Count("app2", 200));

        Sequences shipped = new();
        var written = new Dictionary<string, long> { ["app1"] = 200, ["app2"] = 200 };
        await Until.TrueAsync(
            async () => (shipped = await ShippedAsync(engine)).IsComplete(written),
            "both containers' lines are shipped",
            () => shipped.Compare(written) + AgentLog(engine),
            TimeSpan.FromSeconds(60));
        Assert.Equal("0 missing, 0 doubled", shipped.Compare(written));
        JsonNode document = (await DocumentsAsync(engine)).First();
        Assert.Equal("logagent-test/bb", (string?)document["container"]!["image"]!["name"]);
        Assert.Equal("1", (string?)document["container"]!["image"]!["tag"]);
        Assert.Equal("test-cluster", (string?)document["orchestrator"]!["cluster"]!["name"]);
        await Until.TrueAsync(
            async () => await engine.RunAsync("inspect", "--format", "{{.State.Health.Status}}", engine.Prefix + "agent") == "healthy",
            "the image's own health check says healthy",
            () => engine.RunAsync("inspect", "--format", "{{json .State.Health}}", engine.Prefix + "agent").GetAwaiter().GetResult());
        await StopsCleanlyAsync(engine);
    }

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
    public async Task It_is_one_process_of_an_unprivileged_user_and_says_what_it_is()
    {
        DockerEngine engine = await StartEngineAsync();

        Assert.Equal("65532:65532", await engine.RunAsync("inspect", "--format", "{{.Config.User}}", AgentImage.Name));
        Assert.Equal("LogAgent", await engine.RunAsync("inspect", "--format", "{{index .Config.Labels \"org.opencontainers.image.title\"}}", AgentImage.Name));
        Assert.StartsWith("logagent ", await engine.RunAsync("run", "--rm", "--network", "none", AgentImage.Name, "version"), StringComparison.Ordinal);
    }

    private async Task<DockerEngine> StartEngineAsync()
    {
        DockerEngine engine = Own(await DockerEngine.ConnectAsync());
        await AgentImage.EnsureAsync();
        return engine;
    }

    private static Task RunAgentAsync(DockerEngine engine, string[] options) => engine.RunAsync([
        "run", "--detach", "--name", engine.Prefix + "agent", "--label", "logagent.test=" + engine.Prefix, "--network", "none", .. options, AgentImage.Name]);

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

    private static async Task StopsCleanlyAsync(DockerEngine engine)
    {
        var clock = Stopwatch.StartNew();
        await engine.RunAsync("stop", "--time", "30", engine.Prefix + "agent");
        Assert.InRange(clock.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(25));
        Assert.Equal("0", await engine.RunAsync("inspect", "--format", "{{.State.ExitCode}}", engine.Prefix + "agent"));
    }

    private static async Task<IEnumerable<JsonNode>> DocumentsAsync(DockerEngine engine) =>
        (await engine.TryAsync("logs", engine.Prefix + "agent")).Output
            .Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => JsonNode.Parse(line)!);

    private static async Task<Sequences> ShippedAsync(DockerEngine engine)
    {
        var shipped = new Sequences();
        foreach (JsonNode document in await DocumentsAsync(engine))
            shipped.Add((string?)document["message"] ?? "");
        return shipped;
    }

    private static string AgentLog(DockerEngine engine) =>
        Environment.NewLine + engine.TryAsync("logs", "--tail", "30", engine.Prefix + "agent").GetAwaiter().GetResult().Error;
}
