using LogAgent.IntegrationTests.Support;
using LogAgent.Outputs.Elasticsearch;

namespace LogAgent.IntegrationTests.Elasticsearch;

public sealed class ThreeNodesTests(ThreeNodesTests.Fixture fixture) : IClassFixture<ThreeNodesTests.Fixture>
{
    [ScenarioFact(Needs.Elasticsearch)]
    public async Task A_node_that_is_killed_under_load_loses_and_doubles_nothing_and_is_used_again_when_it_is_back()
    {
        ElasticsearchServer server = await fixture.GetAsync();
        KeptLines log = new();
        await using ElasticsearchOutput output = OutputUnderTest.Make(server, "logagent-%{yyyy.MM.dd}", options => options with { Timeout = TimeSpan.FromSeconds(30) }, log);
        await OutputUnderTest.DeliverAsync(output, OutputUnderTest.Lines(100, 0));
        int sent = 100;
        using CancellationTokenSource killed = new();
        Task load = Task.Run(async () =>
        {
            for (int after = 0; after < 6; after += killed.IsCancellationRequested ? 1 : 0)
            {
                await OutputUnderTest.DeliverAsync(output, OutputUnderTest.Lines(50, sent));
                sent += 50;
            }
        });
        await server.KillNodeAsync(2);
        await killed.CancelAsync();
        await load;
        Assert.Equal(Enumerable.Range(0, sent), await OutputUnderTest.NumbersAsync(server, "logagent-2026.11.20"));
        Assert.Contains(log.All, line => line.Contains("does not answer; it is left out", StringComparison.Ordinal));
        await server.StartNodeAsync(2);
        for (int attempt = 0; attempt < 200 && !log.All.Any(line => line.Contains("answers again", StringComparison.Ordinal)); attempt++)
        {
            await OutputUnderTest.DeliverAsync(output, OutputUnderTest.Lines(1, sent));
            await Task.Delay(TimeSpan.FromMilliseconds(200), TimeProvider.System);
        }

        Assert.Contains(log.All, line => line.Contains("answers again", StringComparison.Ordinal));
    }

    public sealed class Fixture() : ServerFixture(3, false);
}
