using System.Text.Json.Nodes;
using LogAgent.IntegrationTests.Support;

namespace LogAgent.IntegrationTests.Kibana;

/// <summary>
/// The search behind a Lens panel, made of its columns as Kibana does: buckets within each other in the order of the columns, metrics in the
/// innermost. What the store of these tests lacks is asked for by its equal: multi_terms by composite, top_metrics by top_hits.
/// </summary>
internal sealed class LensQuery(string id)
{
    private readonly JsonNode _state = SavedObjects.Attributes(id)["state"]!;

    private JsonObject Layer => _state["datasourceStates"]!["formBased"]!["layers"]!["records"]!.AsObject();

    private IEnumerable<KeyValuePair<string, JsonNode>> Columns => Layer["columnOrder"]!.AsArray().Select(name => KeyValuePair.Create((string)name!, Layer["columns"]![(string)name!]!));

    public async Task<IReadOnlyList<PanelRow>> RunAsync(ElasticsearchServer server, string pattern)
    {
        KeyValuePair<string, JsonNode>[] buckets = [.. Columns.Where(column => (bool)column.Value["isBucketed"]!)];
        KeyValuePair<string, JsonNode>[] metrics = [.. Columns.Where(column => !(bool)column.Value["isBucketed"]!)];
        JsonObject body = new() { ["size"] = 0, ["query"] = SavedObjects.Query(_state["query"]!), ["aggs"] = Aggregations(buckets, metrics) };
        JsonNode answer = JsonNode.Parse(await server.RequestAsync(HttpMethod.Post, $"/{pattern}/_search", body.ToJsonString()))!;
        return [.. Rows(answer["aggregations"]!, buckets, [])];
    }

    private static JsonObject Aggregations(ReadOnlySpan<KeyValuePair<string, JsonNode>> buckets, KeyValuePair<string, JsonNode>[] metrics)
    {
        if (buckets.IsEmpty)
        {
            return new(metrics.Select(metric => KeyValuePair.Create(metric.Key, (JsonNode?)Metric(metric.Value))));
        }

        JsonObject bucket = Bucket(buckets[0].Value);
        bucket["aggs"] = Aggregations(buckets[1..], metrics);
        return new() { [buckets[0].Key] = bucket };
    }

    private static JsonObject Bucket(JsonNode column)
    {
        string field = (string)column["sourceField"]!;
        JsonNode parameters = column["params"]!;
        switch ((string?)column["operationType"])
        {
            case "date_histogram":
                return new() { ["date_histogram"] = new JsonObject { ["field"] = field, ["fixed_interval"] = "1h", ["min_doc_count"] = 1 } };
            case "terms" when parameters["secondaryFields"] is JsonArray others:
                string[] fields = [field, .. others.Select(other => (string)other!)];
                return new() { ["composite"] = new JsonObject { ["size"] = (int)parameters["size"]!, ["sources"] = new JsonArray([.. fields.Select(Source)]) } };
            case "terms":
                return new() { ["terms"] = new JsonObject { ["field"] = field, ["size"] = (int)parameters["size"]! } };
            default:
                throw new InvalidOperationException($"This test does not know the column {column}.");
        }
    }

    private static JsonObject Source(string field) => new() { [field] = new JsonObject { ["terms"] = new JsonObject { ["field"] = field } } };

    /// <summary>Each within a filter, so that all of them read alike.</summary>
    private static JsonObject Metric(JsonNode column)
    {
        string field = (string)column["sourceField"]!;
        JsonObject metric = new() { ["filter"] = column["filter"] is { } filter ? SavedObjects.Query(filter) : new() { ["match_all"] = new JsonObject() } };
        switch ((string?)column["operationType"])
        {
            case "last_value":
                JsonObject newest = new() { ["size"] = 1, ["_source"] = false, ["fields"] = new JsonArray(field), ["sort"] = new JsonArray(new JsonObject { [(string)column["params"]!["sortField"]!] = "desc" }) };
                metric["aggs"] = new JsonObject { ["value"] = new JsonObject { ["top_hits"] = newest } };
                break;
            case "percentile" when !SavedObjects.IsRuntimeField(field):
                metric["aggs"] = new JsonObject { ["value"] = new JsonObject { ["percentiles"] = new JsonObject { ["field"] = field, ["percents"] = new JsonArray((double)column["params"]!["percentile"]!) } } };
                break;
        }

        return metric;
    }

    private static IEnumerable<PanelRow> Rows(JsonNode aggregations, KeyValuePair<string, JsonNode>[] buckets, string[] keys)
    {
        if (buckets.Length == 0)
        {
            return [new PanelRow(keys, aggregations)];
        }

        return aggregations[buckets[0].Key]!["buckets"]!.AsArray().SelectMany(bucket => Rows(bucket!, buckets[1..], [.. keys, .. Keys(bucket!["key"]!)]));
    }

    private static IEnumerable<string> Keys(JsonNode key) =>
        key is JsonObject several ? several.Select(pair => pair.Value!.ToString()) : [key.ToString()];
}
