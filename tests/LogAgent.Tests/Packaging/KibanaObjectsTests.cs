using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace LogAgent.Tests.Packaging;

/// <summary>
/// The form of Kibana's saved objects, as an export has it: one object a line, JSON within strings, and every reference by name
/// between the two.
/// </summary>
public sealed class KibanaObjectsTests
{
    private static readonly JsonObject[] Objects =
        [.. File.ReadLines(Repository.PathOf("packaging", "kibana", "logagent.ndjson")).Select(line => JsonNode.Parse(line)!.AsObject())];

    [Fact]
    public void Every_object_has_a_type_an_own_id_attributes_and_the_versions_it_was_written_for()
    {
        Assert.Equal(Objects.Length, Objects.Select(Key).Distinct().Count());
        Assert.All(Objects, item =>
        {
            Assert.NotEmpty(Attributes(item));
            Assert.Equal("8.8.0", (string?)item["coreMigrationVersion"]);
            Assert.Contains((string?)item["typeMigrationVersion"], new[] { "8.0.0", "8.9.0" });
        });
        Assert.Equal(["dashboard", "index-pattern", "lens", "search"], Objects.Select(item => (string)item["type"]!).Distinct().Order());
    }

    [Fact]
    public void Every_reference_points_at_an_object_of_the_file()
    {
        var keys = Objects.Select(Key).ToHashSet();
        Assert.All(Objects.SelectMany(References), reference => Assert.Contains((string)reference["type"]! + "/" + (string)reference["id"]!, keys));
    }

    [Fact]
    public void Every_name_that_an_object_refers_by_is_among_its_references_and_none_is_left_over()
    {
        foreach (JsonObject item in Objects)
            Assert.Equal(
                NamesUsed(item).Order(),
                References(item).Select(reference => (string)reference["name"]!).Order());
    }

    [Fact]
    public void Searches_are_sorted_by_time_and_then_by_the_order_within_the_source()
    {
        JsonObject[] searches = [.. Objects.Where(item => (string)item["type"]! == "search")];
        Assert.NotEmpty(searches);
        Assert.All(searches, item => Assert.Equal(
            """[["@timestamp","desc"],["event.sequence","desc"]]""", Attributes(item)["sort"]!.ToJsonString()));
    }

    [Fact]
    public void The_columns_that_a_chart_shows_are_the_columns_it_computes()
    {
        foreach (JsonObject item in Objects.Where(item => (string)item["type"]! == "lens"))
        {
            JsonNode state = Attributes(item)["state"]!;
            JsonObject layer = state["datasourceStates"]!["formBased"]!["layers"]!["records"]!.AsObject();
            string[] computed = [.. layer["columns"]!.AsObject().Select(column => column.Key)];
            Assert.Equal(computed, layer["columnOrder"]!.AsArray().Select(name => (string)name!));

            Assert.Equal(computed.Order(), Shown(state["visualization"]!).Order());
        }
    }

    [Fact]
    public void Panels_lie_on_the_grid_and_on_no_other_panel()
    {
        var taken = new HashSet<(int, int)>();
        foreach (JsonNode? panel in Panels())
        {
            JsonNode grid = panel!["gridData"]!;
            (int x, int y, int w, int h) = ((int)grid["x"]!, (int)grid["y"]!, (int)grid["w"]!, (int)grid["h"]!);
            Assert.InRange(x + w, 1, 48);
            for (int column = x; column < x + w; column++)
                for (int row = y; row < y + h; row++)
                    Assert.True(taken.Add((column, row)), $"panel {panel["panelIndex"]} overlaps at {column},{row}");
        }
    }

    [Fact]
    public void Every_field_that_is_shown_is_one_that_documents_have()
    {
        string[] known = ["@timestamp", "___records___", "logagent_delay_seconds", .. TemplateFields()];
        string[] used = [.. Objects.SelectMany(FieldsUsed).Distinct()];
        Assert.Contains("container.image.tag", used);
        Assert.All(used, field => Assert.Contains(field, known));
    }

    private static JsonObject Attributes(JsonObject item) => item["attributes"]!.AsObject();

    private static IEnumerable<JsonNode> References(JsonObject item) => item["references"]!.AsArray().Select(node => node!);

    private static string Key(JsonObject item) => (string)item["type"]! + "/" + (string)item["id"]!;

    private static JsonArray Panels() =>
        JsonNode.Parse((string)Attributes(Objects.Single(item => (string)item["type"]! == "dashboard"))["panelsJSON"]!)!.AsArray();

    private static IEnumerable<string> NamesUsed(JsonObject item)
    {
        JsonObject attributes = Attributes(item);
        if (attributes["kibanaSavedObjectMeta"]?["searchSourceJSON"] is { } source
            && JsonNode.Parse((string)source!)!["indexRefName"] is { } index)
            yield return (string)index!;
        if ((string)item["type"]! == "lens")
            foreach ((string layer, _) in attributes["state"]!["datasourceStates"]!["formBased"]!["layers"]!.AsObject())
                yield return "indexpattern-datasource-layer-" + layer;
        if ((string)item["type"]! == "dashboard")
            foreach (JsonNode? panel in Panels())
                yield return $"{panel!["panelIndex"]}:{panel["panelRefName"]}";
    }

    private static IEnumerable<string> Shown(JsonNode visualization)
    {
        if (visualization["columns"] is JsonArray columns)
            return columns.Select(column => (string)column!["columnId"]!);
        JsonNode layer = visualization["layers"]![0]!;
        return [(string)layer["xAccessor"]!, (string)layer["splitAccessor"]!, .. layer["accessors"]!.AsArray().Select(name => (string)name!)];
    }

    private static IEnumerable<string> FieldsUsed(JsonObject item)
    {
        JsonObject attributes = Attributes(item);
        string text = attributes.ToJsonString();
        foreach (JsonNode? column in attributes["columns"] as JsonArray ?? [])
            yield return (string)column!;
        foreach (Match match in Regex.Matches(text, "\"(?:sourceField|sortField)\":\"([^\"]+)\""))
            yield return match.Groups[1].Value;
        foreach (Match match in Regex.Matches(text, "\"secondaryFields\":(\\[[^]]*\\])"))
            foreach (string field in JsonSerializer.Deserialize<string[]>(match.Groups[1].Value)!)
                yield return field;
        foreach (Match match in Regex.Matches(text, "\"query\":\"([a-z@][a-z@.]*) : "))
            yield return match.Groups[1].Value;
    }

    private static IEnumerable<string> TemplateFields() => Leaves(
        JsonNode.Parse(Repository.Read("packaging", "kibana", "index-template.json"))!["template"]!["mappings"]!["properties"]!.AsObject(), "");

    private static IEnumerable<string> Leaves(JsonObject properties, string prefix) => properties.SelectMany(field =>
        field.Value!["properties"] is JsonObject inner ? Leaves(inner, prefix + field.Key + ".") : [prefix + field.Key]);
}
