using LogAgent.IntegrationTests.Support;

namespace LogAgent.IntegrationTests.Scenarios;

[Trait("Scenario", "1")]
public sealed class KilledUnderLoadTests : Scenario
{
    [ScenarioFact]
    public async Task Nothing_is_lost_or_doubled_when_the_agent_is_killed_again_and_again_under_load()
    {
        DockerTree tree = NewTree();
        for (int i = 0; i < 4; i++)
        {
            tree.Add($"load-{i}");
        }

        DocumentStore store = Own(await DocumentStore.StartNewAsync());
        string configuration = TreeConfiguration(tree, Elasticsearch(store.Url));
        LoadWriter writer = Own(new LoadWriter(tree, store.Stored.CountOf));
        for (int kill = 0; kill < 9; kill++)
        {
            AgentProcess agent = StartAgent(configuration);
            long before = store.Stored.Distinct;
            await WaitAsync(() => store.Stored.Distinct > before + 500, $"500 more records before kill {kill}");
            switch (kill % 3)
            {
                case 0:
                    break;
                case 1: // a request is on its way
                    await KillAtRequestAsync(store, agent, storeFirst: false);
                    break;
                default: // it is stored, and the agent does not know
                    await KillAtRequestAsync(store, agent, storeFirst: true);
                    break;
            }

            await agent.KillAsync();
        }

        await writer.StopAsync();
        StartAgent(configuration);
        await WaitForAllAsync(store.Stored, () => tree.Written);
        Assert.Equal("0 missing, 0 doubled", store.Stored.Compare(tree.Written));
        Assert.True(store.Conflicts > 0, "What was stored behind the agent's back was not sent again: the kills have hit nothing.");
    }

    private async Task KillAtRequestAsync(DocumentStore store, AgentProcess agent, bool storeFirst)
    {
        var hit = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        store.RequestFault = (_, _) =>
        {
            agent.SignalIt(Signal.Kill);
            hit.TrySetResult();
            return new StoreFault(0, StoreFirst: storeFirst);
        };
        await Until.TrueAsync(() => hit.Task.IsCompleted, "a request to kill the agent at", () => agent.LogTail);
        await agent.WaitForExitAsync(Until.Deadline);
        store.RequestFault = null;
    }
}
