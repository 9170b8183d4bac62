using LogAgent.Tailing;

namespace LogAgent.Tests.Tailing;

/// <summary>Invariant I3: memory is bounded by configuration, whatever the outputs do.</summary>
public class MemoryInvariantI3Tests
{
    private const int Memory = 1 << 20;

    [Fact]
    public void While_nothing_is_acknowledged_the_budget_bounds_what_is_read()
    {
        using TailRig rig = new(new TailOptions { Slice = 64 * 1024, CheckpointInterval = TimeSpan.Zero }, Memory) { AcknowledgeAtOnce = false };
        for (int i = 0; i < 5; i++)
        {
            rig.AppendLines(i * 10_000, 10_000, $"app{i}.log");
            rig.Loop.Set(rig.Target(name: $"app{i}.log", id: $"t{i}"));
        }

        for (int i = 0; i < 50; i++)
        {
            rig.Loop.PollOnce();
            Assert.InRange(rig.Budget.Used, 0, Memory);
        }

        Assert.True(rig.Loop.PollOnce().OutOfMemory);
        Assert.InRange(rig.Open.Sum(b => (long)b.Charge), rig.Open.Sum(b => b.InputBytes), Memory);
        for (int i = 0; i < 2000 && rig.Records.Count < 50_000; i++)
        {
            rig.AcknowledgeAll();
            rig.Poll();
            Assert.InRange(rig.Budget.Used, 0, Memory);
        }

        Assert.Equal(50_000, rig.Records.Count);
        rig.AcknowledgeAll();
        Assert.Equal(0, rig.Budget.Used);
    }

    [Fact]
    public void Records_in_pieces_hold_no_memory_while_they_wait()
    {
        using TailRig rig = new(new TailOptions { Slice = 64 * 1024, RecordLimit = 512 * 1024, CheckpointInterval = TimeSpan.Zero }, Memory) { AcknowledgeAtOnce = false };
        for (int target = 0; target < 4; target++)
        {
            string piece = TailRig.Json(new string((char)('a' + target), 16384), time: "2026-11-20T20:35:47Z");
            rig.Append(string.Concat(Enumerable.Repeat(piece, 60)), $"app{target}.log");
            rig.Loop.Set(rig.Target(name: $"app{target}.log", id: $"t{target}"));
        }

        for (int i = 0; i < 100; i++)
        {
            rig.Poll();
            Assert.InRange(rig.Budget.Used, 0, Memory);
            rig.AcknowledgeAll();
        }

        Assert.Empty(rig.Records);
        Assert.Equal(0, rig.Budget.Used);
        for (int target = 0; target < 4; target++)
        {
            rig.Append(TailRig.Json("\\n", time: "2026-11-20T20:35:47Z"), $"app{target}.log");
        }

        for (int i = 0; i < 100; i++)
        {
            rig.Poll();
            Assert.True(rig.Open.Count <= 1 || rig.Budget.Used <= Memory);
            rig.AcknowledgeAll();
        }

        Assert.Equal(["a", "b", "c", "d"], rig.Records.Select(r => r.Text[..1]).Order());
        Assert.All(rig.Records, r => Assert.Equal((512 * 1024, true), (r.Text.Length, (r.Flags & RecordFlags.Truncated) != 0)));
    }

    [Fact]
    public void The_charge_of_a_batch_is_given_back_once_it_is_completed_either_way()
    {
        using TailRig rig = new() { AcknowledgeAtOnce = false };
        rig.AppendLines(0, 10);
        rig.AppendLines(0, 10, "other.log");
        rig.Loop.Set(rig.Target());
        rig.Loop.Set(rig.Target(name: "other.log", id: "t2"));
        rig.Poll();
        Assert.True(rig.Budget.Used > 0);
        rig.Open[0].Acknowledge();
        rig.Open[1].Abandon();
        rig.Open.Clear();
        Assert.Equal(0, rig.Budget.Used);
    }
}
