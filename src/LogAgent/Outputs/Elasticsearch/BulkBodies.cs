using System.Collections.Concurrent;

namespace LogAgent.Outputs.Elasticsearch;

/// <summary>The bodies that are not in use. Thread-safe; owned by the output.</summary>
/// <param name="capacity">Bytes that a body is expected to hold: asked for at once, so that it does not grow piece by piece.</param>
/// <param name="keep">How many are kept; each is as large as the largest group that it has carried.</param>
internal sealed class BulkBodies(BulkEncoder encoder, int gzipLevel, int capacity, int keep) : IDisposable
{
    private readonly ConcurrentBag<BulkBody> _idle = [];

    public BulkBody Take() => _idle.TryTake(out BulkBody? body) ? body : new(encoder, gzipLevel, capacity);

    public void Return(BulkBody body)
    {
        if (_idle.Count >= keep)
        {
            body.Dispose();
            return;
        }

        _idle.Add(body);
    }

    public void Dispose()
    {
        while (_idle.TryTake(out BulkBody? body))
        {
            body.Dispose();
        }
    }
}
