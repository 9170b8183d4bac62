using LogAgent.Tailing;

namespace LogAgent.Tests.Tailing;

public class TailLoopTests
{
    [Fact]
    public void Lines_are_read_in_order_with_their_offsets()
    {
        using TailRig rig = new();
        rig.AppendLines(0, 3);
        rig.Loop.Set(rig.Target());
        rig.Poll();
        Assert.Equal(TailRig.Lines(0, 3), rig.Texts);
        Assert.Equal(0, rig.Records[0].Offset);
        Assert.Equal(TailRig.Json("line 0\\n", time: "2026-11-20T20:35:46.000000000Z").Length, rig.Records[1].Offset);
        Assert.All(rig.Records, r => Assert.Equal(LogStream.Stdout, r.Stream));
    }

    [Fact]
    public void Half_a_line_waits_for_its_other_half()
    {
        using TailRig rig = new();
        string line = TailRig.Json("hello\\n");
        rig.Append(line[..20]);
        rig.Loop.Set(rig.Target());
        rig.Poll();
        Assert.Empty(rig.Records);
        rig.Append(line[20..]);
        rig.Poll();
        Assert.Equal(["hello"], rig.Texts);
    }

    [Fact]
    public void A_rotated_file_is_read_to_its_end_before_the_new_one()
    {
        using TailRig rig = new(new TailOptions { Slice = 4096, CheckpointInterval = TimeSpan.Zero });
        rig.AppendLines(0, 200);
        rig.Loop.Set(rig.Target());
        rig.Loop.PollOnce();
        rig.AppendLines(200, 100);
        rig.Rename("app.log", "app.log.1");
        rig.AppendLines(300, 100);
        rig.Rename("app.log.1", "app.log.2");
        rig.Rename("app.log", "app.log.1");
        rig.AppendLines(400, 100);
        rig.Poll();
        Assert.Equal(TailRig.Lines(0, 500), rig.Texts);
        Assert.Equal(rig.Records.Select(r => r.Sequence).Order(), rig.Records.Select(r => r.Sequence));
        Assert.Equal(500, rig.Records.Select(r => r.Sequence).Distinct().Count());
    }

    [Fact]
    public void After_a_crash_reading_goes_on_at_the_first_record_that_was_not_acknowledged()
    {
        using TailRig rig = new();
        rig.AppendLines(0, 10);
        rig.Loop.Set(rig.Target());
        rig.Poll();
        rig.AcknowledgeAtOnce = false;
        rig.AppendLines(10, 10);
        rig.Poll();
        rig.Crash();
        rig.Records.Clear();
        rig.AppendLines(20, 1);
        rig.Loop.Set(rig.Target());
        rig.Poll();
        Assert.Equal(TailRig.Lines(10, 11), rig.Texts);
    }

    [Fact]
    public void Generations_that_exist_at_the_first_start_are_read_oldest_first()
    {
        using TailRig rig = new();
        rig.AppendLines(0, 10, "app.log.2");
        rig.AppendLines(10, 10, "app.log.1");
        rig.AppendLines(20, 10);
        rig.Loop.Set(rig.Target());
        rig.Poll();
        Assert.Equal(TailRig.Lines(0, 30), rig.Texts);
    }

    [Fact]
    public void A_removed_file_is_read_to_its_end_through_the_handle()
    {
        using TailRig rig = new(new TailOptions { Slice = 1024, CheckpointInterval = TimeSpan.Zero });
        rig.AppendLines(0, 100);
        rig.Loop.Set(rig.Target());
        rig.Loop.PollOnce();
        File.Delete(rig.LogPath());
        rig.Loop.Remove("t1");
        rig.Poll();
        Assert.Equal(TailRig.Lines(0, 100), rig.Texts);
        rig.Poll();
        Assert.Empty(rig.Loop.Files);
    }

    [Fact]
    public void What_follows_a_joined_line_longer_than_a_slice_is_read_at_once()
    {
        using TailRig rig = new(new TailOptions { Slice = 4096, CheckpointInterval = TimeSpan.Zero });
        string piece = new('x', 16384);
        rig.Append(TailRig.Json(piece) + TailRig.Json("end\\n"));
        rig.AppendLines(0, 5);
        rig.Loop.Set(rig.Target());
        rig.Poll();
        Assert.Equal([piece + "end", .. TailRig.Lines(0, 5)], rig.Texts);
    }

    [Fact]
    public void Pieces_are_joined_across_a_rotation_and_a_crash()
    {
        using TailRig rig = new() { AcknowledgeAtOnce = false };
        string piece = new('x', 16384);
        rig.Append(TailRig.Json("before\\n"));
        rig.Append(TailRig.Json(piece, time: "2026-11-20T20:35:47Z"));
        rig.Append(TailRig.Json("between\\n", "stderr"));
        rig.Loop.Set(rig.Target());
        rig.Poll();
        Assert.Equal(["before", "between"], rig.Texts);
        rig.AcknowledgeAll();
        rig.Poll();
        rig.Rename("app.log", "app.log.1");
        rig.Append(TailRig.Json(piece, time: "2026-11-20T20:35:47Z"));
        rig.Poll();
        rig.AcknowledgeAll();
        rig.Poll();
        rig.Crash();
        rig.Append(TailRig.Json("end\\n", time: "2026-11-20T20:35:47Z"));
        rig.Records.Clear();
        rig.Loop.Set(rig.Target());
        rig.Poll();
        Assert.Equal(["between", piece + piece + "end"], rig.Texts);
        Assert.Equal(TailRig.Json("before\\n").Length, rig.Records[1].Offset);
    }
}
