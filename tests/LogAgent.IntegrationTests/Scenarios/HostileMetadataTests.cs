using System.Text.Json;
using LogAgent.IntegrationTests.Support;

namespace LogAgent.IntegrationTests.Scenarios;

[Trait("Scenario", "22")]
public sealed class HostileMetadataTests : Scenario
{
    private static readonly Dictionary<string, string> Labels = new()
    {
        ["a"] = "leaf",
        ["a.b"] = "below a leaf",
        ["a.b.c."] = "dots",
        [".."] = "only dots",
        ["_index"] = "evil",
        ["index"] = "../evil-%{yyyy}",
        ["quote\"and\\slash"] = "\u0001\u001f\"}\n{\"create\":{\"_index\":\"evil\"}}\n",
        ["large"] = new string('l', 1 << 20),
        ["unicode"] = "\ud83d\ude00 ä €",
    };

    [ScenarioFact]
    public async Task Hostile_labels_cannot_break_a_document_or_choose_an_index()
    {
        DockerTree tree = NewTree();
        tree.Add("hostile", labels: Labels).WriteSequence(500);
        tree.Add("harmless").WriteSequence(500);
        DocumentStore store = Own(await DocumentStore.StartNewAsync());
        StartAgent(TreeConfiguration(tree, Elasticsearch(store.Url)));
        await WaitForAllAsync(store.Stored, () => tree.Written);
        Assert.Equal("0 missing, 0 doubled", store.Stored.Compare(tree.Written));
        Assert.DoesNotContain(store.Keys, key => !key.StartsWith("logagent-2", StringComparison.Ordinal));
        foreach (string document in store.Documents)
        {
            JsonDocument.Parse(document).Dispose();
        }
    }

    [ScenarioFact(Needs.Elasticsearch)]
    public async Task A_real_Elasticsearch_takes_every_line_of_a_container_with_hostile_labels()
    {
        DockerTree tree = NewTree();
        tree.Add("hostile", labels: Labels).WriteSequence(200);
        tree.Add("harmless", labels: new Dictionary<string, string> { ["a"] = "a leaf here" }).WriteSequence(200);
        ElasticsearchServer server = Own(await ElasticsearchServer.StartAsync());
        StartAgent(TreeConfiguration(tree, Elasticsearch(server.Urls)));
        await WaitAsync(async () => await server.CountAsync("*") >= 400, "400 documents");
        Assert.Equal("0 missing, 0 doubled", (await server.SequencesAsync("logagent-*")).Compare(tree.Written));
    }
}
