using System.Diagnostics;
using System.Text.Json.Nodes;
using LogAgent.IntegrationTests.Support;

namespace LogAgent.IntegrationTests.Image;

/// <summary>The image that from-scratch.sh builds, run as an operator runs it, on a real engine; its output is the container's own.</summary>
public abstract class ImageScenario : Scenario
{
    internal async Task<DockerEngine> StartEngineAsync()
    {
        DockerEngine engine = Own(await DockerEngine.ConnectAsync());
        await AgentImage.EnsureAsync();
        return engine;
    }

    internal static Task RunAgentAsync(DockerEngine engine, string[] options) => engine.RunAsync([
        "run", "--detach", "--name", engine.Prefix + "agent", "--label", "logagent.test=" + engine.Prefix, "--network", "none", .. options, AgentImage.Name]);

    internal static async Task StopsCleanlyAsync(DockerEngine engine)
    {
        var clock = Stopwatch.StartNew();
        await engine.RunAsync("stop", "--time", "30", engine.Prefix + "agent");
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(25), $"It was killed after {clock.Elapsed}.{AgentLog(engine)}");
        Assert.Equal("0", await engine.RunAsync("inspect", "--format", "{{.State.ExitCode}}", engine.Prefix + "agent"));
    }

    internal static async Task<IEnumerable<JsonNode>> DocumentsAsync(DockerEngine engine) =>
        (await engine.TryAsync("logs", engine.Prefix + "agent")).Output
            .Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => JsonNode.Parse(line)!);

    internal static async Task<Sequences> ShippedAsync(DockerEngine engine)
    {
        var shipped = new Sequences();
        foreach (JsonNode document in await DocumentsAsync(engine))
            shipped.Add((string?)document["message"] ?? "");
        return shipped;
    }

    internal static string AgentLog(DockerEngine engine) =>
        Environment.NewLine + engine.TryAsync("logs", "--tail", "30", engine.Prefix + "agent").GetAwaiter().GetResult().Error;
}
