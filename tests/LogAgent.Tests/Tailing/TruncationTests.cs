using LogAgent.Tailing;

namespace LogAgent.Tests.Tailing;

public class TruncationTests
{
    [Fact]
    public void After_copytruncate_reading_goes_on_in_the_copy_and_then_in_the_file()
    {
        using TailRig rig = new(new TailOptions { Slice = 1024, CheckpointInterval = TimeSpan.Zero });
        rig.AppendLines(0, 50);
        rig.Loop.Set(rig.Target());
        rig.Loop.PollOnce();
        CopyTruncate(rig);
        rig.AppendLines(50, 5);
        rig.Poll();
        Assert.Equal(TailRig.Lines(0, 55), rig.Texts);
        Assert.DoesNotContain(rig.Notices, n => n.Kind == TailNoticeKind.Lost);
    }

    [Theory]
    [InlineData(TailFormat.DockerJson)]
    [InlineData(TailFormat.PlainText)]
    public void A_copy_that_lacks_the_last_lines_that_were_read_is_not_read_again(TailFormat format)
    {
        using TailRig rig = new();
        rig.Append(string.Concat(Written(format, 0, 100)));
        rig.Loop.Set(rig.Target(format));
        rig.Poll();
        File.Copy(rig.LogPath(), rig.LogPath("app.log.1"));
        rig.Append(string.Concat(Written(format, 100, 10)));
        rig.Poll();
        rig.Write([]);
        rig.Append(string.Concat(Written(format, 110, 5)));
        rig.Poll();
        rig.Append(string.Concat(Written(format, 115, 5)));
        rig.Poll();
        Assert.Equal(TailRig.Lines(0, 120), rig.Texts);
        Assert.DoesNotContain(rig.Notices, n => n.Kind == TailNoticeKind.Lost);
    }

    [Theory]
    [InlineData(100, false)]
    [InlineData(100, true)]
    [InlineData(5, false)]
    [InlineData(5, true)]
    public void A_copy_that_lacks_the_last_lines_that_were_read_is_known_again_when_it_is_compressed(int copied, bool restart)
    {
        using TailRig rig = new();
        rig.Append(string.Concat(Written(TailFormat.PlainText, 0, copied)));
        rig.Loop.Set(rig.Target(TailFormat.PlainText));
        rig.Poll();
        File.Copy(rig.LogPath(), rig.LogPath("app.log.1"));
        rig.Append(string.Concat(Written(TailFormat.PlainText, copied, 10)));
        rig.Poll();
        rig.Write([]);
        rig.Append(string.Concat(Written(TailFormat.PlainText, copied + 10, 5)));
        rig.Poll();
        if (restart)
        {
            rig.Crash();
        }

        TailRig.Compress(rig.LogPath("app.log.1"));
        if (restart)
        {
            rig.Loop.Set(rig.Target(TailFormat.PlainText));
        }

        rig.Append(string.Concat(Written(TailFormat.PlainText, copied + 15, 5)));
        rig.Poll();
        rig.Rename("app.log.1.gz", "app.log.2.gz");
        CopyTruncate(rig);
        rig.Append(string.Concat(Written(TailFormat.PlainText, copied + 20, 5)));
        rig.Poll();
        Assert.Equal(TailRig.Lines(0, copied + 25), rig.Texts);
    }

    [Fact]
    public void A_copy_that_lacks_lines_of_which_only_the_size_was_seen_is_read_on()
    {
        bool room = true;
        using TailRig rig = new() { HasRoom = _ => room };
        rig.Append(string.Concat(Written(TailFormat.PlainText, 0, 100)));
        rig.Loop.Set(rig.Target(TailFormat.PlainText));
        rig.Poll();
        room = false;
        rig.Append(string.Concat(Written(TailFormat.PlainText, 100, 10)));
        File.Copy(rig.LogPath(), rig.LogPath("app.log.1"));
        rig.Append(string.Concat(Written(TailFormat.PlainText, 110, 10)));
        rig.Loop.PollOnce();
        rig.Write([]);
        rig.Append(string.Concat(Written(TailFormat.PlainText, 120, 5)));
        rig.Loop.PollOnce();
        room = true;
        rig.Poll();
        Assert.Equal([.. TailRig.Lines(0, 110), .. TailRig.Lines(120, 5)], rig.Texts);
    }

    /// <summary>A script that runs cp app.log app.log.1 and empties app.log, again and again: the copy keeps its inode.</summary>
    [Theory]
    [MemberData(nameof(CopiesInPlace))]
    public void A_copy_made_over_the_one_before_is_neither_read_again_nor_left_out(TailFormat format, int pause, bool behind, int looks, bool restart)
    {
        using TailRig rig = new(new TailOptions { CheckpointInterval = TimeSpan.Zero });
        rig.Append("");
        rig.Loop.Set(rig.Target(format));
        rig.Poll();
        int written = 0;
        for (int round = 0; round < 4; round++)
        {
            Append(20 + round);
            rig.Poll();
            if (behind)
            {
                Append(3);
            }

            byte[] content = File.ReadAllBytes(rig.LogPath());
            using (FileStream copy = new(rig.LogPath("app.log.1"), FileMode.Create, FileAccess.Write, FileShare.ReadWrite))
            {
                Look(3);
                copy.Write(content.AsSpan(0, content.Length / 2));
                copy.Flush();
                Look(2);
                copy.Write(content.AsSpan(content.Length / 2));
            }

            Look(1);
            if (restart)
            {
                rig.Crash();
            }

            rig.Write([]);
            if (restart)
            {
                rig.Loop.Set(rig.Target(format));
            }

            rig.Poll();
            Append(5);
            rig.Poll();
            rig.Clock.Advance(TimeSpan.FromSeconds(pause));
            rig.Poll();
        }

        Assert.Equal(TailRig.Lines(0, written), rig.Texts);
        Assert.DoesNotContain(rig.Notices, n => n.Kind == TailNoticeKind.Lost);

        void Append(int count)
        {
            rig.Append(string.Concat(Written(format, written, count)));
            written += count;
        }

        void Look(int from)
        {
            if (looks >= from)
            {
                rig.Poll();
            }
        }
    }

    public static TheoryData<TailFormat, int, bool, int, bool> CopiesInPlace()
    {
        TheoryData<TailFormat, int, bool, int, bool> cases = [];
        foreach (TailFormat format in (TailFormat[])[TailFormat.PlainText, TailFormat.DockerJson])
        {
            foreach (int pause in (int[])[0, 40])
            {
                for (int looks = 0; looks < 4; looks++)
                {
                    cases.Add(format, pause, false, looks, false);
                    cases.Add(format, pause, true, looks, false);
                    cases.Add(format, pause, true, looks, true);
                }
            }
        }

        return cases;
    }

    [Fact]
    public void A_writer_that_keeps_its_offset_leaves_a_hole_that_is_passed_over()
    {
        using TailRig rig = new();
        rig.Loop.Set(rig.Target());
        using (FileStream writer = new(rig.LogPath(), FileMode.Create, FileAccess.Write, FileShare.ReadWrite))
        {
            for (int i = 0; i < 3; i++)
            {
                writer.Write(System.Text.Encoding.UTF8.GetBytes(TailRig.Json($"line {i}" + new string('x', 5000 * i) + "\\n")));
                writer.Flush();
            }

            rig.Poll();
            Assert.Equal(3, rig.Records.Count);
            CopyTruncate(rig);
            writer.Write(System.Text.Encoding.UTF8.GetBytes(TailRig.Json("after\\n")));
            writer.Flush();
            rig.Poll();
            writer.Write(System.Text.Encoding.UTF8.GetBytes(TailRig.Json("more\\n")));
        }

        rig.Poll();
        Assert.Equal(["after", "more"], rig.Texts.Skip(3));
        Assert.Contains(rig.Notices, n => n.Kind == TailNoticeKind.Truncated);
        Assert.DoesNotContain(rig.Notices, n => n.Kind == TailNoticeKind.Lost);
    }

    [Fact]
    public void A_file_that_was_truncated_and_has_grown_past_the_old_offset_is_read_from_its_beginning()
    {
        using TailRig rig = new();
        rig.AppendLines(0, 3);
        rig.Loop.Set(rig.Target());
        rig.Poll();
        using (FileStream file = new(rig.LogPath(), FileMode.Open))
        {
            file.SetLength(0);
        }

        rig.AppendLines(100, 20);
        rig.Poll();
        Assert.Equal([.. TailRig.Lines(0, 3), .. TailRig.Lines(100, 20)], rig.Records.Where(r => (r.Flags & RecordFlags.Gap) == 0).Select(r => r.Text));
    }

    [Fact]
    public void What_was_known_and_is_truncated_before_it_was_read_leaves_a_gap_record()
    {
        using TailRig rig = new(new TailOptions { Slice = 1024, CheckpointInterval = TimeSpan.Zero });
        rig.AppendLines(0, 100);
        rig.Loop.Set(rig.Target());
        rig.Loop.PollOnce();
        int read = rig.Records.Count;
        using (FileStream file = new(rig.LogPath(), FileMode.Open))
        {
            file.SetLength(0);
        }

        rig.Poll();
        rig.AppendLines(100, 5);
        rig.Poll();
        TailNotice lost = Assert.Single(rig.Notices, n => n.Kind == TailNoticeKind.Lost);
        Assert.Equal("truncated", lost.Detail);
        Assert.Equal(read, rig.Records.FindIndex(r => (r.Flags & RecordFlags.Gap) != 0));
        Assert.Contains($"{lost.Bytes} bytes", rig.Records[read].Text, StringComparison.Ordinal);
        Assert.Equal(TailRig.Lines(100, 5), rig.Texts.Skip(read + 1));
    }

    [Fact]
    public void A_record_whose_pieces_were_truncated_away_becomes_a_gap_record()
    {
        using TailRig rig = new();
        rig.Append(TailRig.Json(new string('x', 16384), time: "2026-11-20T20:35:47Z"));
        rig.Loop.Set(rig.Target());
        rig.Poll();
        using (FileStream file = new(rig.LogPath(), FileMode.Open))
        {
            file.SetLength(0);
        }

        rig.Append(TailRig.Json("next\\n", time: "2026-11-20T20:35:48Z"));
        rig.Poll();
        Assert.Equal("next", rig.Records[^1].Text);
        Seen gap = Assert.Single(rig.Records, r => (r.Flags & RecordFlags.Gap) != 0);
        Assert.Contains("16384 bytes of one record", gap.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_that_was_empty_and_copied_and_truncated_between_two_looks_is_read_in_order()
    {
        using TailRig rig = new();
        rig.Append("");
        rig.Loop.Set(rig.Target());
        rig.Poll();
        rig.AppendLines(0, 5);
        CopyTruncate(rig);
        rig.AppendLines(5, 5);
        rig.Poll();
        Assert.Equal(TailRig.Lines(0, 10), rig.Texts);
    }

    private static IEnumerable<string> Written(TailFormat format, int from, int count) =>
        TailRig.Lines(from, count).Select(line => format == TailFormat.DockerJson ? TailRig.Json(line + "\\n") : line + "\n");

    private static void CopyTruncate(TailRig rig)
    {
        File.Copy(rig.LogPath(), rig.LogPath("app.log.1"));
        using FileStream file = new(rig.LogPath(), FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
        file.SetLength(0);
    }

    [Fact]
    public void What_comes_after_two_truncations_of_a_closed_file_is_read()
    {
        using TailRig rig = new(new TailOptions { OpenFiles = 1, CheckpointInterval = TimeSpan.Zero });
        rig.Loop.Set(rig.Target(TailFormat.PlainText));
        rig.Loop.Set(rig.Target(TailFormat.PlainText, "other.log", "t2")); // takes the one place for open files
        rig.Append("other\n", "other.log");
        for (int i = 0; i < 3; i++)
        {
            rig.HasRoom = _ => i == 2; // nothing of the first two is read
            using (FileStream file = new(rig.LogPath(), FileMode.OpenOrCreate, FileAccess.Write))
            {
                file.SetLength(0);
            }

            rig.Append(new string((char)('a' + i), 30 - (5 * i)) + "\n");
            rig.Poll();
            rig.Poll();
        }

        Assert.Contains(new string('c', 20), rig.Texts);
        Assert.DoesNotContain(rig.Texts, t => t.StartsWith("aa", StringComparison.Ordinal));
    }
}
