using LogAgent.Delivery;
using LogAgent.Tailing;

namespace LogAgent.Tests.Delivery;

public class LedgerTests
{
    [Fact]
    public void An_output_keeps_its_counters_over_a_reload()
    {
        Ledger ledger = new();
        ledger.Output("a").Read(new(2, 20), default);
        ledger.Output("b").Read(new(1, 10), default);
        Assert.Same(ledger.Output("a"), ledger.Output("a"));
        Assert.Equal([2, 1], ledger.Snapshot().Outputs.Select(output => output.Read.Records));
    }

    [Fact]
    public void What_the_tailing_side_says_is_lost_is_counted_by_reason()
    {
        Ledger ledger = new();
        ledger.Count(new(TailNoticeKind.Lost, "t", "/x", 100, "overwritten"));
        ledger.Count(new(TailNoticeKind.Lost, "t", "/x", 11, "overwritten"));
        ledger.Count(new(TailNoticeKind.RecordTruncated, "t", "/x", 7, ""));
        ledger.Count(new(TailNoticeKind.CorruptLine, "t", "/x", 0, ""));
        ledger.Count(new(TailNoticeKind.Opened, "t", "/x", 0, ""));
        LedgerSnapshot snapshot = ledger.Snapshot();
        Assert.Equal(111, snapshot.LostBytes["overwritten"].Bytes);
        Assert.Equal(7, snapshot.LostBytes["truncated"].Bytes);
        Assert.Equal((1, 1), (snapshot.CorruptLines, snapshot.TruncatedRecords));
    }

    [Fact]
    public void Reasons_that_a_server_makes_up_cannot_grow_without_bound()
    {
        OutputLedger ledger = new("o");
        ledger.Read(new(1000, 1000), default);
        for (int i = 0; i < 1000; i++)
        {
            ledger.Rejected($"reason {i}", new(1, 1));
        }

        OutputSnapshot snapshot = ledger.Snapshot();
        Assert.Equal(51, snapshot.Rejected.Count);
        Assert.Equal(950, snapshot.Rejected["other"].Records);
        Assert.Equal(1000, snapshot.RejectedTotal.Records);
    }

    [Fact]
    public void Delays_are_random_below_a_bound_that_doubles_to_half_a_minute()
    {
        RetrySchedule schedule = new(new Random(1));
        double[] bounds = [0.5, 1, 2, 4, 8, 16, 30, 30];
        for (int attempt = 1; attempt <= bounds.Length; attempt++)
        {
            double[] delays = [.. Enumerable.Range(0, 200).Select(_ => schedule.Delay(attempt).TotalSeconds)];
            Assert.InRange(delays.Max(), bounds[attempt - 1] * 0.9, bounds[attempt - 1]);
            Assert.InRange(delays.Min(), 0, bounds[attempt - 1] * 0.1);
        }

        Assert.True(schedule.Delay(int.MaxValue) <= TimeSpan.FromSeconds(30));
    }
}
