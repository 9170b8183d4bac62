using System.Text;
using System.Text.Json;

namespace LogAgent.Outputs.Elasticsearch;

/// <summary>A whole answer of a node, read to its end. Its taker disposes it.</summary>
internal sealed class Answer(Node node, int status, ByteBuffer body) : IDisposable
{
    public Node Node => node;

    public int Status => status;

    public bool IsSuccess => status is >= 200 and < 300;

    public ReadOnlySpan<byte> Body => body.Written;

    /// <summary>The body as JSON, or null where it is none.</summary>
    public JsonDocument? TryParse()
    {
        try
        {
            return JsonDocument.Parse(body.WrittenMemory);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>The server's type and reason of an error, or the beginning of what it sent; may be empty. One line.</summary>
    public string Problem()
    {
        using JsonDocument? json = TryParse();
        if (json is not null && json.RootElement.ValueKind == JsonValueKind.Object && json.RootElement.TryGetProperty("error", out JsonElement error))
        {
            return error.ValueKind == JsonValueKind.Object
                ? OneLine($"{Text(error, "type")}: {Text(error, "reason")}")
                : OneLine(error.ToString());
        }

        return OneLine(Encoding.UTF8.GetString(body.Written[..Math.Min(body.Length, 200)]));
    }

    public void Dispose() => body.Dispose();

    private static string Text(JsonElement element, string name) =>
        element.TryGetProperty(name, out JsonElement value) ? value.ToString() : "";

    private static string OneLine(string text)
    {
        string line = string.Concat(text.Select(c => char.IsControl(c) ? ' ' : c)).Trim();
        return line.Length > 400 ? $"{line[..400]}..." : line;
    }
}
