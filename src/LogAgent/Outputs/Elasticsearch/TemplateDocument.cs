using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace LogAgent.Outputs.Elasticsearch;

/// <summary>
/// The index template as a document, and how it is recognised again: _meta carries a checksum over all that we put into it, so
/// that a template that someone changed is told from one that an older version of the agent made.
/// <code>
/// {"index_patterns":["logagent-*"],"priority":150,"template":{"mappings":{...}},["data_stream":{},]
///  "_meta":{"logagent_version":"0.1.0","logagent_checksum":"64 hexadecimal digits"}}
/// </code>
/// Everything is written as the server gives it back, or the checksum would never match: settings, for one, come back nested
/// and as strings. There are none: shards, replicas and refresh are the cluster's business.
/// </summary>
internal static class TemplateDocument
{
    /// <summary>Lucene refuses a term of more than 32766 bytes, and with it the document: longer values are stored, not indexed.</summary>
    private const int IgnoreAbove = 1024;

    private static readonly string[] EcsKeywords =
    [
        "stream", "host.name", "orchestrator.cluster.name", "container.id", "container.name", "container.image.name", "container.image.tag",
        "service.name", "log.file.path", "log.flags",
    ];

    private static readonly string[] FlatKeywords =
    [
        "stream", "hostname", "cluster_id", "container_id", "container_name", "image_name", "image_tag", "log_path", "log_flags",
    ];

    private static string OwnVersion { get; } = typeof(TemplateDocument).Assembly.GetName().Version!.ToString(3);

    public static JsonObject Make(ElasticsearchOptions options, Schema schema, bool openSearch)
    {
        JsonObject properties = [];
        bool flat = schema == Schema.Flat;
        Add(properties, flat ? "time" : "@timestamp", new JsonObject { ["type"] = "date_nanos" });
        Add(properties, flat ? "log" : "message", new JsonObject { ["type"] = "text" });
        foreach (string name in flat ? FlatKeywords : EcsKeywords)
        {
            Add(properties, name, new JsonObject { ["type"] = "keyword", ["ignore_above"] = IgnoreAbove });
        }

        JsonObject labels = openSearch ? new() { ["type"] = "flat_object" } : new() { ["type"] = "flattened", ["ignore_above"] = IgnoreAbove };
        Add(properties, flat ? "container_labels" : "container.labels", labels);
        Add(properties, flat ? "log_offset" : "log.offset", new JsonObject { ["type"] = "long" });
        Add(properties, flat ? "sequence" : "event.sequence", new JsonObject { ["type"] = "long" });
        JsonObject template = new()
        {
            ["index_patterns"] = new JsonArray(options.Index.Wildcard),
            ["priority"] = 150, // above the 100 of the server's own logs-*-*, below the 200 of packaging/kibana/index-template.json
            ["template"] = new JsonObject
            {
                ["mappings"] = new JsonObject
                {
                    ["dynamic_templates"] = new JsonArray(new JsonObject
                    {
                        ["strings"] = new JsonObject
                        {
                            ["match_mapping_type"] = "string",
                            ["mapping"] = new JsonObject { ["type"] = "keyword", ["ignore_above"] = IgnoreAbove },
                        },
                    }),
                    ["properties"] = properties,
                },
            },
        };
        if (options.IsDataStream)
        {
            template["data_stream"] = new JsonObject();
        }

        template["_meta"] = new JsonObject
        {
            ["logagent_version"] = OwnVersion,
            ["logagent_checksum"] = Checksum(template),
        };
        return template;
    }

    /// <summary>The checksum that a template says it has, or null where it is none of the agent's.</summary>
    public static string? StoredChecksum(JsonObject template) =>
        template["_meta"] is JsonObject meta && meta["logagent_checksum"] is JsonValue value && value.TryGetValue(out string? checksum) ? checksum : null;

    /// <summary>True where the template was made by a version of the agent after this one.</summary>
    public static bool IsNewer(JsonObject template) =>
        template["_meta"] is JsonObject meta && meta["logagent_version"] is JsonValue value && value.TryGetValue(out string? text)
        && System.Version.TryParse(text, out System.Version? version) && version > System.Version.Parse(OwnVersion);

    /// <summary>SHA-256 over patterns, priority, settings, mappings and whether it makes data streams, whatever the order of members.</summary>
    public static string Checksum(JsonObject template)
    {
        StringBuilder text = new();
        Canonical(text, template["index_patterns"]);
        Canonical(text, template["priority"]);
        Canonical(text, template["template"]);
        text.Append(template["data_stream"] is not null);
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text.ToString())));
    }

    private static void Add(JsonObject properties, string name, JsonObject mapping)
    {
        string[] parts = name.Split('.');
        JsonObject at = properties;
        foreach (string part in parts[..^1])
        {
            if (at[part] is not JsonObject parent)
            {
                at[part] = parent = new() { ["properties"] = new JsonObject() };
            }

            at = parent["properties"]!.AsObject();
        }

        at[parts[^1]] = mapping;
    }

    private static void Canonical(StringBuilder text, JsonNode? node)
    {
        switch (node)
        {
            case JsonObject members:
                text.Append('{');
                foreach ((string name, JsonNode? value) in members.OrderBy(member => member.Key, StringComparer.Ordinal))
                {
                    text.Append(JsonEncodedText.Encode(name)).Append(':');
                    Canonical(text, value);
                    text.Append(',');
                }

                text.Append('}');
                break;
            case JsonArray items:
                text.Append('[');
                foreach (JsonNode? item in items)
                {
                    Canonical(text, item);
                    text.Append(',');
                }

                text.Append(']');
                break;
            default:
                text.Append(node?.ToJsonString() ?? "null");
                break;
        }
    }
}
