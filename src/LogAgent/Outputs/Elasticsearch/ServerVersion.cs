using System.Text.Json;

namespace LogAgent.Outputs.Elasticsearch;

/// <summary>What <c>GET /</c> says: {"version":{"number":"8.19.21"}}, with "distribution":"opensearch" where it is that.</summary>
internal sealed record ServerVersion(bool IsOpenSearch, string Number)
{
    public int Major => int.TryParse(Number.Split('.')[0], out int major) ? major : 0;

    /// <summary>Elasticsearch 8 and later, OpenSearch 2 and later.</summary>
    public bool IsSupported => Major >= (IsOpenSearch ? 2 : 8);

    public override string ToString() => $"{(IsOpenSearch ? "OpenSearch" : "Elasticsearch")} {Number}";

    /// <summary>Null where the answer is none of either.</summary>
    public static ServerVersion? Read(Answer answer)
    {
        using JsonDocument? json = answer.TryParse();
        if (json is null || json.RootElement.ValueKind != JsonValueKind.Object
            || !json.RootElement.TryGetProperty("version", out JsonElement version) || version.ValueKind != JsonValueKind.Object
            || !version.TryGetProperty("number", out JsonElement number))
        {
            return null;
        }

        return new(version.TryGetProperty("distribution", out JsonElement distribution) && distribution.ToString() == "opensearch", number.ToString());
    }
}
