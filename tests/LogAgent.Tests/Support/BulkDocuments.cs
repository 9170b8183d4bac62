using System.Collections.Concurrent;
using System.Text;
using System.Text.Json;

namespace LogAgent.Tests.Support;

/// <summary>
/// The documents of a server that answers _bulk as Elasticsearch does: by index and _id, taken once (create: 409 where there is
/// one). Thread-safe. It knows nothing of the agent's code.
/// </summary>
public sealed class BulkDocuments
{
    private const byte LineEnd = (byte)'\n';

    private readonly ConcurrentDictionary<string, byte[]> _stored = new(StringComparer.Ordinal);
    private long _created;
    private long _conflicts;
    private long _madeIds;

    /// <summary>Asked for each item that is not there yet; null = store it.</summary>
    public Func<BulkItem, ItemFault?>? OnItem { get; set; }

    /// <summary>Told of each document that was not there before.</summary>
    public Action<BulkItem>? OnStored { get; set; }

    /// <summary>False: what is stored is known by its key alone, where a test stores more than fits into memory.</summary>
    public bool KeepContent { get; set; } = true;

    /// <summary>False: documents are taken, counted and forgotten, for measurements.</summary>
    public bool Keep { get; set; } = true;

    /// <summary>Documents by "index/id".</summary>
    public IReadOnlyDictionary<string, byte[]> All => _stored;

    public long Created => Interlocked.Read(ref _created);

    /// <summary>How many documents were sent again though they were stored.</summary>
    public long Conflicts => Interlocked.Read(ref _conflicts);

    /// <summary>Takes the items of a request.</summary>
    /// <param name="body">Lines: an action, a document, in turns, each with its line ending.</param>
    /// <param name="indexOfUrl">The index of those whose action names none.</param>
    /// <param name="oneTooFew">The answer leaves out the last item.</param>
    /// <returns>The answer's body.</returns>
    public string Take(ReadOnlySpan<byte> body, string indexOfUrl, bool oneTooFew = false)
    {
        List<string> items = [];
        bool errors = oneTooFew;
        while (!body.IsEmpty)
        {
            ReadOnlySpan<byte> action = Line(ref body);
            (string index, string id) = Parse(action, indexOfUrl);
            ItemFault? fault = TakeOne(new BulkItem(index, id, Line(ref body).ToArray()));
            errors |= fault is not null;
            items.Add(fault is null
                ? """{"create":{"status":201}}"""
                : $"{{\"create\":{{\"status\":{fault.Status},\"error\":{{\"type\":\"{fault.Type}\",\"reason\":\"{fault.Reason}\"}}}}}}");
        }

        if (oneTooFew && items.Count > 0)
        {
            items.RemoveAt(items.Count - 1);
        }

        return $"{{\"errors\":{(errors ? "true" : "false")},\"items\":[{string.Join(',', items)}]}}";
    }

    private static ReadOnlySpan<byte> Line(ref ReadOnlySpan<byte> body)
    {
        int end = body.IndexOf(LineEnd);
        ReadOnlySpan<byte> line = body[..end];
        body = body[(end + 1)..];
        return line;
    }

    private ItemFault? TakeOne(BulkItem item)
    {
        string key = $"{item.Index}/{item.Id}";
        if (_stored.ContainsKey(key))
        {
            return Conflict();
        }

        if (OnItem?.Invoke(item) is { } fault)
        {
            return fault;
        }

        if (Keep && !_stored.TryAdd(key, KeepContent ? item.Document : []))
        {
            return Conflict();
        }

        Interlocked.Increment(ref _created);
        OnStored?.Invoke(item);
        return null;
    }

    private ItemFault Conflict()
    {
        Interlocked.Increment(ref _conflicts);
        return new ItemFault(409, "version_conflict_engine_exception", "document already exists");
    }

    private (string Index, string Id) Parse(ReadOnlySpan<byte> action, string indexOfUrl)
    {
        Utf8JsonReader reader = new(action);
        string index = indexOfUrl;
        string id = "";
        while (reader.Read())
        {
            if (reader.TokenType == JsonTokenType.PropertyName)
            {
                if (reader.ValueTextEquals("_index"u8))
                {
                    reader.Read();
                    index = reader.GetString()!;
                }
                else if (reader.ValueTextEquals("_id"u8))
                {
                    reader.Read();
                    id = reader.GetString()!;
                }
                else if (!reader.ValueTextEquals("create"u8))
                {
                    throw new InvalidOperationException($"The action is no create: {Encoding.UTF8.GetString(action)}");
                }
            }
        }

        return (index, id.Length > 0 ? id : $"made-{Interlocked.Increment(ref _madeIds)}");
    }
}
