using LogAgent.Delivery;

namespace LogAgent.Outputs.Elasticsearch;

/// <summary>
/// Ships documents by the bulk API. Delivered = the item's own status: created, or there already under the same id. Its calls
/// may overlap; it owns the connections and the bodies.
/// </summary>
internal sealed partial class ElasticsearchOutput : IOutput
{
    /// <summary>A limit that was learned from a refusal never goes below this: no server is set so low, and the worker cuts single records.</summary>
    private const long SmallestLimit = 64 * 1024;

    private readonly ElasticsearchOptions _options;
    private readonly ILogger _logger;
    private readonly ElasticsearchClient _client;
    private readonly BulkBodies _bodies;
    private readonly IndexTemplate _template;
    private readonly ElasticsearchCheck _check;
    private readonly Lock _lock = new();
    private long _bodyLimit;
    private long _refusedLength = long.MaxValue;
    private double _bodyPerMessageByte = 3; // measured from the first group on
    private volatile SendLimits _limits;

    public ElasticsearchOutput(ElasticsearchOptions options, DocumentEncoder encoder, TimeProvider time, ILogger logger)
    {
        _options = options;
        _logger = logger;
        _client = new(options, new NodePool(options.Hosts, time, logger), time);
        _bodies = new(new BulkEncoder(encoder, options.Index, options.Id == DocumentId.Position), options.GzipLevel, (int)Math.Min(options.BatchBytes * 5 / 4, 16 << 20), Math.Min(options.Concurrency, 4));
        _template = new(options, encoder.Schema, _client, logger);
        _check = new(options, _client, _template, time);
        _bodyLimit = options.BatchBytes;
        _limits = new();
        UpdateLimits();
    }

    public string Name => _options.Name;

    /// <summary>
    /// The limits as they stand: groups become smaller when the server has refused a size, and their message bytes follow from
    /// how long the documents are.
    /// </summary>
    public SendLimits Limits => _limits;

    public async Task<SendResult> SendAsync(RecordGroup group, CancellationToken cancel)
    {
        if (group.Count == 0)
        {
            return SendResult.Delivered;
        }

        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding); // the worker gathers the next group while this one is encoded
        if (_options.InstallTemplate)
        {
            await _template.EnsureAsync(cancel).ConfigureAwait(false);
        }

        BulkBody body = _bodies.Take();
        try
        {
            body.Encode(group);
            return await SendAsync(body, group, cancel).ConfigureAwait(false);
        }
        finally
        {
            _bodies.Return(body);
        }
    }

    public Task<IReadOnlyList<CheckResult>> CheckAsync(CancellationToken cancel) => _check.RunAsync(cancel);

    public ValueTask DisposeAsync()
    {
        _client.Dispose();
        _bodies.Dispose();
        _template.Dispose();
        return ValueTask.CompletedTask;
    }

    private async Task<SendResult> SendAsync(BulkBody body, RecordGroup group, CancellationToken cancel)
    {
        Measure(group, body.PlainLength);
        if (group.Count > 1 && body.PlainLength >= Volatile.Read(ref _refusedLength))
        {
            return SendResult.TooLarge; // cut before the limit was known
        }

        string path = body.Index is { } index ? $"/{index.Name}/_bulk{BulkResponse.Query}" : $"/_bulk{BulkResponse.Query}";
        SendResult result = SendResult.Delivered;
        bool allUnauthorized = false;
        using Answer answer = await _client.SendAsync(HttpMethod.Post, path, body.Bytes, "application/x-ndjson", _options.GzipLevel > 0, IsBad, cancel).ConfigureAwait(false);
        if (answer.Status == 413)
        {
            LearnLimit(answer.Node, body.PlainLength);
            return SendResult.TooLarge;
        }

        if (!answer.IsSuccess)
        {
            throw _client.Refusal(answer);
        }

        if (allUnauthorized)
        {
            throw new SendException(SendTrouble.Unauthorized, $"{answer.Node} does not let this output write to {body.Index?.Name ?? _options.Index.Wildcard}: give it create_doc and auto_configure there; it says: {result.RetryReason}");
        }

        return result;

        // Called for each answer of a node; the last call's result counts.
        bool IsBad(Answer candidate) => candidate.IsSuccess
            ? !BulkResponse.TryRead(candidate.Body, group.Count, out result, out allUnauthorized)
            : candidate.Status >= 500 && candidate.Status != 503;
    }

    private void LearnLimit(Node node, long length)
    {
        lock (_lock)
        {
            length = Math.Max(length, SmallestLimit);
            if (length < _refusedLength)
            {
                _refusedLength = length;
                _bodyLimit = Math.Max(Math.Min(_bodyLimit, length / 2), SmallestLimit);
                LogLimit(_logger, Name, node.Address, length, _bodyLimit);
            }
        }

        UpdateLimits();
    }

    private void Measure(RecordGroup group, long length)
    {
        double ratio = (double)length / Math.Max(1, group.MessageBytes);
        lock (_lock)
        {
            // A few short records say little about a full group.
            double weight = Math.Min(0.25, (double)length / _bodyLimit);
            _bodyPerMessageByte += (ratio - _bodyPerMessageByte) * weight;
        }

        UpdateLimits();
    }

    private void UpdateLimits()
    {
        lock (_lock)
        {
            long bytes = Math.Max(1, (long)(_bodyLimit / _bodyPerMessageByte));
            if (Math.Abs(bytes - _limits.GroupBytes) * 20 > bytes || _limits.GroupRecords != _options.BatchRecords)
            {
                _limits = new()
                {
                    GroupBytes = bytes,
                    GroupRecords = _options.BatchRecords,
                    GroupAge = _options.BatchAge,
                    MaxConcurrency = _options.Concurrency,
                };
            }
        }
    }

    [LoggerMessage(LogLevel.Warning, "{Output}: {Node} refuses a body of {Length} bytes (413); bodies are at most {Limit} bytes from now on. Raise http.max_content_length there (or the limit of a proxy before it), or lower batch.bytes here")]
    private static partial void LogLimit(ILogger logger, string output, string node, long length, long limit);
}
