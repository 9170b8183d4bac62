using LogAgent.Tailing;
using LogAgent.Tailing.Linux;

namespace LogAgent.Tests.Tailing;

public class FileIdentityTests
{
    [Fact]
    public void An_inode_that_is_used_again_is_another_file()
    {
        using TailRig rig = new();
        rig.AppendLines(0, 5);
        rig.Loop.Set(rig.Target());
        rig.Poll();
        rig.Crash();
        Native.TryStat(rig.LogPath(), out FileStat old, out _);
        File.Delete(rig.LogPath());
        rig.AppendLines(100, 10);
        Native.TryStat(rig.LogPath(), out FileStat now, out _);
        for (int i = 0; i < 20 && now.Inode != old.Inode; i++)
        {
            File.Delete(rig.LogPath());
            rig.AppendLines(100, 10);
            Native.TryStat(rig.LogPath(), out now, out _);
        }

        rig.Records.Clear();
        rig.Loop.Set(rig.Target());
        rig.Poll();
        Assert.Equal(TailRig.Lines(100, 10), rig.Records.Where(r => (r.Flags & RecordFlags.Gap) == 0).Select(r => r.Text));
    }

    [Fact]
    public void A_file_with_two_names_is_read_once()
    {
        using TailRig rig = new();
        rig.AppendLines(0, 3);
        Link(rig.LogPath(), rig.LogPath("other.log"));
        rig.Loop.Set(rig.Target());
        rig.Loop.Set(rig.Target(name: "other.log", id: "t2"));
        rig.Poll();
        rig.AppendLines(3, 3);
        rig.Poll();
        Assert.Equal(TailRig.Lines(0, 6), rig.Texts);
        Assert.Contains(rig.Notices, n => n.Kind == TailNoticeKind.Warning && n.TargetId == "t2");
        rig.Loop.Remove("t1");
        rig.Poll();
        rig.Clock.Advance(TimeSpan.FromSeconds(2));
        rig.AppendLines(6, 1);
        rig.Poll();
        Assert.Contains("line 6", rig.Texts); // the other one reads it from here on
    }

    [Fact]
    public void A_rotated_file_that_is_compressed_is_read_on_where_it_stood()
    {
        using TailRig rig = new(new TailOptions { Slice = 1024, CheckpointInterval = TimeSpan.Zero });
        rig.AppendLines(0, 100);
        rig.Loop.Set(rig.Target());
        rig.Loop.PollOnce();
        rig.Loop.PollOnce();
        rig.Crash();
        TailRig.Compress(rig.LogPath(), rig.LogPath("app.log.1.gz"));
        rig.AppendLines(100, 5);
        rig.Loop.Set(rig.Target());
        rig.Poll();
        Assert.Equal(TailRig.Lines(0, 105), rig.Texts);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_damaged_compressed_file_leaves_a_gap_record_and_holds_nothing_up(bool fromTheStart)
    {
        using TailRig rig = new();
        rig.AppendLines(0, 3000, "old");
        TailRig.Compress(rig.LogPath("old"), rig.LogPath("app.log.1.gz"));
        byte[] file = File.ReadAllBytes(rig.LogPath("app.log.1.gz"));
        new Random(7).NextBytes(file.AsSpan(fromTheStart ? 0 : file.Length / 2));
        rig.Write(file, "app.log.1.gz");
        rig.AppendLines(3000, 5);
        rig.Loop.Set(rig.Target());
        rig.Poll();
        rig.Crash();
        rig.AppendLines(3005, 5);
        rig.Loop.Set(rig.Target());
        rig.Poll();
        Assert.Equal(TailRig.Lines(3000, 10), rig.Texts.TakeLast(10));
        Assert.Equal(fromTheStart, !rig.Texts.Contains("line 0"));
        Assert.Contains(rig.Records, r => (r.Flags & RecordFlags.Gap) != 0 && r.Text.Contains("damaged", StringComparison.Ordinal));
        Assert.All(rig.Notices.Where(n => n.Kind == TailNoticeKind.Lost), n => Assert.Equal("unreadable", n.Detail));
    }

    [Fact]
    public void A_new_file_that_begins_like_a_deleted_one_is_no_copy_of_it()
    {
        bool room = false;
        using TailRig rig = new() { HasRoom = _ => room };
        rig.Append("start\n" + string.Concat(TailRig.Lines(0, 50).Select(line => line + "\n")));
        rig.Loop.Set(rig.Target(TailFormat.PlainText));
        rig.Loop.PollOnce();
        File.Delete(rig.LogPath());
        rig.Append("start\n");
        rig.Loop.PollOnce();
        room = true;
        rig.Poll();
        rig.Append("more\n");
        rig.Poll();
        Assert.Equal(["start", .. TailRig.Lines(0, 50), "start", "more"], rig.Texts);
    }

    [Fact]
    public void Twenty_files_are_read_through_four_handles()
    {
        using TailRig rig = new(new TailOptions { OpenFiles = 4, CheckpointInterval = TimeSpan.Zero });
        for (int file = 0; file < 20; file++)
        {
            rig.AppendLines(file * 100, 50, $"app{file}.log");
            rig.Loop.Set(rig.Target(name: $"app{file}.log", id: $"t{file}"));
        }

        for (int round = 0; round < 2; round++)
        {
            for (int i = 0; i < 30; i++)
            {
                rig.Loop.PollOnce();
                Assert.InRange(rig.Loop.Files.Count(f => f.Open), 0, 4);
                Assert.InRange(Directory.GetFiles("/proc/self/fd").Count(f => LeadsTo(rig.Logs, f)), 0, 4);
            }

            for (int file = 0; file < 20 && round == 0; file++)
            {
                rig.AppendLines((file * 100) + 50, 50, $"app{file}.log");
            }
        }

        Assert.Equal(TailRig.Lines(0, 2000).Order(), rig.Texts.Order());
    }

    private static bool LeadsTo(string directory, string link)
    {
        try
        {
            return File.ResolveLinkTarget(link, returnFinalTarget: false)?.FullName.StartsWith(directory, StringComparison.Ordinal) == true;
        }
        catch (IOException)
        {
            return false; // closed in the meantime by another test
        }
    }

    private static void Link(string from, string to)
    {
        using System.Diagnostics.Process process = System.Diagnostics.Process.Start("ln", [from, to]);
        process.WaitForExit();
    }

    [Fact]
    public void What_took_the_place_of_a_file_that_began_alike_while_the_agent_was_down_has_ids_of_its_own()
    {
        using TailRig rig = new();
        string banner = new('=', 2000);
        rig.AcknowledgeAtOnce = false;
        rig.Append(banner + "\nfirst\n");
        rig.Loop.Set(rig.Target(TailFormat.PlainText));
        rig.Poll();
        rig.Crash();
        File.Delete(rig.LogPath());
        rig.Append(banner + "\nother\n");
        rig.Loop.Set(rig.Target(TailFormat.PlainText));
        rig.Poll();
        Assert.Equal([banner, "first", banner, "other"], rig.Texts);
        Assert.Equal(4, rig.Records.Select(r => r.Id).Distinct().Count());
    }
}
