using LogAgent.IntegrationTests.Support;

namespace LogAgent.IntegrationTests.Scenarios;

[Trait("Scenario", "3")]
public sealed class RotationTests : Scenario
{
    private const int Lines = 10_000;
    private const int Generations = 12;

    [ScenarioFact]
    public Task Rotations_that_compress_lose_nothing() => RotateAsync(maxFile: 3, compress: true, lag: 1);

    [ScenarioFact]
    public Task Rotations_that_rename_lose_nothing() => RotateAsync(maxFile: 3, compress: false, lag: 1);

    [ScenarioFact]
    public Task Rotations_that_unlink_lose_nothing_of_a_file_that_is_open() => RotateAsync(maxFile: 1, compress: false, lag: 0);

    /// <param name="lag">How many generations behind the agent may be when the next rotation comes; 0 = it has begun with the live one.</param>
    private async Task RotateAsync(int maxFile, bool compress, int lag)
    {
        DockerTree tree = NewTree();
        FakeContainer container = tree.Add("rotating", maxFile: maxFile, compress: compress);
        DocumentStore store = Own(await DocumentStore.StartNewAsync());
        StartAgent(TreeConfiguration(tree, Elasticsearch(store.Url)));
        for (int generation = 0; generation < Generations; generation++)
        {
            long opened = Math.Max(0, generation - lag) * (long)Lines;
            container.WriteSequence(Lines / 2, "and the rest of a line of some length, as applications write them");
            if (generation >= lag)
            {
                await WaitAsync(() => store.Stored.CountOf("rotating") > opened, $"generation {generation - lag} is being read", () => store.Stored.Compare(tree.Written));
            }

            container.WriteSequence(Lines / 2, "and the rest of a line of some length, as applications write them");
            container.Rotate();
        }

        await WaitForAllAsync(store.Stored, () => tree.Written);
        Assert.Equal("0 missing, 0 doubled", store.Stored.Compare(tree.Written));
    }
}
