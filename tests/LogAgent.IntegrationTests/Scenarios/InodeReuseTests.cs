using LogAgent.IntegrationTests.Support;

namespace LogAgent.IntegrationTests.Scenarios;

/// <summary>A new container's log gets the inode of one that was removed, as ext4 gives it out again at once.</summary>
[Trait("Scenario", "9")]
public sealed class InodeReuseTests : Scenario
{
    private const int Rounds = 8;

    /// <summary>While others make files on the same file system, they may get the inode first.</summary>
    private const int MostRounds = 40;

    [ScenarioFact]
    public Task A_container_with_the_inode_of_another_is_read_in_full() => ReuseAsync(killed: false);

    [ScenarioFact]
    public Task A_container_with_the_inode_of_another_is_read_in_full_by_an_agent_that_was_down() => ReuseAsync(killed: true);

    private async Task ReuseAsync(bool killed)
    {
        DockerTree tree = NewTree();
        DocumentStore store = Own(await DocumentStore.StartNewAsync());
        string configuration = TreeConfiguration(tree, Elasticsearch(store.Url));
        AgentProcess agent = StartAgent(configuration);
        var inodes = new HashSet<string>();
        FakeContainer? last = null;
        bool reuses = await Shell.RunAsync("stat", "--file-system", "--format", "%T", tree.Root) == "ext2/ext3";
        for (int round = 0; round < Rounds || (reuses && inodes.Count == round && round < MostRounds); round++)
        {
            if (killed && last is not null)
            {
                await agent.KillAsync();
            }

            last?.Remove();
            if (!killed)
            {
                // An open handle would keep the inode.
                await WaitAsync(() => agent.OpenLogs() == 0, "the handle of the removed container is given back");
            }

            last = tree.Add($"reuse-{round}");
            last.WriteSequence(700 + (50 * round)); // past the place that the one before was read to
            inodes.Add(await Shell.RunAsync("stat", "--format", "%d:%i", last.LogPath));
            if (killed && round > 0)
            {
                agent = StartAgent(configuration);
            }

            await WaitForAllAsync(store.Stored, () => tree.Written);
        }

        Assert.Equal("0 missing, 0 doubled", store.Stored.Compare(tree.Written));
        Assert.False(reuses && inodes.Count == MostRounds, "No inode was used twice: the test has tested nothing.");
    }
}
