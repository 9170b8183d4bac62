using LogAgent.IntegrationTests.Support;

namespace LogAgent.IntegrationTests.Scenarios;

public sealed class ContainerLifeTests : Scenario
{
    // Each start of the container counts under a name of its own: life-0, life-1 ...
    private static readonly string[] CountByStart =
    [
        "sh", "-c",
        "s=$(cat /starts 2>/dev/null || echo 0); echo $((s+1)) >/starts; i=0; while true; do echo \"seq source=life-$s n=$i\"; i=$((i+1)); [ $((i % 50)) != 0 ] || sleep 0.05; done",
    ];

    [ScenarioFact(Needs.Docker)]
    [Trait("Scenario", "7")]
    public async Task A_container_that_is_stopped_started_renamed_and_restarted_loses_nothing()
    {
        DockerEngine engine = Own(await DockerEngine.ConnectAsync());
        DocumentStore store = Own(await DocumentStore.StartNewAsync());
        StartAgent(EngineConfiguration(engine.Socket, engine.Prefix, Elasticsearch(store.Url)));
        string id = await engine.StartAsync("life", ["--detach", "--log-opt", "max-size=100k", "--log-opt", "max-file=50"], CountByStart);
        for (int start = 0; start < 6; start++)
        {
            string source = $"life-{start}";
            await WaitAsync(() => store.Stored.CountOf(source) > 100, $"lines of start {start}");
            switch (start % 3)
            {
                case 0:
                    await engine.RunAsync("restart", "--time", "0", id);
                    break;
                case 1:
                    await engine.RunAsync("stop", "--time", "0", id);
                    await engine.RunAsync("rename", id, $"{engine.Prefix}life-renamed-{start}");
                    await engine.RunAsync("start", id);
                    break;
                default:
                    await engine.RunAsync("kill", id);
                    await engine.RunAsync("start", id);
                    break;
            }
        }

        await WaitAsync(() => store.Stored.CountOf("life-6") > 100, "lines of the last start");
        await engine.RunAsync("stop", "--time", "0", id);
        IReadOnlyDictionary<string, long> written = ContainerLogs.Count(engine.DataRoot, id);
        await WaitForAllAsync(store.Stored, () => written);
        Assert.Equal("0 missing, 0 doubled", store.Stored.Compare(written));
        Assert.Contains(store.Documents, document => document.Contains($"{engine.Prefix}life-renamed-4", StringComparison.Ordinal));
    }

    [ScenarioFact(Needs.DockerDaemon)]
    [Trait("Scenario", "6")]
    public async Task An_engine_that_comes_late_and_is_restarted_and_killed_under_load_costs_no_line()
    {
        PrivateDocker docker = Own(new PrivateDocker(Folder["d/."].TrimEnd('.', '/')));
        DocumentStore store = Own(await DocumentStore.StartNewAsync());
        StartAgent(EngineConfiguration(docker.Socket, "", Elasticsearch(store.Url)));
        await docker.StartAsync();
        DockerEngine engine = Own(await DockerEngine.ConnectAsync(docker.Socket));
        string id = await engine.StartAsync("life", ["--detach"], CountByStart);
        for (int start = 0; start < 3; start++)
        {
            string source = $"life-{start}";
            await WaitAsync(() => store.Stored.CountOf(source) > 100, $"lines of start {start}");
            await (start == 1 ? docker.KillAsync() : docker.StopAsync());
            await docker.StartAsync();
            await engine.TryAsync("kill", id);
            await engine.RunAsync("start", id);
        }

        await WaitAsync(() => store.Stored.CountOf("life-3") > 100, "lines after the last restart of the engine");
        await engine.RunAsync("stop", "--time", "0", id);
        IReadOnlyDictionary<string, long> written = ContainerLogs.Count(docker.DataRoot, id);
        await WaitForAllAsync(store.Stored, () => written);
        Assert.Equal("0 missing, 0 doubled", store.Stored.Compare(written));
    }
}
