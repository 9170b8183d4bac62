using System.Globalization;
using System.IO.Compression;
using System.Text;
using LogAgent.Tailing;

namespace LogAgent.Tests.Tailing;

public class DockerLocalTests
{
    private static readonly string Piece = new('x', 16384);

    [Fact]
    public void A_frame_gives_its_text_stream_and_time()
    {
        using TailRig rig = new();
        Append(rig, LocalFrames.Frame("hello"));
        Append(rig, LocalFrames.Frame("", "stderr", 5));
        Append(rig, LocalFrames.Frame("of a terminal\r", time: LocalFrames.Time + 715_000_000));
        Append(rig, LocalFrames.Frame([0x61, 0xff, 0x62]));
        Append(rig, LocalFrames.Frame("she said \"ä\\n\""));
        Follow(rig);
        Assert.Equal(["hello", "", "of a terminal", "a\ufffdb", "she said \"ä\\n\""], rig.Texts);
        Assert.Equal([LogStream.Stdout, LogStream.Stderr, LogStream.Stdout, LogStream.Stdout, LogStream.Stdout], rig.Records.Select(r => r.Stream));
        Assert.Equal([RecordFlags.None, RecordFlags.None, RecordFlags.None, RecordFlags.Binary, RecordFlags.None], rig.Records.Select(r => r.Flags));
        Assert.Equal(LocalFrames.Time, rig.Records[0].TimeNanos);
        Assert.Equal(
            ["2025-11-20T20:35:46.685148284Z", "1970-01-01T00:00:00.000000005Z", "2025-11-20T20:35:47.400148284Z"],
            rig.Records.Take(3).Select(r => r.RawTime));
        Assert.Equal(LocalFrames.Frame("hello").Length, rig.Records[1].Offset);
    }

    [Fact]
    public void A_field_that_is_not_known_is_passed_over()
    {
        using TailRig rig = new();
        byte[] payload = LocalFrames.Frame("hello")[4..^4];
        Append(rig, LocalFrames.Raw([.. payload, 0x48, 0x96, 0x01, 0x51, 1, 2, 3, 4, 5, 6, 7, 8, 0x5a, 2, 7, 7, 0x65, 1, 2, 3, 4]));
        Follow(rig);
        Assert.Equal(["hello"], rig.Texts);
        Assert.Equal(RecordFlags.None, rig.Records[0].Flags);
    }

    [Fact]
    public void Reading_that_stops_and_crashes_at_any_byte_gives_each_record_once()
    {
        byte[] frames = LocalFrames.Lines(0, 5);
        for (int cut = 0; cut <= frames.Length; cut++)
        {
            using TailRig rig = new();
            Append(rig, frames[..cut]);
            Follow(rig);
            rig.Poll();
            rig.Crash();
            Follow(rig);
            Append(rig, frames[cut..]);
            rig.Poll();
            Assert.Equal(TailRig.Lines(0, 5), rig.Texts);
            Assert.All(rig.Records, r => Assert.Equal(RecordFlags.None, r.Flags));
        }
    }

    [Theory]
    [InlineData(100)]
    [InlineData(1000)]
    [InlineData(128 * 1024)]
    public void Frames_are_read_over_slices_and_give_the_same_ids(int slice)
    {
        byte[] frames = [.. LocalFrames.Lines(0, 300), .. LocalFrames.Frame(new string('y', 200_000), time: LocalFrames.Time + 300), .. LocalFrames.Lines(301, 10)];
        using TailRig whole = new(new TailOptions { Slice = 1 << 20 });
        using TailRig rig = new(new TailOptions { Slice = slice });
        foreach (TailRig one in (TailRig[])[whole, rig])
        {
            Append(one, frames);
            Follow(one);
        }

        Assert.Equal(311, rig.Records.Count);
        Assert.Equal(200_000, rig.Records[300].Text.Length);
        Assert.Equal(whole.Records, rig.Records);
        Assert.Equal(311, rig.Records.Select(r => r.Id).Distinct().Count());
    }

    [Fact]
    public void Pieces_are_joined_by_their_line_while_the_streams_interleave()
    {
        using TailRig rig = new();
        Append(rig, LocalFrames.Frame(Piece, pieceOf: "a"));
        Append(rig, LocalFrames.Frame(Piece, "stderr", pieceOf: "b"));
        Append(rig, LocalFrames.Frame("end of a", pieceOf: "a", last: true));
        Append(rig, LocalFrames.Frame("", "stderr", pieceOf: "b", last: true));
        Append(rig, LocalFrames.Frame("next"));
        Follow(rig);
        Assert.Equal([Piece + "end of a", Piece, "next"], rig.Texts);
        Assert.Equal([0, LocalFrames.Frame(Piece, pieceOf: "a").Length], rig.Records.Take(2).Select(r => r.Offset));
        Assert.Equal("2025-11-20T20:35:46.685148284Z", rig.Records[0].RawTime);
    }

    [Fact]
    public void Pieces_of_two_lines_with_the_same_time_are_not_joined()
    {
        using TailRig rig = new();
        Append(rig, LocalFrames.Frame("of an ended process", pieceOf: "a"));
        Append(rig, LocalFrames.Frame(Piece, pieceOf: "b"));
        Append(rig, LocalFrames.Frame("end of b", pieceOf: "b", last: true));
        Append(rig, LocalFrames.Frame("of another ended process", pieceOf: "c"));
        Append(rig, LocalFrames.Frame("a line"));
        Follow(rig);
        Assert.Equal(["of an ended process", Piece + "end of b", "of another ended process", "a line"], rig.Texts);
    }

    [Fact]
    public void What_an_ended_process_wrote_last_without_a_newline_is_shipped_after_a_time()
    {
        using TailRig rig = new();
        Append(rig, LocalFrames.Frame("tail", pieceOf: "a"));
        Follow(rig);
        Assert.Empty(rig.Records);
        rig.Clock.Advance(rig.Options.UnfinishedLineAfter);
        rig.Poll();
        Assert.Equal(["tail"], rig.Texts);
    }

    [Fact]
    public void A_character_that_stands_in_two_pieces_is_whole_again()
    {
        using TailRig rig = new();
        Append(rig, LocalFrames.Frame([0x61, 0xc3], pieceOf: "a"));
        Append(rig, LocalFrames.Frame([0xa4], pieceOf: "a", last: true));
        Follow(rig);
        Assert.Equal(["aä"], rig.Texts);
        Assert.Equal(RecordFlags.None, rig.Records[0].Flags);
    }

    [Fact]
    public void Pieces_are_joined_over_a_rotation_and_a_crash()
    {
        using TailRig rig = new();
        Append(rig, [.. LocalFrames.Lines(0, 2), .. LocalFrames.Frame(Piece, pieceOf: "a")]);
        Follow(rig);
        rig.Rename("container.log", "container.log.1");
        Append(rig, LocalFrames.Frame(Piece, pieceOf: "a"));
        rig.Poll();
        rig.Crash();
        Append(rig, LocalFrames.Frame("end", pieceOf: "a", last: true));
        Follow(rig);
        Assert.Equal(["line 0", "line 1", Piece + Piece + "end"], rig.Texts);
    }

    [Fact]
    public void Rotated_and_compressed_generations_are_read_in_order_once()
    {
        using TailRig rig = new(new TailOptions { Slice = 4096, CheckpointInterval = TimeSpan.Zero });
        Compress(rig, "container.log.2.gz", LocalFrames.Lines(0, 1000));
        Compress(rig, "container.log.1.gz", LocalFrames.Lines(1000, 1000));
        Append(rig, LocalFrames.Lines(2000, 100));
        Follow(rig);
        Append(rig, LocalFrames.Lines(2100, 100));
        rig.Rename("container.log.2.gz", "container.log.3.gz");
        rig.Rename("container.log.1.gz", "container.log.2.gz");
        rig.Rename("container.log", "container.log.1");
        Append(rig, LocalFrames.Lines(2200, 100));
        rig.Poll();
        Compress(rig, "container.log.1.gz", LocalFrames.Lines(2000, 200));
        File.Delete(rig.LogPath("container.log.1"));
        rig.Poll();
        rig.Crash();
        Append(rig, LocalFrames.Lines(2300, 10));
        Follow(rig);
        Assert.Equal(TailRig.Lines(0, 2310), rig.Texts);
        Assert.Equal(rig.Records.Select(r => r.Sequence).Order(), rig.Records.Select(r => r.Sequence));
    }

    [Fact]
    public void A_frame_over_the_record_limit_is_cut_and_flagged()
    {
        using TailRig rig = new(new TailOptions { RecordLimit = 1000, CheckpointInterval = TimeSpan.Zero });
        Append(rig, LocalFrames.Frame(new string('x', 5000)));
        Append(rig, LocalFrames.Frame(Piece, pieceOf: "a"));
        Append(rig, LocalFrames.Frame(Piece, pieceOf: "a", last: true));
        Append(rig, LocalFrames.Frame("next"));
        Follow(rig);
        Assert.Equal([1000, 1000, 4], rig.Records.Select(r => r.Text.Length));
        Assert.Equal([RecordFlags.Truncated, RecordFlags.Truncated, RecordFlags.None], rig.Records.Select(r => r.Flags));
        Assert.Equal([4000, (2 * 16384) - 1000], rig.Notices.Where(n => n.Kind == TailNoticeKind.RecordTruncated).Select(n => n.Bytes));
    }

    [Fact]
    public void Reading_from_the_end_begins_after_the_last_whole_frame()
    {
        using TailRig rig = new();
        byte[] half = LocalFrames.Frame("half\nof it");
        Append(rig, [.. LocalFrames.Lines(0, 50), .. half[..20]]);
        rig.Loop.Set(Target(rig) with { Start = StartAt.End });
        rig.Poll();
        Append(rig, [.. half[20..], .. LocalFrames.Frame("next")]);
        rig.Poll();
        Assert.Equal(["half\nof it", "next"], rig.Texts);
    }

    [Theory]
    [InlineData("garbage")]
    [InlineData("the first half of a frame")]
    [InlineData("a frame whose second length is another one")]
    [InlineData("a frame that holds no record")]
    [InlineData("a length beyond all bounds")]
    public void What_is_no_frame_is_shipped_as_it_stands_and_reading_goes_on_behind_it(string kind)
    {
        byte[] wrong = Wrong(kind);
        using TailRig rig = new();
        Append(rig, [.. LocalFrames.Lines(0, 3), .. wrong, .. LocalFrames.Lines(3, 3)]);
        Follow(rig);
        Assert.Equal([.. TailRig.Lines(0, 3), Encoding.UTF8.GetString(wrong), .. TailRig.Lines(3, 3)], rig.Texts);
        Assert.Equal(RecordFlags.Corrupt, rig.Records[3].Flags & RecordFlags.Corrupt);
        Assert.Equal(wrong.Length, Assert.Single(rig.Notices, n => n.Kind == TailNoticeKind.CorruptLine).Bytes);
    }

    [Fact]
    public void What_follows_the_first_half_of_a_long_frame_does_not_wait_for_as_many_bytes_as_that_lacks()
    {
        using TailRig rig = new();
        byte[] half = LocalFrames.Frame(Piece)[..200];
        Append(rig, [.. LocalFrames.Lines(0, 1), .. half]);
        Follow(rig);
        Assert.Equal(["line 0"], rig.Texts);
        Append(rig, LocalFrames.Lines(1, 2));
        rig.Poll();
        Assert.Equal(["line 0", Encoding.UTF8.GetString(half), "line 1", "line 2"], rig.Texts);
    }

    [Fact]
    public void NUL_bytes_that_a_crash_left_are_said_in_words()
    {
        using TailRig rig = new();
        Append(rig, [.. LocalFrames.Lines(0, 1), .. new byte[3000], .. LocalFrames.Lines(1, 2)]);
        Follow(rig);
        Assert.Equal(["line 0", "line 1", "line 2"], rig.Records.Where(r => r.Flags == RecordFlags.None).Select(r => r.Text));
        Assert.Contains("3000 NUL bytes", Assert.Single(rig.Records, r => r.Flags == RecordFlags.Corrupt).Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Much_garbage_is_read_to_its_end_and_gives_the_same_records_whenever_it_is_read()
    {
        byte[] garbage = new byte[300_000];
        new Random(7).NextBytes(garbage);
        byte[] all = [.. LocalFrames.Lines(0, 3), .. garbage, .. LocalFrames.Lines(3, 3)];
        using TailRig whole = new();
        Append(whole, all);
        Follow(whole);
        using TailRig rig = new(new TailOptions { Slice = 1000 });
        Follow(rig);
        for (int at = 0; at < all.Length; at += 7777)
        {
            Append(rig, all[at..Math.Min(all.Length, at + 7777)]);
            rig.Poll();
        }

        Assert.Equal(whole.Records.Select(r => (r.Text, r.Offset)), rig.Records.Select(r => (r.Text, r.Offset)));
        Assert.Equal(TailRig.Lines(0, 6), whole.Records.Where(r => r.Flags == RecordFlags.None).Select(r => r.Text));
    }

    [Fact]
    public void A_half_frame_at_the_end_of_a_removed_log_is_shipped_as_it_stands()
    {
        using TailRig rig = new();
        Append(rig, [.. LocalFrames.Lines(0, 2), .. LocalFrames.Frame("never finished")[..25]]);
        Follow(rig);
        Assert.Equal(TailRig.Lines(0, 2), rig.Texts);
        rig.Loop.Remove("t1");
        rig.Poll();
        Assert.Equal(3, rig.Records.Count);
        Assert.Equal(RecordFlags.Corrupt, rig.Records[2].Flags & RecordFlags.Corrupt);
        Assert.Empty(rig.Loop.Files);
    }

    [Fact]
    public void A_log_that_was_truncated_is_read_from_its_new_beginning()
    {
        using TailRig rig = new();
        Append(rig, LocalFrames.Lines(0, 20));
        Follow(rig);
        rig.Write(LocalFrames.Lines(20, 5), "container.log");
        rig.Poll();
        Assert.Equal(TailRig.Lines(0, 25), rig.Texts);
    }

    [Fact]
    public void Whatever_bytes_are_damaged_the_other_frames_are_read_and_none_is_stuck()
    {
        for (int seed = 0; seed < 100; seed++)
        {
            Random random = new(seed);
            byte[][] frames = [.. Enumerable.Range(0, 60).Select(i => LocalFrames.Frame($"line {i} " + new string('z', random.Next(300)), time: LocalFrames.Time + i))];
            HashSet<int> damaged = [];
            for (int i = 0; i < 5; i++)
            {
                int which = random.Next(frames.Length);
                damaged.Add(which);
                byte[] frame = frames[which];
                switch (random.Next(3))
                {
                    case 0:
                        frame[random.Next(frame.Length)] ^= (byte)(1 << random.Next(8));
                        break;
                    case 1:
                        frames[which] = frame[..random.Next(frame.Length)];
                        break;
                    default:
                        random.NextBytes(frame);
                        break;
                }
            }

            using TailRig rig = new(new TailOptions { Slice = 100 + random.Next(1000) });
            Follow(rig);
            byte[] all = [.. frames.SelectMany(f => f)];
            for (int at = 0; at < all.Length;)
            {
                int length = Math.Min(all.Length - at, random.Next(1, 2000));
                Append(rig, all[at..(at + length)]);
                at += length;
                rig.Poll();
            }

            rig.Loop.Remove("t1");
            rig.Poll();
            HashSet<string> numbers = [.. rig.Records.Where(r => (r.Flags & RecordFlags.Corrupt) == 0 && r.Text.StartsWith("line ", StringComparison.Ordinal)).Select(r => r.Text.Split(' ')[1])];
            string missing = string.Join(' ', Enumerable.Range(0, 60).Where(i => !damaged.Contains(i) && !numbers.Contains(i.ToString(CultureInfo.InvariantCulture))));
            Assert.True(missing.Length == 0, $"seed {seed}: {missing} missing");
            Assert.Empty(rig.Loop.Files);
        }
    }

    private static TailTarget Target(TailRig rig) => rig.Target(TailFormat.DockerLocal, "container.log");

    private static void Follow(TailRig rig)
    {
        rig.Loop.Set(Target(rig));
        rig.Poll();
    }

    private static void Append(TailRig rig, byte[] bytes) => File.AppendAllBytes(rig.LogPath("container.log"), bytes);

    private static void Compress(TailRig rig, string name, byte[] bytes)
    {
        using GZipStream stream = new(File.Create(rig.LogPath(name)), CompressionLevel.Fastest);
        stream.Write(bytes);
    }

    private static byte[] Wrong(string kind)
    {
        byte[] frame = LocalFrames.Frame("wrong");
        switch (kind)
        {
            case "garbage":
                return Encoding.UTF8.GetBytes("some other program wrote this\n");
            case "the first half of a frame":
                return LocalFrames.Frame("a long line that a crash cut off in its middle, so that much is missing")[..60];
            case "a frame whose second length is another one":
                frame[^1]++;
                return frame;
            case "a frame that holds no record":
                return LocalFrames.Raw([.. "\n\u0006stdout"u8, 0x10, 0xff]);
            default:
                frame[0] = 0x7f;
                return frame;
        }
    }
}
