using LogAgent.Outputs.Elasticsearch;
using Microsoft.Extensions.Logging.Abstractions;

namespace LogAgent.Tests.Outputs.Elasticsearch;

public class NodePoolTests
{
    private readonly HandTime _time = new();

    [Fact]
    public void Live_nodes_take_turns()
    {
        NodePool pool = Pool(3);
        Assert.Equal(["http://n0", "http://n1", "http://n2", "http://n0"], Take(pool, 4));
    }

    [Fact]
    public void A_node_that_failed_is_left_out_longer_each_time_and_comes_back()
    {
        NodePool pool = Pool(2);
        Node bad = pool.All[0];
        foreach (int seconds in new[] { 1, 2, 4, 8, 16, 32, 60, 60 })
        {
            pool.Failed(bad, whileSending: false);
            _time.Advance(TimeSpan.FromSeconds(seconds - 0.5));
            Assert.Equal(["http://n1", "http://n1"], Take(pool, 2));
            _time.Advance(TimeSpan.FromSeconds(0.5));
            Assert.Contains("http://n0", Take(pool, 2));
        }

        pool.Worked(bad);
        pool.Failed(bad, whileSending: false);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Contains("http://n0", Take(pool, 2));
    }

    [Fact]
    public void With_none_live_the_one_due_soonest_is_tried_once()
    {
        NodePool pool = Pool(2);
        pool.Failed(pool.All[0], whileSending: false);
        pool.Failed(pool.All[0], whileSending: false);
        pool.Failed(pool.All[1], whileSending: false);
        Assert.Same(pool.All[1], pool.Next([]));
        Assert.Null(pool.Next([pool.All[1]]));
    }

    private static string[] Take(NodePool pool, int count) => [.. Enumerable.Range(0, count).Select(_ => pool.Next([])!.Address)];

    private NodePool Pool(int count) => new([.. Enumerable.Range(0, count).Select(i => new Uri($"http://n{i}"))], _time, NullLogger.Instance);

    private sealed class HandTime : TimeProvider
    {
        private long _ticks = 1;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => _ticks;

        public void Advance(TimeSpan by) => _ticks += by.Ticks;
    }
}
