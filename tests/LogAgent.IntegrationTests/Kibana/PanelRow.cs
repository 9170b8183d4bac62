using System.Text.Json.Nodes;

namespace LogAgent.IntegrationTests.Kibana;

/// <summary>One row of what a panel shows.</summary>
/// <param name="Keys">Of its buckets, outermost first.</param>
internal sealed record PanelRow(string[] Keys, JsonNode Metrics)
{
    public string Key => string.Join(' ', Keys);

    public int Count(string column) => (int)Metrics[column]!["doc_count"]!;

    /// <summary>The newest value of a column that shows one.</summary>
    public string Newest(string column, string field) => (string)Metrics[column]!["value"]!["hits"]!["hits"]![0]!["fields"]![field]![0]!;
}
