using LogAgent.Tailing;
using LogAgent.Tailing.Checkpoints;

namespace LogAgent.Tests.Tailing;

/// <summary>Invariant I1: a checkpoint never passes a byte that some output has not finished with.</summary>
public class CheckpointInvariantI1Tests
{
    [Fact]
    public void Checkpoint_does_not_pass_an_unacknowledged_batch_whatever_the_order_of_the_others()
    {
        using TailRig rig = new(new TailOptions { Slice = 1024, CheckpointInterval = TimeSpan.Zero }) { AcknowledgeAtOnce = false };
        rig.AppendLines(0, 100);
        rig.Loop.Set(rig.Target());
        rig.Poll();
        LogBatch[] batches = [.. rig.Open];
        Assert.True(batches.Length > 4);
        foreach (LogBatch batch in batches[1..].Reverse())
        {
            batch.Acknowledge();
            rig.Loop.PollOnce();
            Assert.Equal(0, Kept(rig).Offset);
        }

        batches[0].Acknowledge();
        rig.Loop.PollOnce();
        Assert.Equal(new FileInfo(rig.LogPath()).Length, Kept(rig).Offset);
        rig.Open.Clear();
    }

    [Fact]
    public void Each_output_must_have_acknowledged()
    {
        using TailRig rig = new() { AcknowledgeAtOnce = false };
        rig.AppendLines(0, 3);
        rig.Loop.Set(rig.Target());
        rig.Poll();
        LogBatch batch = Assert.Single(rig.Open);
        rig.Open.Clear();
        batch.ExpectOutputs(2);
        batch.Acknowledge();
        rig.Poll();
        Assert.Equal(0, Kept(rig).Offset);
        batch.Acknowledge();
        rig.Poll();
        Assert.Equal(new FileInfo(rig.LogPath()).Length, Kept(rig).Offset);
    }

    [Fact]
    public void An_abandoned_batch_holds_the_checkpoint_for_ever()
    {
        using TailRig rig = new() { AcknowledgeAtOnce = false };
        rig.AppendLines(0, 3);
        rig.Loop.Set(rig.Target());
        rig.Poll();
        rig.Open[0].Abandon();
        rig.Open.Clear();
        rig.AppendLines(3, 3);
        rig.Poll();
        rig.AcknowledgeAll();
        rig.Poll();
        Assert.Equal(0, Kept(rig).Offset);
        Assert.Equal(0, rig.Budget.Used);
    }

    [Fact]
    public void A_record_in_pieces_holds_the_checkpoint_at_its_first_piece()
    {
        using TailRig rig = new();
        string before = TailRig.Json("before\\n");
        rig.Append(before + TailRig.Json(new string('x', 16384), time: "2026-11-20T20:35:47Z") + TailRig.Json("between\\n", "stderr"));
        rig.Loop.Set(rig.Target());
        rig.Poll();
        Assert.Equal(["before", "between"], rig.Texts);
        Assert.Equal(before.Length, Kept(rig).Offset);
        rig.Append(TailRig.Json("end\\n", time: "2026-11-20T20:35:47Z"));
        rig.Poll();
        Assert.Equal(new FileInfo(rig.LogPath()).Length, Kept(rig).Offset);
    }

    [Fact]
    public void A_rotated_file_stays_in_the_checkpoints_until_it_is_acknowledged()
    {
        using TailRig rig = new() { AcknowledgeAtOnce = false };
        rig.AppendLines(0, 3);
        rig.Loop.Set(rig.Target());
        rig.Poll();
        rig.Rename("app.log", "app.log.1");
        rig.AppendLines(3, 3);
        rig.Poll();
        Assert.Equal(TailRig.Lines(0, 6), rig.Texts);
        rig.Open[1].Acknowledge();
        rig.Loop.PollOnce();
        IReadOnlyList<FileCheckpoint> files = Assert.Single(rig.Saved()).Files;
        Assert.Equal([(0L, false), (new FileInfo(rig.LogPath()).Length, false)], files.Select(f => (f.Offset, f.Finished)));
        rig.Open[0].Acknowledge();
        rig.Loop.PollOnce();
        rig.Loop.PollOnce();
        Assert.True(Assert.Single(rig.Saved()).Files[0].Finished);
        rig.Open.Clear();
    }

    private static FileCheckpoint Kept(TailRig rig) => Assert.Single(rig.Saved()).Files[^1];
}
