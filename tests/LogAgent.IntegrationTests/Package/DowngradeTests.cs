using LogAgent.IntegrationTests.Support;
using LogAgent.Operations;

namespace LogAgent.IntegrationTests.Package;

/// <summary>The real agent on what a later version has left. (That it goes on from what an earlier one has left, <see cref="DebTests"/> try.)</summary>
public sealed class DowngradeTests : Scenario
{
    [ScenarioFact]
    public async Task Checkpoints_of_a_later_version_are_refused_with_what_to_do_and_stay_as_they_are()
    {
        const string Later = "logagent checkpoints 2 in a format that nobody knows yet\n";
        string checkpoints = Path.Combine(StateDirectory, "checkpoints");
        await File.WriteAllTextAsync(checkpoints, Later);
        await using DocumentStore store = await DocumentStore.StartNewAsync();
        DockerTree tree = NewTree();
        tree.Add("app").WriteSequence(10);

        AgentProcess agent = StartAgent(TreeConfiguration(tree, Elasticsearch(store.Url)));
        await agent.WaitForExitAsync(Until.Deadline);

        // 2: the packaged unit does not start it again and again for this.
        Assert.Equal((int)ExitCode.Usage, agent.ExitCode);
        Assert.Contains("later version of logagent (format 2; this one knows 1). Start that version again, or move the file away", agent.LogTail, StringComparison.Ordinal);
        Assert.Equal(Later, await File.ReadAllTextAsync(checkpoints));
        Assert.Equal(["checkpoints", "lock"], Directory.GetFiles(StateDirectory).Select(Path.GetFileName).Order());
        Assert.True(store.Stored.IsComplete(new Dictionary<string, long>()));
    }
}
