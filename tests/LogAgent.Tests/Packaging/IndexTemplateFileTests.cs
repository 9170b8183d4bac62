using System.Text.Json.Nodes;
using LogAgent.Configuration;
using LogAgent.Outputs;
using LogAgent.Outputs.Elasticsearch;

namespace LogAgent.Tests.Packaging;

/// <summary>The template for those who manage templates themselves maps fields as the agent's own does, and wins over it.</summary>
public sealed class IndexTemplateFileTests
{
    private static readonly JsonObject File = JsonNode.Parse(Repository.Read("packaging", "kibana", "index-template.json"))!.AsObject();
    private static readonly JsonObject Own = MakeOwn();

    [Fact]
    public void Every_field_of_the_agents_own_template_is_mapped_alike()
    {
        JsonObject file = File["template"]!["mappings"]!.AsObject();
        var mappings = Leaves(file["properties"]!.AsObject(), "").ToDictionary();
        foreach ((string field, string mapping) in Leaves(Own["template"]!["mappings"]!["properties"]!.AsObject(), ""))
            Assert.Equal((field, mapping), (field, mappings.GetValueOrDefault(field)));
        Assert.Equal(Own["template"]!["mappings"]!["dynamic_templates"]!.ToJsonString(), file["dynamic_templates"]!.ToJsonString());
    }

    [Fact]
    public void It_is_for_the_same_indices_with_a_higher_priority()
    {
        Assert.Equal(Own["index_patterns"]!.ToJsonString(), File["index_patterns"]!.ToJsonString());
        Assert.True((int)File["priority"]! > (int)Own["priority"]!);
    }

    [Fact]
    public void The_data_view_is_for_the_same_indices() =>
        Assert.Contains($"\"title\":\"{(string)Own["index_patterns"]![0]!}\"", Repository.Read("packaging", "kibana", "logagent.ndjson"), StringComparison.Ordinal);

    private static JsonObject MakeOwn()
    {
        var configuration = ConfigurationFile.Parse("type: elasticsearch");
        return TemplateDocument.Make(ElasticsearchOptions.Read(configuration.Root), Schema.Ecs, openSearch: false);
    }

    private static IEnumerable<KeyValuePair<string, string>> Leaves(JsonObject properties, string prefix) => properties.SelectMany(field =>
        field.Value!["properties"] is JsonObject inner
            ? Leaves(inner, prefix + field.Key + ".")
            : [KeyValuePair.Create(prefix + field.Key, field.Value.ToJsonString())]);
}
