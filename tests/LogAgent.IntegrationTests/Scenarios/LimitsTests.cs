using LogAgent.IntegrationTests.Support;

namespace LogAgent.IntegrationTests.Scenarios;

public sealed class LimitsTests : Scenario
{
    [ScenarioFact(Needs.Mount)]
    [Trait("Scenario", "15")]
    public async Task A_full_disk_under_the_checkpoint_stops_nothing_and_loses_nothing()
    {
        DockerTree tree = NewTree();
        FakeContainer container = tree.Add("disk");
        DocumentStore store = Own(await DocumentStore.StartNewAsync());
        await using var disk = new SmallDisk(StateDirectory);
        await disk.MountAsync();
        string configuration = TreeConfiguration(tree, Elasticsearch(store.Url));
        AgentProcess agent = StartAgent(configuration);
        container.WriteSequence(100);
        await WaitForAllAsync(store.Stored, () => tree.Written);
        disk.Fill();
        for (int i = 0; i < 5; i++)
        {
            container.WriteSequence(1000);
            container.Rotate();
            await WaitForAllAsync(store.Stored, () => tree.Written);
        }

        await WaitAsync(() => agent.Log.Contains("checkpoints cannot be written", StringComparison.Ordinal), "the full disk is met and said");
        await agent.KillAsync();
        disk.Free();
        container.WriteSequence(1000);
        agent = StartAgent(configuration);
        await WaitForAllAsync(store.Stored, () => tree.Written);
        Assert.Equal("0 missing, 0 doubled", store.Stored.Compare(tree.Written));
        await agent.StopAsync();
    }

    [ScenarioFact]
    [Trait("Scenario", "17")]
    public async Task Quiet_containers_are_heard_beside_a_loud_one()
    {
        DockerTree tree = NewTree();
        FakeContainer loud = tree.Add("loud");
        FakeContainer[] quiet = [.. Enumerable.Range(0, 50).Select(i => tree.Add($"quiet-{i}"))];
        for (int i = 0; i < 40; i++)
        {
            loud.WriteSequence(10_000, "and the rest of a line of some length, as applications write them");
        }

        foreach (FakeContainer container in quiet)
        {
            container.WriteSequence(1);
        }

        // The quiet ones are all there before the loud one is done: no wait for a time, only an order.
        DocumentStore store = Own(await DocumentStore.StartNewAsync());
        long loudAtTheLastQuiet = -1;
        store.RequestFault = (_, _) =>
        {
            if (loudAtTheLastQuiet < 0 && quiet.All(container => store.Stored.CountOf(container.Name) == 1))
            {
                loudAtTheLastQuiet = store.Stored.CountOf("loud");
            }

            return null;
        };
        StartAgent(TreeConfiguration(tree, Elasticsearch(store.Url)));
        await WaitForAllAsync(store.Stored, () => tree.Written);
        Assert.Equal("0 missing, 0 doubled", store.Stored.Compare(tree.Written));
        Assert.InRange(loudAtTheLastQuiet, 0, loud.Written - 1);
    }

    [ScenarioFact]
    [Trait("Scenario", "16")]
    public async Task Five_hundred_files_are_read_with_sixty_four_handles()
    {
        DockerTree tree = NewTree();
        for (int i = 0; i < 500; i++)
        {
            tree.Add($"file-{i}").WriteSequence(10);
        }

        DocumentStore store = Own(await DocumentStore.StartNewAsync());
        AgentProcess agent = StartAgent(TreeConfiguration(tree, Elasticsearch(store.Url), "limits:\n  open_files: 64"));
        int most = 0;
        for (int round = 0; round < 3; round++)
        {
            await WaitAsync(
                () =>
                {
                    most = Math.Max(most, agent.OpenLogs());
                    return store.Stored.IsComplete(tree.Written);
                },
                "everything has arrived",
                () => store.Stored.Compare(tree.Written));
            foreach (FakeContainer container in tree.All)
            {
                container.WriteSequence(10);
            }
        }

        await WaitForAllAsync(store.Stored, () => tree.Written);
        Assert.Equal("0 missing, 0 doubled", store.Stored.Compare(tree.Written));
        Assert.InRange(most, 1, 64);
    }

    [ScenarioFact]
    [Trait("Scenario", "16")]
    public async Task Five_hundred_files_are_read_by_a_process_whose_limit_leaves_it_sixty_four_handles()
    {
        DockerTree tree = NewTree();
        for (int i = 0; i < 500; i++)
        {
            tree.Add($"file-{i}").WriteSequence(10);
        }

        DocumentStore store = Own(await DocumentStore.StartNewAsync());
        AgentProcess agent = StartAgent(TreeConfiguration(tree, Elasticsearch(store.Url)), wrapper: ["prlimit", "--nofile=256:256"]);
        for (int round = 0; round < 3; round++)
        {
            await WaitForAllAsync(store.Stored, () => tree.Written);
            foreach (FakeContainer container in tree.All)
            {
                container.WriteSequence(10);
            }
        }

        await WaitForAllAsync(store.Stored, () => tree.Written);
        Assert.Equal("0 missing, 0 doubled", store.Stored.Compare(tree.Written));
        Assert.InRange(agent.OpenLogs(), 1, 64);
        Assert.Contains("leaves 64 for log files", agent.Log, StringComparison.Ordinal);
    }

    [ScenarioFact(Needs.UserNamespace)]
    [Trait("Scenario", "16")]
    public async Task Thirty_containers_are_followed_with_eight_inotify_watches()
    {
        DockerTree tree = NewTree();
        for (int i = 0; i < 30; i++)
        {
            tree.Add($"watched-{i}").WriteSequence(10);
        }

        // The limit of the namespace: that of the machine stays as it is.
        string[] eightWatches = ["unshare", "--user", "--map-root-user", "sh", "-c", "echo 8 >/proc/sys/user/max_inotify_watches && exec \"$@\"", "sh"];
        DocumentStore store = Own(await DocumentStore.StartNewAsync());
        AgentProcess agent = StartAgent(TreeConfiguration(tree, Elasticsearch(store.Url)), wrapper: eightWatches);
        for (int round = 0; round < 4; round++)
        {
            await WaitForAllAsync(store.Stored, () => tree.Written);
            Assert.InRange(agent.InotifyWatches(), 1, 8);
            tree.Add($"new-{round}");
            foreach (FakeContainer container in tree.All)
            {
                container.WriteSequence(200);
                container.Rotate();
                container.WriteSequence(10);
            }
        }

        await WaitForAllAsync(store.Stored, () => tree.Written);
        Assert.Equal("0 missing, 0 doubled", store.Stored.Compare(tree.Written));
    }
}
