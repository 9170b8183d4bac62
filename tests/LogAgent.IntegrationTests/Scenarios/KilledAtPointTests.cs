using LogAgent.IntegrationTests.Support;

namespace LogAgent.IntegrationTests.Scenarios;

/// <summary>The agent dies at each step of the way of a line, again and again on the same state, while its containers write on.</summary>
[Trait("Scenario", "1")]
public sealed class KilledAtPointTests : Scenario
{
    [ScenarioTheory(Needs.Trace)]
    [InlineData("before it reads a slice of the log", "pread64", "log", 4, 60)]
    [InlineData("when records are parsed and not sent", "sendto,sendmsg", "", 5, 11)]
    [InlineData("when records are sent and not answered", "recvfrom,recvmsg", "", 12, 25)]
    [InlineData("when records are acknowledged and no checkpoint is begun", "openat", "state/checkpoints.tmp", 1, 2)]
    [InlineData("when the temporary checkpoint is there and empty", "write,pwrite64", "state/checkpoints.tmp", 1, 2)]
    [InlineData("when the temporary checkpoint is written and not synced", "fsync", "state/checkpoints.tmp", 1, 2)]
    [InlineData("when the temporary checkpoint is synced", "rename,renameat,renameat2", "state/checkpoints.tmp", 1, 2)]
    [InlineData("when one checkpoint is to take the place of another", "rename,renameat,renameat2", "state/checkpoints", 2, 2)]
    [InlineData("when the checkpoint has its name and the directory is not synced", "fsync", "state", 1, 2)]
    public async Task Nothing_is_lost_or_doubled_when_the_agent_dies(string point, string calls, string path, int first, int second)
    {
        DockerTree tree = NewTree();
        FakeContainer[] containers = [tree.Add("first"), tree.Add("second", compress: true)];
        DocumentStore store = Own(await DocumentStore.StartNewAsync());
        string configuration = TreeConfiguration(tree, Elasticsearch(store.Url) + "\nbatch:\n  records: 300\n  age: 50ms");
        LoadWriter writer = Own(new LoadWriter(tree, store.Stored.CountOf));
        var kill = new KillPoint(calls, path switch { "" => null, "log" => containers[0].LogPath, _ => Path.Combine(Folder.Path, path) });
        int[] numbers = Machine.Full ? [first, second, 1, 2, 3, 5, 8, 13, 21, 34] : [first, second];
        foreach (int number in numbers)
        {
            string trace = Folder[$"traces/{number}"];
            AgentProcess agent = StartAgent(configuration, wrapper: kill.Wrapper(number, trace));
            await Until.TrueAsync(() => agent.HasExited, $"death {point}, number {number}", () => agent.LogTail);
            Assert.Equal(128 + (int)Signal.Kill, agent.ExitCode);
            await Until.TrueAsync(() => Ended(trace), "the trace has its end");
            string[] steps = await File.ReadAllLinesAsync(trace);
            Assert.Contains(steps, step => Array.Exists(calls.Split(','), call => step.Contains($" {call}(", StringComparison.Ordinal)));
        }

        await writer.StopAsync();
        StartAgent(configuration);
        await WaitForAllAsync(store.Stored, () => tree.Written);
        Assert.Equal("0 missing, 0 doubled", store.Stored.Compare(tree.Written));
    }

    private static bool Ended(string trace) => File.Exists(trace) && File.ReadAllText(trace).Contains("killed by SIGKILL", StringComparison.Ordinal);
}
