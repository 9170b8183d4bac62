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

        await agent.KillAsync();
        disk.Free();
        container.WriteSequence(1000);
        agent = StartAgent(configuration);
        await WaitForAllAsync(store.Stored, () => tree.Written);
        Assert.Equal("0 missing, 0 doubled", store.Stored.Compare(tree.Written));
        await agent.StopAsync();
    }

    [ScenarioFact]
    [Trait("Scenario", "18")]
    public async Task Containers_that_come_and_go_leave_no_handle_and_no_memory_behind()
    {
        int rounds = Machine.Full ? 500 : 10;
        DockerTree tree = NewTree();
        DocumentStore store = Own(await DocumentStore.StartNewAsync());
        AgentProcess agent = StartAgent(TreeConfiguration(tree, Elasticsearch(store.Url)));
        int handles = 0;
        long memory = 0;
        for (int round = 0; round < rounds; round++)
        {
            FakeContainer[] containers = [.. Enumerable.Range(0, 20).Select(i => tree.Add($"guest-{round}-{i}"))];
            foreach (FakeContainer container in containers)
            {
                container.WriteSequence(50);
            }

            await WaitForAllAsync(store.Stored, () => tree.Written);
            foreach (FakeContainer container in containers)
            {
                container.Remove();
            }

            await WaitAsync(() => agent.OpenLogs() == 0, "the handles of removed containers are given back", () => $"{agent.OpenLogs()} are open");
            if (round == 2)
            {
                (handles, memory) = (agent.OpenHandles(), agent.MemoryKiB("VmRSS"));
            }
        }

        Assert.Equal("0 missing, 0 doubled", store.Stored.Compare(tree.Written));
        Assert.InRange(agent.OpenHandles(), 0, handles + 20);
        Assert.InRange(agent.MemoryKiB("VmRSS"), 0, memory + (100 * 1024));
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
}
