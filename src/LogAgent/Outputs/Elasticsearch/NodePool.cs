namespace LogAgent.Outputs.Elasticsearch;

/// <summary>
/// The nodes, used in turn. One that failed is left out, each time longer (1 s, doubled up to 60 s), then tried again by a
/// request that would have been sent anyway. Thread-safe.
/// </summary>
internal sealed partial class NodePool(IReadOnlyList<Uri> hosts, TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan FirstDelay = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestDelay = TimeSpan.FromSeconds(60);

    private readonly Lock _lock = new();
    private readonly Node[] _nodes = [.. hosts.Select(host => new Node(host))];
    private int _next;

    public IReadOnlyList<Node> All => _nodes;

    /// <summary>
    /// The next node that is live or due again and not among <paramref name="tried"/>. Where there is none and none was tried,
    /// the one that is due soonest: how long to wait between attempts is not decided here. Null where nothing is left to try.
    /// </summary>
    public Node? Next(IReadOnlyCollection<Node> tried)
    {
        lock (_lock)
        {
            long now = time.GetTimestamp();
            Node? soonest = null;
            for (int i = 0; i < _nodes.Length; i++)
            {
                Node node = _nodes[(_next + i) % _nodes.Length];
                if (tried.Contains(node))
                {
                    continue;
                }

                if (node.Failures == 0 || node.TryAgainAt <= now)
                {
                    _next = (_next + i + 1) % _nodes.Length;
                    return node;
                }

                if (soonest is null || node.TryAgainAt < soonest.TryAgainAt)
                {
                    soonest = node;
                }
            }

            return tried.Count == 0 ? soonest : null;
        }
    }

    public void Worked(Node node)
    {
        lock (_lock)
        {
            if (node.Failures > 0)
            {
                LogBack(logger, node.Address);
            }

            node.Failures = 0;
            node.AskFirst = false;
        }
    }

    public void Failed(Node node, bool whileSending)
    {
        lock (_lock)
        {
            if (node.Failures == 0 && _nodes.Length > 1)
            {
                LogLeftOut(logger, node.Address);
            }

            double seconds = Math.Min(FirstDelay.TotalSeconds * Math.Pow(2, Math.Min(node.Failures, 10)), LongestDelay.TotalSeconds);
            node.Failures++;
            node.TryAgainAt = time.GetTimestamp() + (long)(seconds * time.TimestampFrequency);
            node.AskFirst = whileSending;
        }
    }

    [LoggerMessage(LogLevel.Warning, "Elasticsearch node {Node} does not answer; it is left out and tried again, the other nodes are used meanwhile")]
    private static partial void LogLeftOut(ILogger logger, string node);

    [LoggerMessage(LogLevel.Information, "Elasticsearch node {Node} answers again")]
    private static partial void LogBack(ILogger logger, string node);
}
