using System.Text;
using LogAgent.Delivery;
using LogAgent.Outputs;
using LogAgent.Outputs.Elasticsearch;
using LogAgent.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;

namespace LogAgent.Tests.Outputs.Contract;

internal sealed class ElasticsearchReceiver : OutputReceiver
{
    private readonly BulkServer _server;
    private readonly ManualResetEventSlim _well = new();
    private int _items;

    private ElasticsearchReceiver(BulkServer server) => _server = server;

    // Documents have no order but that of their times and sequence numbers.
    public override bool KeepsOrder(OutputFault? fault) => false;

    public override bool NeverDoubles => true;

    public static async Task<ElasticsearchReceiver> StartAsync() => new(await BulkServer.StartAsync());

    public override IOutput NewOutput()
    {
        Assert.True(IndexName.TryParse("logagent", out IndexName index, out _));
        ElasticsearchOptions options = new() { Index = index, Hosts = [_server.Address], InstallTemplate = false, GzipLevel = 0, Timeout = TimeSpan.FromSeconds(2), BatchAge = TimeSpan.FromMilliseconds(20) };
        return new ElasticsearchOutput(options, new(Schema.Ecs), TimeProvider.System, NullLogger.Instance);
    }

    public override void Begin(OutputFault fault)
    {
        switch (fault)
        {
            case OutputFault.Partial:
                _server.OnItem = _ => Interlocked.Increment(ref _items) % 2 == 0 ? new(429, "es_rejected_execution_exception", "full") : null;
                break;
            case OutputFault.TooLarge:
                _server.MaxBody = LargestMessage;
                break;
            case OutputFault.Slow:
                _server.OnItem = _ =>
                {
                    _well.Wait(20);
                    return null;
                };
                break;
            default:
                _server.Always = fault switch
                {
                    OutputFault.Garbage => BulkFault.Garbage,
                    OutputFault.Hang => BulkFault.Hang,
                    _ => BulkFault.CutBefore,
                };
                break;
        }
    }

    public override void End()
    {
        _server.Always = BulkFault.None;
        _server.OnItem = null;
        _well.Set();
    }

    public override IReadOnlyList<string> Taken() => [.. _server.Documents.Values.Select(Encoding.UTF8.GetString)];

    public override async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _well.Dispose();
    }
}
