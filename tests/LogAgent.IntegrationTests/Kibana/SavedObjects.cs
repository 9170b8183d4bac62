using System.Text.Json.Nodes;
using LogAgent.IntegrationTests.Support;

namespace LogAgent.IntegrationTests.Kibana;

/// <summary>The objects of packaging/kibana/logagent.ndjson, one a line.</summary>
internal static class SavedObjects
{
    public static string Folder { get; } = Path.Combine(Repository.Root, "packaging", "kibana");

    private static readonly JsonNode[] All = [.. File.ReadLines(Path.Combine(Folder, "logagent.ndjson")).Select(line => JsonNode.Parse(line)!)];

    public static JsonNode Attributes(string id) => All.Single(item => (string)item["id"]! == id)["attributes"]!;

    public static IEnumerable<string> Ids(string type) => All.Where(item => (string)item["type"]! == type).Select(item => (string)item["id"]!);

    /// <summary>Fields that Kibana computes at query time; the stores of these tests have no script language.</summary>
    public static bool IsRuntimeField(string field) =>
        JsonNode.Parse((string)Attributes("logagent-records")["runtimeFieldMap"]!)!.AsObject().ContainsKey(field);

    /// <summary>The body of the search that a "search" object makes.</summary>
    public static JsonObject SearchBody(string id)
    {
        JsonNode attributes = Attributes(id);
        JsonNode source = JsonNode.Parse((string)attributes["kibanaSavedObjectMeta"]!["searchSourceJSON"]!)!;
        return new()
        {
            ["size"] = 500,
            ["query"] = Query(source["query"]!),
            ["sort"] = new JsonArray([.. attributes["sort"]!.AsArray().Select(pair => new JsonObject { [(string)pair![0]!] = (string)pair[1]! })]),
            ["fields"] = new JsonArray([.. attributes["columns"]!.AsArray().Select(column => JsonValue.Create((string)column!))]),
        };
    }

    /// <summary>Of KQL what the objects use: nothing, FIELD : *, FIELD : VALUE.</summary>
    public static JsonObject Query(JsonNode query)
    {
        Assert.Equal("kuery", (string?)query["language"]);
        string[] parts = ((string)query["query"]!).Split(" : ");
        return parts switch
        {
            [""] => new() { ["match_all"] = new JsonObject() },
            [var field, "*"] => new() { ["exists"] = new JsonObject { ["field"] = field } },
            [var field, var value] => new() { ["term"] = new JsonObject { [field] = value } },
            _ => throw new InvalidOperationException($"This test does not know the query {query}."),
        };
    }
}
