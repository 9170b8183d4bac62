using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using LogAgent.Tailing;

namespace LogAgent.Enrichment;

/// <summary>Fields by dotted canonical name, on their way to the members of a JSON object: nested objects, or the flat names.</summary>
internal sealed class FieldTree(bool flat)
{
    private static readonly Dictionary<string, string> FlatNames = new()
    {
        ["host.name"] = "hostname",
        ["orchestrator.cluster.name"] = "cluster_id",
        ["container.id"] = "container_id",
        ["container.name"] = "container_name",
        ["container.image.name"] = "image_name",
        ["container.image.tag"] = "image_tag",
        ["service.name"] = "service_name",
    };

    private static readonly JsonWriterOptions WriterOptions = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = false };

    /// <summary>In the order in which they are written.</summary>
    private readonly List<KeyValuePair<string, string>> _fields = [];
    private IReadOnlyDictionary<string, string> _labels = new Dictionary<string, string>();

    /// <summary>Sets a field. One that cannot stand beside another (a and a.b) takes the other's place.</summary>
    public void Add(string name, string value)
    {
        _fields.RemoveAll(f => f.Key == name
            || f.Key.StartsWith(name + ".", StringComparison.Ordinal)
            || name.StartsWith(f.Key + ".", StringComparison.Ordinal));
        _fields.Add(new(name, value));
    }

    public void AddLabels(IReadOnlyDictionary<string, string> labels) => _labels = labels;

    public FieldSet ToFieldSet()
    {
        ArrayBufferWriter<byte> buffer = new(512);
        using (Utf8JsonWriter writer = new(buffer, WriterOptions))
        {
            writer.WriteStartObject();
            if (flat)
            {
                foreach ((string name, string value) in _fields)
                {
                    writer.WriteString(FlatNames.GetValueOrDefault(name, name), value);
                }

                WriteLabels(writer, "container_labels");
            }
            else
            {
                // A scalar called container (a static field) has taken the place of the object that would hold the labels.
                bool labels = _labels.Count > 0 && _fields.All(f => f.Key != "container");
                WriteLevel(writer, _fields, 0, labels);
            }

            writer.WriteEndObject();
        }

        IEnumerable<KeyValuePair<string, string>> labelFields = _labels.Select(l => new KeyValuePair<string, string>("container.labels." + l.Key, l.Value));
        return new FieldSet(_fields.Concat(labelFields), buffer.WrittenSpan[1..^1].ToArray());
    }

    /// <summary>Writes the members of one object: the fields share their first <paramref name="depth"/> name parts.</summary>
    private void WriteLevel(Utf8JsonWriter writer, IReadOnlyList<KeyValuePair<string, string>> fields, int depth, bool labels)
    {
        List<IGrouping<string, KeyValuePair<string, string>>> groups = [.. fields.GroupBy(f => f.Key.Split('.')[depth])];
        foreach (IGrouping<string, KeyValuePair<string, string>> group in groups)
        {
            List<KeyValuePair<string, string>> members = [.. group];
            bool isLeaf = members.Count == 1 && members[0].Key.Split('.').Length == depth + 1;
            if (isLeaf)
            {
                writer.WriteString(group.Key, members[0].Value);
                continue;
            }

            writer.WriteStartObject(group.Key);
            WriteLevel(writer, members, depth + 1, false);
            if (depth == 0 && labels && group.Key == "container")
            {
                WriteLabels(writer, "labels");
            }

            writer.WriteEndObject();
        }

        if (depth == 0 && labels && groups.TrueForAll(g => g.Key != "container"))
        {
            writer.WriteStartObject("container");
            WriteLabels(writer, "labels");
            writer.WriteEndObject();
        }
    }

    private void WriteLabels(Utf8JsonWriter writer, string name)
    {
        if (_labels.Count == 0)
        {
            return;
        }

        writer.WriteStartObject(name);
        foreach ((string label, string value) in _labels)
        {
            writer.WriteString(label, value);
        }

        writer.WriteEndObject();
    }
}
