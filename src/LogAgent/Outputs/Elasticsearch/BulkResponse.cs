using System.Text.Json;
using LogAgent.Delivery;

namespace LogAgent.Outputs.Elasticsearch;

/// <summary>
/// Reads the answer to a bulk request (200) and says what became of each item.
/// <code>
/// {"errors":BOOL,"items":[{"create":{"status":N,"error":{"type":"T","reason":"R"}}}, ...]}      one item a record, in order
/// </code>
/// <list type="bullet">
/// <item>2xx and 409 (it is there already): delivered.</item>
/// <item>429, 5xx: that item again. 401 and 403 too: the right to write is given back without a loss.</item>
/// <item>A state of the cluster or the index rather than of the document (<see cref="ForNow"/>), though it says 4xx: that item again.</item>
/// <item>400 and every other 4xx: rejected, with the server's type and reason.</item>
/// </list>
/// </summary>
internal static class BulkResponse
{
    /// <summary>The query that makes the answer no longer than it has to be. Items that are well keep their place with their status only.</summary>
    public const string Query = "?filter_path=errors,items.*.status,items.*.error.type,items.*.error.reason";

    private const int LongestDetail = 1000;

    /// <summary>
    /// Types of error with a 4xx status that pass when someone mends the cluster: too many shards for a new index
    /// (validation_exception), a closed index, an index that may not be created on its own, a block.
    /// </summary>
    private static readonly string[] ForNow =
    [
        "validation_exception", "index_closed_exception", "index_not_found_exception", "cluster_block_exception", "circuit_breaking_exception",
    ];

    /// <param name="count">How many items were sent.</param>
    /// <returns>False where the answer is none to this request: nothing is known of the items.</returns>
    public static bool TryRead(ReadOnlySpan<byte> answer, int count, out SendResult result, out bool allUnauthorized)
    {
        result = SendResult.Delivered;
        allUnauthorized = false;
        try
        {
            Utf8JsonReader reader = new(answer);
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            {
                return false;
            }

            bool? errors = null;
            Items? items = null;
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                if (reader.ValueTextEquals("errors"u8))
                {
                    reader.Read();
                    errors = reader.GetBoolean();
                    if (errors == false)
                    {
                        // All are well: hundreds of kilobytes of items need no reading, only their end.
                        return answer.TrimEnd(" \r\n\t"u8).EndsWith("}"u8);
                    }
                }
                else if (reader.ValueTextEquals("items"u8))
                {
                    reader.Read();
                    items = Read(ref reader);
                }
                else
                {
                    reader.Skip();
                }
            }

            if (errors is null || items is null || items.Count != count)
            {
                return false;
            }

            result = new() { Retry = items.Retry, RetryReason = items.RetryReason, Rejected = items.Rejected };
            allUnauthorized = items.Unauthorized == count;
            return true;
        }
        catch (Exception problem) when (problem is JsonException or InvalidOperationException or FormatException)
        {
            return false;
        }
    }

    private static Items Read(ref Utf8JsonReader reader)
    {
        Items items = new();
        if (reader.TokenType != JsonTokenType.StartArray)
        {
            throw new JsonException();
        }

        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            ReadItem(ref reader, items);
            items.Count++;
        }

        return items;
    }

    private static void ReadItem(ref Utf8JsonReader reader, Items items)
    {
        // {"create": {
        Expect(reader.TokenType == JsonTokenType.StartObject);
        Expect(reader.Read() && reader.TokenType == JsonTokenType.PropertyName);
        Expect(reader.Read() && reader.TokenType == JsonTokenType.StartObject);
        int status = 0;
        string type = "";
        string reason = "";
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("status"u8))
            {
                reader.Read();
                status = reader.GetInt32();
            }
            else if (reader.ValueTextEquals("error"u8) && status != 409)
            {
                reader.Read();
                ReadError(ref reader, items, out type, out reason);
            }
            else
            {
                reader.Skip();
            }
        }

        Expect(reader.Read() && reader.TokenType == JsonTokenType.EndObject);
        Expect(status is >= 100 and < 600);
        items.Take(status, type, reason);
    }

    private static void ReadError(ref Utf8JsonReader reader, Items items, out string type, out string reason)
    {
        type = "";
        reason = "";
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            type = "error";
            reason = reader.TokenType == JsonTokenType.String ? reader.GetString()! : "";
            reader.Skip();
            return;
        }

        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("type"u8))
            {
                reader.Read();
                type = items.Known(ref reader);
            }
            else if (reader.ValueTextEquals("reason"u8))
            {
                reader.Read();
                reason = reader.TokenType == JsonTokenType.String ? Shortened(ref reader) : "";
            }
            else
            {
                reader.Skip();
            }
        }
    }

    private static string Shortened(ref Utf8JsonReader reader)
    {
        string text = reader.GetString()!;
        return text.Length > LongestDetail ? $"{text.AsSpan(0, LongestDetail)}..." : text;
    }

    private static void Expect(bool held)
    {
        if (!held)
        {
            throw new JsonException();
        }
    }

    /// <summary>What has been read of the items so far.</summary>
    private sealed class Items
    {
        private readonly List<string> _types = [];

        public int Count { get; set; }

        public int Unauthorized { get; private set; }

        public List<int> Retry { get; } = [];

        public List<RejectedRecord> Rejected { get; } = [];

        public string RetryReason { get; private set; } = "";

        /// <summary>The string at the reader, taken from those that came before: there are few types of error.</summary>
        public string Known(ref Utf8JsonReader reader)
        {
            foreach (string type in _types)
            {
                if (reader.ValueTextEquals(type))
                {
                    return type;
                }
            }

            string text = reader.GetString() ?? "error";
            if (_types.Count < 16)
            {
                _types.Add(text);
            }

            return text;
        }

        public void Take(int status, string type, string reason)
        {
            if (status is (>= 200 and < 300) or 409)
            {
                return;
            }

            bool unauthorized = status is 401 or 403;
            if (status == 429 || status >= 500 || unauthorized || Array.IndexOf(ForNow, type) >= 0)
            {
                Unauthorized += unauthorized && type == "security_exception" ? 1 : 0;
                if (Retry.Count == 0)
                {
                    RetryReason = reason.Length == 0 ? $"{status} {type}" : $"{status} {type}: {reason}";
                }

                Retry.Add(Count);
                return;
            }

            Rejected.Add(new(Count, type.Length == 0 ? $"status_{status}" : type, reason.Length == 0 ? $"status {status}" : reason));
        }
    }
}
