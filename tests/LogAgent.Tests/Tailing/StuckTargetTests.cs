using LogAgent.Tailing;

namespace LogAgent.Tests.Tailing;

/// <summary>A target whose records nobody takes waits by itself; the others are read on.</summary>
public class StuckTargetTests
{
    private const int Memory = 2 << 20;

    [Fact]
    public void Targets_whose_batches_are_not_completed_leave_memory_to_the_others()
    {
        using TailRig rig = new(new TailOptions { Slice = 64 * 1024, CheckpointInterval = TimeSpan.Zero }, Memory) { AcknowledgeAtOnce = false };
        for (int i = 0; i < 4; i++)
        {
            rig.AppendLines(i * 20_000, 20_000, $"app{i}.log");
            rig.Loop.Set(rig.Target(name: $"app{i}.log", id: i == 3 ? "live" : $"dead{i}"));
        }

        int live = 0;
        for (int i = 0; i < 2000 && live < 20_000; i++)
        {
            rig.Loop.PollOnce();
            foreach (LogBatch batch in rig.Open.Where(b => b.Target.Id == "live").ToArray())
            {
                live += batch.Count;
                rig.Open.Remove(batch);
                batch.Acknowledge();
            }
        }

        Assert.Equal(20_000, live);
        Assert.InRange(rig.Budget.Used, Memory / 2, Memory);
        for (int i = 0; i < 2000 && rig.Records.Count < 80_000; i++)
        {
            rig.AcknowledgeAll();
            rig.Poll();
        }

        Assert.Equal(80_000, rig.Records.Count);
    }

    [Fact]
    public void A_target_without_room_at_its_outputs_is_not_read_and_others_are()
    {
        HashSet<string> full = ["dead"];
        using TailRig rig = new() { HasRoom = target => !full.Contains(target.Id) };
        rig.AppendLines(0, 10, "dead.log");
        rig.AppendLines(10, 10, "live.log");
        rig.Loop.Set(rig.Target(name: "dead.log", id: "dead"));
        rig.Loop.Set(rig.Target(name: "live.log", id: "live"));
        rig.Poll();
        Assert.Equal(TailRig.Lines(10, 10), rig.Texts);
        Assert.Equal(new PollResult(0, More: true, OutOfMemory: true), rig.Loop.PollOnce());
        full.Clear();
        rig.Poll();
        Assert.Equal(20, rig.Records.Count);
    }
}
