using System.Globalization;
using LogAgent.Tailing;

namespace LogAgent.Tests.Tailing.Parsing;

/// <summary>Lines of the json-file driver, as files: what is handed out of them.</summary>
public class DockerJsonTests
{
    private const string Tail = ",\"stream\":\"stdout\",\"time\":\"2026-11-20T20:35:46.685148284Z\"}\n";

    [Fact]
    public void Text_stays_escaped_and_loses_its_line_ending()
    {
        Seen record = Assert.Single(Read(TailRig.Json("a \\u003cb\\u003e \\\"c\\\" \\u0009 ü\\n", "stderr")));
        Assert.Equal("a \\u003cb\\u003e \\\"c\\\" \\u0009 ü", record.Text);
        Assert.Equal((LogStream.Stderr, RecordFlags.Escaped), (record.Stream, record.Flags));
        Assert.Equal("2026-11-20T20:35:46.685148284Z", record.RawTime);
    }

    [Fact]
    public void Attributes_are_passed_over_whatever_stands_in_them()
    {
        List<Seen> records = Read(
            "{\"log\":\"a\\n\",\"stream\":\"stderr\",\"attrs\":{\"tag\":\"t\",\"k\":\"}\\\",\\\"time\\\":\\\"x\"},\"time\":\"2026-11-20T20:35:46.5Z\"}\n"
            + "{\"log\":\"b\\n\",\"stream\":\"stdout\",\"attrs\":{\"a\":\"b\"},\"time\":\"2026-11-20T20:35:46.6Z\"}\n");
        Assert.Equal([("a", LogStream.Stderr), ("b", LogStream.Stdout)], records.Select(r => (r.Text, r.Stream)));
        Assert.All(records, r => Assert.Equal(RecordFlags.Escaped, r.Flags));
    }

    [Theory]
    [InlineData("{ \"time\":\"2026-11-20T20:35:46.5Z\", \"stream\":\"stderr\", \"log\":\"hello\\n\" }\n")]
    [InlineData("{\"log\":\"hello\\n\",\"stream\":\"stderr\",\"more\":[{\"log\":\"no\"}],\"time\":\"2026-11-20T20:35:46.5Z\"}\n")]
    [InlineData("{\"log\":\"hello\\n\",\"stream\":\"stderr\",\"time\":\"2026-11-20T20:35:46.5Z\"}\r\n")]
    public void Any_object_with_these_keys_is_read(string line)
    {
        Seen record = Assert.Single(Read(line));
        Assert.Equal(("hello", LogStream.Stderr, "2026-11-20T20:35:46.5Z"), (record.Text, record.Stream, record.RawTime));
    }

    [Fact]
    public void A_terminal_ends_its_lines_with_both_characters()
    {
        Assert.Equal(["a", "b\\\\r", "c\\\\", ""], Texts(
            "{\"log\":\"a\\r\\n\"" + Tail + "{\"log\":\"b\\\\r\\n\"" + Tail + "{\"log\":\"c\\\\\\r\\n\"" + Tail + "{\"log\":\"\\r\\n\"" + Tail));
    }

    [Fact]
    public void An_escaped_backslash_before_an_n_is_no_line_ending() =>
        Assert.Equal(["x\\\\nrest"], Texts("{\"log\":\"x\\\\n\"" + Tail + "{\"log\":\"rest\\n\"" + Tail));

    [Fact]
    public void A_line_of_exactly_one_piece_length_is_one_record()
    {
        string piece = new('x', 16384);
        Assert.Equal([piece, "next"], Texts("{\"log\":\"" + piece + "\"" + Tail + "{\"log\":\"\\n\"" + Tail + TailRig.Json("next\\n", time: "2026-11-20T20:35:47Z")));
    }

    [Fact]
    public void Pieces_of_two_streams_that_interleave_are_joined_each_for_itself()
    {
        string a = new('a', 16384);
        string b = new('b', 16384);
        const string one = "2026-11-20T20:35:47.1Z";
        const string two = "2026-11-20T20:35:47.2Z";
        List<Seen> records = Read(TailRig.Json(a, "stdout", one) + TailRig.Json(b, "stderr", two) + TailRig.Json(a, "stdout", one) + TailRig.Json("B\\n", "stderr", two) + TailRig.Json("A\\n", "stdout", one));
        Assert.Equal([(b + "B", LogStream.Stderr), (a + a + "A", LogStream.Stdout)], records.Select(r => (r.Text, r.Stream)));
        Assert.Equal([one, two], records.Select(r => r.RawTime).Order());
    }

    [Fact]
    public void A_piece_whose_rest_never_came_is_a_record_when_the_next_line_begins()
    {
        string piece = new('x', 16384);
        Assert.Equal([piece, "next"], Texts(TailRig.Json(piece, time: "2026-11-20T20:35:47.1Z") + TailRig.Json("next\\n", time: "2026-11-20T20:35:47.2Z")));
    }

    [Fact]
    public void Output_without_a_final_newline_is_handed_out_after_a_while()
    {
        using TailRig rig = new();
        rig.Append(TailRig.Json("the end"));
        rig.Loop.Set(rig.Target());
        rig.Poll();
        Assert.Empty(rig.Records);
        rig.Clock.Advance(TimeSpan.FromSeconds(6));
        rig.Poll();
        Assert.Equal(["the end"], rig.Texts);
    }

    [Theory]
    [InlineData("not JSON at all")]
    [InlineData("{\"log\":\"no time\\n\",\"stream\":\"stdout\"}")]
    [InlineData("{\"log\":\"bad time\\n\",\"stream\":\"stdout\",\"time\":\"yesterday, at about noon\"}")]
    [InlineData("{\"log\":\"bad \\x escape\\n\",\"stream\":\"stdout\",\"time\":\"2026-11-20T20:35:46Z\"}")]
    [InlineData("{\"log\":\"bad \\u12g4 escape\\n\",\"stream\":\"stdout\",\"time\":\"2026-11-20T20:35:46Z\"}")]
    [InlineData("{\"log\":\"two\\n\",\"stream\":\"stdout\",\"time\":\"2026-11-20T20:35:46Z\"}}")]
    public void What_is_not_in_the_format_is_handed_out_as_it_stands(string line)
    {
        List<Seen> records = Read(TailRig.Json("before\\n") + line + "\n" + TailRig.Json("after\\n"));
        Assert.Equal(["before", line, "after"], records.Select(r => r.Text));
        Assert.Equal(RecordFlags.Corrupt, records[1].Flags);
        Assert.Equal(records[0].TimeNanos, records[1].TimeNanos);
        Assert.Equal("", records[1].RawTime);
    }

    [Fact]
    public void Half_a_line_that_a_crash_left_does_not_spoil_the_next_one()
    {
        string half = TailRig.Json("half of me\\n")[..15];
        List<Seen> records = Read(TailRig.Json("before\\n") + half + TailRig.Json("after\\n"));
        Assert.Equal(["before", half, "after"], records.Select(r => r.Text));
        Assert.Equal(3, records.Select(r => r.Id).Distinct().Count());
    }

    [Theory]
    [InlineData(3)]
    [InlineData(4096)]
    [InlineData(300_000)]
    public void A_run_of_zeros_in_the_middle_is_said_and_passed_over(int count)
    {
        List<Seen> records = Read(TailRig.Json("before\\n") + new string('\0', count) + TailRig.Json("after\\n"));
        Assert.Equal(["before", "after"], records.Where(r => (r.Flags & RecordFlags.Corrupt) == 0).Select(r => r.Text));
        Assert.Contains($"{count} NUL bytes", Assert.Single(records, r => (r.Flags & RecordFlags.Corrupt) != 0).Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Bytes_that_are_no_text_are_flagged()
    {
        using TailRig rig = new();
        rig.Write([.. "{\"log\":\"a"u8, 0xff, .. "b\\n\",\"stream\":\"stdout\",\"time\":\"2026-11-20T20:35:46Z\"}\n"u8]);
        rig.Loop.Set(rig.Target());
        rig.Poll();
        Assert.Equal(RecordFlags.Escaped | RecordFlags.Binary, Assert.Single(rig.Records).Flags);
    }

    [Theory]
    [InlineData("2026-11-20T20:35:46.685148284Z", "2026-11-20T20:35:46Z", 685_148_284)]
    [InlineData("2026-11-20T20:35:46.6851Z", "2026-11-20T20:35:46Z", 685_100_000)]
    [InlineData("2026-11-20T20:35:46Z", "2026-11-20T20:35:46Z", 0)]
    [InlineData("2026-11-20T20:35:46.000000001Z", "2026-11-20T20:35:46Z", 1)]
    [InlineData("2024-02-29T23:59:59.9Z", "2024-02-29T23:59:59Z", 900_000_000)]
    [InlineData("2026-11-20T20:35:46.5+01:00", "2026-11-20T19:35:46Z", 500_000_000)]
    [InlineData("1999-12-31T20:00:00.5-05:30", "2000-01-01T01:30:00Z", 500_000_000)]
    public void Times_keep_their_nanoseconds(string time, string second, long nanos)
    {
        Seen record = Assert.Single(Read(TailRig.Json("x\\n", time: time)));
        long seconds = DateTimeOffset.Parse(second, CultureInfo.InvariantCulture).ToUnixTimeSeconds();
        Assert.Equal((seconds * 1_000_000_000) + nanos, record.TimeNanos);
        Assert.Equal(time, record.RawTime);
    }

    [Fact]
    public void A_record_over_the_limit_is_cut_between_characters_and_escapes()
    {
        using TailRig rig = new(new TailOptions { RecordLimit = 10, CheckpointInterval = TimeSpan.Zero });
        rig.Append(TailRig.Json("12345678\\u003c9\\n") + TailRig.Json("123456789ü\\n") + TailRig.Json("1234567890\\n") + TailRig.Json("12345678\\\\9\\n"));
        rig.Loop.Set(rig.Target());
        rig.Poll();
        Assert.Equal(["12345678", "123456789", "1234567890", "12345678\\\\"], rig.Texts);
        Assert.Equal([true, true, false, true], rig.Records.Select(r => (r.Flags & RecordFlags.Truncated) != 0));
        Assert.Equal(3, rig.Notices.Count(n => n.Kind == TailNoticeKind.RecordTruncated));
    }

    private static List<Seen> Read(string file)
    {
        using TailRig rig = new();
        rig.Append(file);
        rig.Loop.Set(rig.Target());
        rig.Poll();
        return rig.Records;
    }

    private static IEnumerable<string> Texts(string file) => Read(file).Select(r => r.Text);
}
