using LogAgent.Tailing;
using LogAgent.Tailing.Linux;

namespace LogAgent.Tests.Tailing;

public class RemovedTargetTests
{
    [Fact]
    public void The_checkpoint_of_a_removed_target_is_forgotten_after_its_time()
    {
        using TailRig rig = new();
        rig.AppendLines(0, 3);
        rig.Loop.Set(rig.Target());
        rig.Poll();
        rig.Loop.Remove("t1");
        rig.Poll();
        Assert.True(Assert.Single(rig.Saved()).RemovedAt > 0);
        rig.Clock.Advance(TimeSpan.FromHours(23));
        rig.Poll();
        rig.Crash();
        rig.Poll();
        Assert.Single(rig.Saved());
        rig.Clock.Advance(TimeSpan.FromHours(2));
        rig.Poll();
        Assert.Empty(rig.Saved());
    }

    [Fact]
    public void A_target_that_is_given_again_within_that_time_goes_on_where_it_stood()
    {
        using TailRig rig = new();
        rig.AppendLines(0, 3);
        rig.Loop.Set(rig.Target());
        rig.Poll();
        rig.Loop.Remove("t1");
        rig.Poll();
        rig.AppendLines(3, 3);
        rig.Loop.Set(rig.Target());
        rig.Poll();
        Assert.Equal(TailRig.Lines(0, 6), rig.Texts);
    }

    [Fact]
    public void A_target_that_was_removed_while_nobody_looked_leaves_a_gap_record_and_is_forgotten()
    {
        using TailRig rig = new(new TailOptions { Slice = 1024, CheckpointInterval = TimeSpan.Zero });
        rig.AppendLines(0, 100);
        rig.Loop.Set(rig.Target());
        rig.Loop.PollOnce();
        rig.Loop.PollOnce();
        int read = rig.Records.Count;
        long known = new FileInfo(rig.LogPath()).Length;
        long offset = rig.Saved()[0].Files[0].Offset;
        File.Delete(rig.LogPath());
        rig.Crash();
        rig.Poll();
        Assert.Equal(0, Assert.Single(rig.Saved()).RemovedAt); // perhaps its container has not been listed yet
        rig.Loop.RemoveUnclaimed(FieldSet.Empty, static _ => false);
        rig.Poll();
        TailNotice lost = Assert.Single(rig.Notices, n => n.Kind == TailNoticeKind.Lost);
        Assert.Equal(("t1", known - offset), (lost.TargetId, lost.Bytes));
        Assert.Equal(read + 1, rig.Records.Count);
        Assert.Contains($"{known - offset} bytes of t1", rig.Records[^1].Text, StringComparison.Ordinal);
        Assert.True(Assert.Single(rig.Saved()).RemovedAt > 0);
        rig.Crash();
        rig.Loop.RemoveUnclaimed(FieldSet.Empty, static _ => false);
        rig.Poll();
        Assert.Single(rig.Notices, n => n.Kind == TailNoticeKind.Lost);
        rig.Clock.Advance(TimeSpan.FromHours(25));
        rig.Poll();
        Assert.Empty(rig.Saved());
    }

    [Fact]
    public void One_that_was_read_to_its_end_is_forgotten_without_a_word()
    {
        using TailRig rig = new();
        rig.AppendLines(0, 3);
        rig.Loop.Set(rig.Target());
        rig.Poll();
        File.Delete(rig.LogPath());
        rig.Crash();
        rig.Loop.RemoveUnclaimed(FieldSet.Empty, static _ => false);
        rig.Poll();
        Assert.Equal(3, rig.Records.Count);
        Assert.DoesNotContain(rig.Notices, n => n.Kind == TailNoticeKind.Lost);
        Assert.True(Assert.Single(rig.Saved()).RemovedAt > 0);
    }

    [Fact]
    public void One_that_is_there_and_merely_not_wanted_any_more_loses_nothing()
    {
        using TailRig rig = new(new TailOptions { Slice = 512, CheckpointInterval = TimeSpan.Zero });
        rig.AppendLines(0, 100);
        rig.Loop.Set(rig.Target());
        rig.Loop.PollOnce();
        rig.Loop.PollOnce();
        int read = rig.Records.Count;
        rig.Crash();
        rig.Loop.RemoveUnclaimed(FieldSet.Empty, id => id == "t1");
        rig.Poll();
        Assert.DoesNotContain(rig.Notices, n => n.Kind == TailNoticeKind.Lost);
        Assert.Equal(read, rig.Records.Count);
        Assert.True(Assert.Single(rig.Saved()).RemovedAt > 0);
        rig.Loop.Set(rig.Target()); // wanted again
        rig.Poll();
        Assert.Equal(TailRig.Lines(0, 100), rig.Texts);
        Assert.Equal(0, Assert.Single(rig.Saved()).RemovedAt);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void One_that_is_given_late_goes_on_where_it_stood(bool atOnce)
    {
        using TailRig rig = new() { AcknowledgeAtOnce = false };
        rig.AppendLines(0, 3);
        rig.Loop.Set(rig.Target());
        rig.Poll();
        rig.AcknowledgeAll();
        rig.AppendLines(3, 3);
        rig.Poll();
        rig.Crash();
        rig.Records.Clear();
        rig.Loop.RemoveUnclaimed(FieldSet.Empty, static _ => false);
        rig.Loop.PollOnce();
        if (!atOnce)
        {
            rig.Poll();
            rig.AcknowledgeAll();
            rig.Poll();
            rig.Poll();
        }

        rig.Loop.Set(rig.Target());
        rig.Poll();
        rig.AppendLines(6, 1);
        rig.Poll();
        Assert.Equal(TailRig.Lines(3, 4), rig.Records.Where(r => (r.Flags & RecordFlags.Gap) == 0).Select(r => r.Text));
    }

    [Theory]
    [InlineData(2, false)]
    [InlineData(3, false)]
    [InlineData(4, true)]
    [InlineData(7, true)]
    public void Generations_that_came_and_went_between_two_looks_are_said(int rotations, bool lost)
    {
        const int kept = 2;
        using TailRig rig = new();
        rig.AppendLines(0, 1);
        rig.Loop.Set(rig.Target());
        rig.Poll();
        for (int i = 1; i <= rotations; i++)
        {
            AwaitTick(rig);
            File.Delete(rig.LogPath($"app.log.{kept}"));
            for (int n = kept - 1; n > 0; n--)
            {
                if (File.Exists(rig.LogPath($"app.log.{n}")))
                {
                    rig.Rename($"app.log.{n}", $"app.log.{n + 1}");
                }
            }

            rig.Rename("app.log", "app.log.1");
            rig.AppendLines(i, 1);
        }

        rig.Poll();
        Assert.Equal($"line {rotations}", rig.Records[^1].Text);
        Assert.Equal(lost ? 1 : 0, rig.Records.Count(r => (r.Flags & RecordFlags.Gap) != 0));
        Assert.Equal(lost ? 1 : 0, rig.Notices.Count(n => n.Kind == TailNoticeKind.Lost));
        Assert.Equal(lost ? 1 : -1, rig.Records.FindIndex(r => (r.Flags & RecordFlags.Gap) != 0));
    }

    /// <summary>The clock of the file system moves in steps of some milliseconds.</summary>
    private static void AwaitTick(TailRig rig)
    {
        string probe = Path.Combine(rig.Root, "probe");
        long first = 0;
        while (true)
        {
            File.WriteAllText(probe, "");
            Native.TryStat(probe, out FileStat stat, out _);
            if (first != 0 && stat.ModifyNanos != first)
            {
                return;
            }

            first = first == 0 ? stat.ModifyNanos : first;
        }
    }
}
