using LogAgent.Tailing;

namespace LogAgent.Tests.Tailing;

/// <summary>Rotation with writers that have not been told yet, and copies that are not made in one moment.</summary>
public class LateWritersTests
{
    [Fact]
    public void What_was_written_after_the_last_look_and_before_the_compression_is_read()
    {
        using TailRig rig = Reading("one\n");
        rig.Rename("app.log", "app.log.1");
        rig.Append("late\n", "app.log.1");
        TailRig.Compress(rig.LogPath("app.log.1"));
        rig.Append("two\n");
        PollFor(rig, 3);
        Assert.Equal(["one", "late", "two"], rig.Texts);
    }

    [Fact]
    public void A_compressed_copy_that_lacks_what_was_written_after_it_is_not_read_again()
    {
        using TailRig rig = Reading("one\n");
        using FileStream writer = new(rig.LogPath(), FileMode.Append, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete);
        rig.Rename("app.log", "app.log.1");
        TailRig.Compress(rig.LogPath("app.log.1"));
        writer.Write("late\n"u8);
        writer.Flush();
        rig.Append("two\n");
        PollFor(rig, 60);
        Assert.Equal(["one", "late", "two"], rig.Texts);
        rig.Rename("app.log.1.gz", "app.log.2.gz");
        rig.Rename("app.log", "app.log.1");
        rig.Append("three\n");
        PollFor(rig, 60);
        Assert.Equal(["one", "late", "two", "three"], rig.Texts);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(10)]
    [InlineData(28)]
    public void A_copy_that_is_seen_before_the_file_is_truncated_is_not_read_beside_it(int copied)
    {
        using TailRig rig = Reading("");
        string text = "line one\nline two\nline three";
        rig.Append(text);

        // All that is known of the file is that it was empty: all names are looked at again.
        rig.Append(text[..copied], "app.log.1");
        PollFor(rig, 3);
        rig.Append(text[copied..] + "\n", "app.log.1");
        using (FileStream file = new(rig.LogPath(), FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
        {
            file.SetLength(0);
        }

        rig.Append("line four\n");
        PollFor(rig, 3);
        Assert.Equal(["line one", "line two", "line three", "line four"], rig.Texts);
        Assert.DoesNotContain(rig.Notices, n => n.Kind == TailNoticeKind.Lost);
    }

    private static TailRig Reading(string text)
    {
        TailRig rig = new();
        rig.Append(text);
        rig.Loop.Set(rig.Target(TailFormat.PlainText));
        rig.Poll();
        return rig;
    }

    private static void PollFor(TailRig rig, int seconds)
    {
        for (int i = 0; i < seconds; i++)
        {
            rig.Clock.Advance(TimeSpan.FromSeconds(1));
            rig.Poll();
        }
    }
}
