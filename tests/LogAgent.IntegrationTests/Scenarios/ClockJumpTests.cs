using System.Globalization;
using LogAgent.IntegrationTests.Support;

namespace LogAgent.IntegrationTests.Scenarios;

[Trait("Scenario", "21")]
public sealed class ClockJumpTests : Scenario
{
    [ScenarioFact(Needs.FakeClock)]
    public async Task Jumps_of_the_clock_by_an_hour_lose_and_double_nothing()
    {
        DockerTree tree = NewTree();
        FakeContainer[] containers = [tree.Add("first"), tree.Add("second", compress: true)];
        DocumentStore store = Own(await DocumentStore.StartNewAsync());
        string configuration = TreeConfiguration(tree, Elasticsearch(store.Url));
        var clock = new FakeClock(Folder["clock/offset"]);
        AgentProcess agent = StartAgent(configuration, wrapper: clock.Wrapper);
        await WaitAsync(() => agent.HasOpen(containers[0].Id), "the agent reads"); // a SIGHUP before would end it
        foreach (int hours in new[] { 0, 1, -1, 2, 0 })
        {
            clock.Jump(TimeSpan.FromHours(hours));
            await SeesAsync(agent, hours);
            await WriteAsync(containers, store, tree);
            if (hours == 2)
            {
                await agent.KillAsync();
                clock.Jump(TimeSpan.FromHours(-1));
                agent = StartAgent(configuration, wrapper: clock.Wrapper);
                await WriteAsync(containers, store, tree);
            }
        }

        Assert.Equal("0 missing, 0 doubled", store.Stored.Compare(tree.Written));
        Assert.Equal(0, await agent.StopAsync());
    }

    // Twice: the second one is written while timers run that were set before the jump.
    private async Task WriteAsync(FakeContainer[] containers, DocumentStore store, DockerTree tree)
    {
        for (int i = 0; i < 2; i++)
        {
            foreach (FakeContainer container in containers)
            {
                container.WriteSequence(1000);
                container.Rotate();
                container.WriteSequence(300);
            }

            await WaitForAllAsync(store.Stored, () => tree.Written);
        }
    }

    // The agent says at each SIGHUP what it does, with its own idea of the time.
    private async Task SeesAsync(AgentProcess agent, int hours) => await WaitAsync(
        () =>
        {
            agent.SignalIt(Signal.Hup);
            return agent.Log.Split('\n').Any(line =>
                line.IndexOf(' ', StringComparison.Ordinal) is > 20 and int end
                && DateTimeOffset.TryParse(line.AsSpan(0, end), CultureInfo.InvariantCulture, out DateTimeOffset time)
                && Math.Abs((time - TimeProvider.System.GetUtcNow()).TotalHours - hours) < 0.2);
        },
        $"the agent sees a clock that is {hours} h ahead");
}
