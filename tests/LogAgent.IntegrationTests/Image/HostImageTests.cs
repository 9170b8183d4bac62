using System.Text.Json.Nodes;
using LogAgent.IntegrationTests.Support;

namespace LogAgent.IntegrationTests.Image;

/// <summary>The image as the agent of its host.</summary>
public sealed class HostImageTests : ImageScenario
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
        // The header and the agent: no shell around it, no child, nothing left of the health checks.
        Assert.Equal(2, (await engine.RunAsync("top", engine.Prefix + "agent")).Split('\n').Length);
        await StopsCleanlyAsync(engine);
    }

    [ImageFact]
    public async Task It_is_one_process_of_an_unprivileged_user_and_says_what_it_is()
    {
        DockerEngine engine = await StartEngineAsync();

        Assert.Equal("65532:65532", await engine.RunAsync("inspect", "--format", "{{.Config.User}}", AgentImage.Name));
        Assert.Equal("LogAgent", await engine.RunAsync("inspect", "--format", "{{index .Config.Labels \"org.opencontainers.image.title\"}}", AgentImage.Name));
        Assert.Matches("^[0-9a-f]{40}$|^unknown$", await engine.RunAsync("inspect", "--format", "{{index .Config.Labels \"org.opencontainers.image.revision\"}}", AgentImage.Name));
        Assert.StartsWith("logagent ", await engine.RunAsync("run", "--rm", "--network", "none", AgentImage.Name, "version"), StringComparison.Ordinal);
    }
}
