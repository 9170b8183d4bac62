using System.Text;
using LogAgent.Tailing;

namespace LogAgent.Tests.Tailing.Parsing;

public class PlainTextTests
{
    [Fact]
    public void Both_line_endings_are_taken_off_and_empty_lines_are_no_records()
    {
        using TailRig rig = new();
        rig.Append("one\r\n\r\n\ntwo\nthree\r\n");
        Follow(rig);
        Assert.Equal(["one", "two", "three"], rig.Texts);
        Assert.Equal([0L, 8L, 12L], rig.Records.Select(r => r.Offset));
        Assert.All(rig.Records, r => Assert.Equal("", r.RawTime));
    }

    [Fact]
    public void A_byte_order_mark_is_no_text()
    {
        using TailRig rig = new();
        rig.Write([0xef, 0xbb, 0xbf, .. "one\n"u8]);
        Follow(rig);
        Assert.Equal(["one"], rig.Texts);
    }

    [Fact]
    public void Latin_1_is_converted()
    {
        using TailRig rig = new();
        rig.Write(Encoding.Latin1.GetBytes("süß\nplain\n"));
        Follow(rig, TextEncoding.Latin1);
        Assert.Equal(["süß", "plain"], rig.Texts);
        Assert.Equal([0L, 4L], rig.Records.Select(r => r.Offset));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Utf_16_is_converted_and_a_newline_inside_a_character_is_none(bool highFirst)
    {
        using TailRig rig = new();
        Encoding encoding = new UnicodeEncoding(highFirst, byteOrderMark: true);
        rig.Write([.. encoding.GetPreamble(), .. encoding.GetBytes("süß\r\n\u0a0a \u0a00x\nlast 😀\n")]);
        Follow(rig, TextEncoding.Utf16);
        Assert.Equal(["süß", "\u0a0a \u0a00x", "last 😀"], rig.Texts);
    }

    [Fact]
    public void What_is_not_utf_8_is_flagged()
    {
        using TailRig rig = new();
        rig.Write([.. "a"u8, 0xff, .. "\n"u8]);
        Follow(rig);
        Assert.Equal(RecordFlags.Binary, Assert.Single(rig.Records).Flags);
    }

    [Fact]
    public void An_unfinished_line_is_handed_out_after_a_while_and_not_doubled_when_its_rest_comes()
    {
        using TailRig rig = new();
        rig.Append("one\nunfini");
        Follow(rig);
        rig.Clock.Advance(TimeSpan.FromSeconds(4));
        rig.Poll();
        Assert.Equal(["one"], rig.Texts);
        rig.Clock.Advance(TimeSpan.FromSeconds(2));
        rig.Poll();
        Assert.Equal(["one", "unfini"], rig.Texts);
        rig.Append("shed\ntwo\n");
        rig.Poll();
        Assert.Equal(["one", "unfini", "shed", "two"], rig.Texts);
        Assert.Equal([0L, 4L, 10L, 15L], rig.Records.Select(r => r.Offset));
    }

    [Fact]
    public void An_unfinished_line_that_was_handed_out_has_the_same_end_after_a_crash()
    {
        using TailRig rig = new() { AcknowledgeAtOnce = false };
        rig.Append("one\nunfini");
        Follow(rig);
        rig.Clock.Advance(TimeSpan.FromSeconds(6));
        rig.Poll();
        List<(string, string)> before = [.. rig.Records.Select(r => (r.Id, r.Text))];
        Assert.Equal(2, before.Count);
        rig.Append("shed\n");
        rig.Records.Clear();
        rig.Crash();
        Follow(rig);
        Assert.Equal(before, rig.Records.Take(2).Select(r => (r.Id, r.Text)));
        Assert.Equal("shed", rig.Records[2].Text);
    }

    [Fact]
    public void A_line_of_50_MB_is_cut_and_never_in_memory_as_a_whole()
    {
        using TailRig rig = new(memory: 8 << 20) { AcknowledgeAtOnce = false };
        byte[] file = new byte[50_000_000];
        file.AsSpan().Fill((byte)'x');
        rig.Write([.. "before\n"u8, .. file, .. "\nafter\n"u8]);
        rig.Loop.Set(rig.Target(TailFormat.PlainText));
        for (int i = 0; i < 1000 && rig.Records.Count < 3; i++)
        {
            rig.Loop.PollOnce();
            Assert.True(rig.Budget.Used <= rig.Memory);
            rig.AcknowledgeAll();
        }

        Assert.Equal(["before", new string('x', 1 << 20), "after"], rig.Texts);
        Assert.Equal(RecordFlags.Truncated, rig.Records[1].Flags);
        Assert.Equal(50_000_000 - (1 << 20), rig.Notices.Where(n => n.Kind == TailNoticeKind.RecordTruncated).Sum(n => n.Bytes) - 1, 3d);
    }

    [Fact]
    public void A_line_that_is_read_again_on_the_next_day_keeps_the_day_of_its_first_reading()
    {
        using TailRig rig = new() { AcknowledgeAtOnce = false };
        rig.Append("one\n");
        Follow(rig);
        long first = rig.Records[0].TimeNanos;
        rig.Records.Clear();
        rig.Crash();
        rig.Clock.Advance(TimeSpan.FromHours(14));
        rig.Append("two\n");
        Follow(rig);
        Assert.Equal(["one", "two"], rig.Texts);
        const long day = 86_400_000_000_000;
        Assert.Equal(first / day, rig.Records[0].TimeNanos / day);
        rig.AcknowledgeAll();
        rig.Append("three\n");
        rig.Poll();
        Assert.Equal((first / day) + 1, rig.Records[2].TimeNanos / day);
    }

    private static void Follow(TailRig rig, TextEncoding encoding = TextEncoding.Utf8)
    {
        rig.Loop.Set(rig.Target(TailFormat.PlainText) with { Encoding = encoding });
        rig.Poll();
    }
}
