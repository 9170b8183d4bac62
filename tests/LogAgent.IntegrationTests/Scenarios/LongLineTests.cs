using LogAgent.IntegrationTests.Support;

namespace LogAgent.IntegrationTests.Scenarios;

[Trait("Scenario", "10")]
public sealed class LongLineTests : Scenario
{
    private static readonly string Long = new('x', 80 * 1024);

    [ScenarioFact]
    public async Task A_line_in_pieces_is_joined_over_a_rotation_while_the_streams_interleave()
    {
        DockerTree tree = NewTree();
        FakeContainer container = tree.Add("long");
        DocumentStore store = Own(await DocumentStore.StartNewAsync());
        StartAgent(TreeConfiguration(tree, Elasticsearch(store.Url)));
        long others = 0;
        for (int line = 0; line < 10; line++)
        {
            int piece = 0;
            container.WriteNumbered(Long, "stdout", () =>
            {
                container.WriteLine(Sequences.Line("stderr", others++), "stderr");
                if (++piece == 2 && line % 2 == 0)
                {
                    container.Rotate();
                }
            });
            await WaitAsync(() => store.Stored.CountOf("long") == container.Written, $"line {line} in one piece", () => store.Stored.Compare(Written(container, others)));
        }

        await WaitForAllAsync(store.Stored, () => Written(container, others));
        Assert.Equal("0 missing, 0 doubled", store.Stored.Compare(Written(container, others)));
        Assert.Equal(10, store.Documents.Count(document => document.Contains(Long, StringComparison.Ordinal)));
    }

    [ScenarioFact]
    public async Task A_line_whose_rest_comes_after_the_agent_was_killed_is_joined()
    {
        DockerTree tree = NewTree();
        FakeContainer container = tree.Add("long");
        DocumentStore store = Own(await DocumentStore.StartNewAsync());
        string configuration = TreeConfiguration(tree, Elasticsearch(store.Url));
        int piece = 0;
        container.WriteSequence(10);
        container.WriteNumbered(Long, "stdout", () =>
        {
            if (++piece == 3)
            {
                AgentProcess first = StartAgent(configuration);
                WaitAsync(() => store.Stored.CountOf("long") == 10, "the lines before").GetAwaiter().GetResult();
                first.KillAsync().GetAwaiter().GetResult();
                container.Rotate();
            }
        });
        StartAgent(configuration);
        await WaitForAllAsync(store.Stored, () => tree.Written);
        Assert.Equal("0 missing, 0 doubled", store.Stored.Compare(tree.Written));
        Assert.Single(store.Documents, document => document.Contains(Long, StringComparison.Ordinal));
    }

    private static Dictionary<string, long> Written(FakeContainer container, long others) =>
        new() { [container.Name] = container.Written, ["stderr"] = others };
}
