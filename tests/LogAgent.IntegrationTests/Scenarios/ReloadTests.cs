using System.Diagnostics;
using LogAgent.IntegrationTests.Support;

namespace LogAgent.IntegrationTests.Scenarios;

[Trait("Scenario", "19")]
public sealed class ReloadTests : Scenario
{
    [ScenarioFact]
    public async Task A_reload_every_tenth_of_a_second_under_load_loses_and_doubles_nothing()
    {
        var length = TimeSpan.FromSeconds(Machine.Full ? 60 : 4);
        DockerTree tree = NewTree();
        for (int i = 0; i < 3; i++)
        {
            tree.Add($"reload-{i}");
        }

        DocumentStore store = Own(await DocumentStore.StartNewAsync());
        AgentProcess agent = StartAgent(Configuration(tree, store, 0));
        LoadWriter writer = Own(new LoadWriter(tree, store.Stored.CountOf));
        await WaitAsync(() => store.Stored.Distinct > 500, "the first records");
        int reloads = 0;
        for (var clock = Stopwatch.StartNew(); clock.Elapsed < length || store.Stored.Distinct < 5000;)
        {
            string path = Folder["agent/logagent.yaml"];
            await File.WriteAllTextAsync(path + ".new", Configuration(tree, store, ++reloads));
            File.Move(path + ".new", path, overwrite: true);
            agent.SignalIt(Signal.Hup);
            await Until.LoadAsync(100);
            Assert.False(agent.HasExited, agent.LogTail);
            Assert.True(clock.Elapsed < length + Until.Deadline, $"The records stand still.{Environment.NewLine}{agent.LogTail}");
        }

        await writer.StopAsync();
        await WaitForAllAsync(store.Stored, () => tree.Written);
        Assert.Equal("0 missing, 0 doubled", store.Stored.Compare(tree.Written));
        Assert.Contains(store.Documents, document => document.Contains("\"round\":\"even\"", StringComparison.Ordinal));
        Assert.Contains(store.Documents, document => document.Contains("\"round\":\"odd\"", StringComparison.Ordinal));
        Assert.DoesNotContain("could not be taken over", agent.Log, StringComparison.Ordinal);
        Assert.Equal(0, await agent.StopAsync());
    }

    // Every other time fields change, every third time the output is another one, every seventh time nothing.
    private string Configuration(DockerTree tree, DocumentStore store, int reload) => TreeConfiguration(
        tree,
        Elasticsearch(store.Url) + $"\nbatch:\n  records: {(reload % 7 == 0 ? 400 : 400 + (reload / 3))}\n  age: 100ms",
        $"fields:\n  round: {(reload % 2 == 0 ? "even" : "odd")}");
}
