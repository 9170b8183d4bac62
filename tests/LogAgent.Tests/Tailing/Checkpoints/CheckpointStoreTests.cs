using System.Text;
using LogAgent.Tailing;
using LogAgent.Tailing.Checkpoints;

namespace LogAgent.Tests.Tailing.Checkpoints;

public class CheckpointStoreTests
{
    /// <summary>A file of format 1 as it was first released. It stays readable: this text is never changed.</summary>
    private const string Golden = """
        logagent checkpoints 1 84f01491e004cabc42785978095493f93a705a9d92ba0db24cfb6499849cbb85
        {"target":"container:4f1c","removed":0,"files":[{"device":64769,"inode":131,"birth":1795200946685148284,"start":[1024,"00000000000000aa"],"key":"fedcba9876543210","epoch":1,"base":100,"offset":10,"tail":[10,"00000000000000cc"],"size":20,"finished":false,"days":[[0,20778],[9,20779]],"splits":[7]}]}
        {"target":"file:web:/srv/app.log","removed":1795200946685,"files":[]}

        """;

    [Fact]
    public void A_file_of_format_1_stays_readable()
    {
        byte[] file = Encoding.UTF8.GetBytes(Golden);
        List<TargetCheckpoint>? targets = CheckpointFormat.TryDecode(file, "golden", out string error);
        Assert.True(targets is not null, error);
        Assert.Equal(["container:4f1c", "file:web:/srv/app.log"], targets.Select(t => t.Id));
        Assert.Equal([0L, 1795200946685L], targets.Select(t => t.RemovedAt));
        FileCheckpoint kept = Assert.Single(targets[0].Files);
        Assert.Equal(new FileIdentity(64769, 131, 1795200946685148284), kept.Identity);
        Assert.Equal(new ContentMark(1024, 0xaa), kept.Fingerprint);
        Assert.Equal(new ContentMark(10, 0xcc), kept.Tail);
        Assert.Equal(0xfedcba9876543210, kept.Key);
        Assert.Equal((1, 100L, 10L, 20L, false), (kept.Epoch, kept.Base, kept.Offset, kept.Size, kept.Finished));
        Assert.Equal([new DayMark(0, 20778), new DayMark(9, 20779)], kept.Days);
        Assert.Equal([7L], kept.Splits);
        Assert.Equal(Golden.Split('\n')[1] + "\n", Encoding.UTF8.GetString(CheckpointFormat.Encode(targets[0])));
    }

    [Fact]
    public void What_a_later_version_wrote_is_left_untouched()
    {
        using TailRig rig = new();
        string path = Path.Combine(Directory.CreateDirectory(rig.State).FullName, "checkpoints");
        File.WriteAllText(path, "logagent checkpoints 2 something new\n");
        NewerCheckpointsException e = Assert.Throws<NewerCheckpointsException>(rig.Crash);
        Assert.Contains("format 2", e.Message, StringComparison.Ordinal);
        Assert.Equal("logagent checkpoints 2 something new\n", File.ReadAllText(path));
        Assert.Equal(["checkpoints"], Directory.GetFiles(rig.State).Select(Path.GetFileName));
    }

    [Theory]
    [InlineData("torn")]
    [InlineData("zeroed")]
    [InlineData("empty")]
    [InlineData("flipped")]
    [InlineData("checksum")]
    public void A_damaged_file_is_set_aside_and_the_one_before_it_counts(string damage)
    {
        using TailRig rig = new();
        rig.AppendLines(0, 10);
        rig.Loop.Set(rig.Target());
        rig.Poll();
        string path = Path.Combine(rig.State, "checkpoints");
        File.Copy(path, path + ".previous", overwrite: true);
        byte[] file = File.ReadAllBytes(path);
        byte[] damaged = damage switch
        {
            "torn" => file[..(file.Length / 2)],
            "zeroed" => new byte[file.Length],
            "empty" => [],
            "flipped" => [.. file[..^9], (byte)(file[^9] ^ 1), .. file[^8..]],
            _ => [.. file[..30], (byte)'z', .. file[31..]],
        };
        File.WriteAllBytes(path, damaged);
        rig.Records.Clear();
        rig.Crash();
        rig.AppendLines(10, 1);
        rig.Loop.Set(rig.Target());
        rig.Poll();
        Assert.Equal(["line 10"], rig.Texts);
        Assert.Equal(damaged, File.ReadAllBytes(path + ".corrupt-1"));
        TailNotice notice = Assert.Single(rig.Notices, n => n.Kind == TailNoticeKind.CheckpointTrouble);
        Assert.Contains(".corrupt-1", notice.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void With_both_files_damaged_everything_is_read_from_its_beginning()
    {
        using TailRig rig = new();
        rig.AppendLines(0, 3);
        rig.Loop.Set(rig.Target());
        rig.Poll();
        string path = Path.Combine(rig.State, "checkpoints");
        File.WriteAllText(path, "x");
        File.WriteAllText(path + ".previous", "y");
        List<string> ids = [.. rig.Records.Select(r => r.Id)];
        rig.Records.Clear();
        rig.Crash();
        rig.Loop.Set(rig.Target());
        rig.Poll();
        Assert.Equal(TailRig.Lines(0, 3), rig.Texts);
        Assert.Equal(ids, rig.Records.Select(r => r.Id)); // so that a store refuses them as doubled
        Assert.Equal(2, rig.Notices.Count(n => n.Kind == TailNoticeKind.CheckpointTrouble));
    }

    [Fact]
    public void A_crash_between_the_two_renames_leaves_the_previous_file_in_force()
    {
        using TailRig rig = new();
        rig.AppendLines(0, 3);
        rig.Loop.Set(rig.Target());
        rig.Poll();
        string path = Path.Combine(rig.State, "checkpoints");
        File.Move(path, path + ".previous", overwrite: true);
        rig.Records.Clear();
        rig.Crash();
        rig.Loop.Set(rig.Target());
        rig.Poll();
        Assert.Empty(rig.Records);
    }

    [Fact]
    public void A_state_directory_that_takes_nothing_is_said_once_and_reading_goes_on()
    {
        using TailRig rig = new();
        rig.Loop.Set(rig.Target());
        File.WriteAllText(rig.State, "a file in the place of the directory");
        for (int i = 0; i < 5; i++)
        {
            rig.AppendLines(i, 1);
            rig.Poll();
        }

        Assert.Equal(TailRig.Lines(0, 5), rig.Texts);
        TailNotice notice = Assert.Single(rig.Notices, n => n.Kind == TailNoticeKind.CheckpointTrouble);
        Assert.Contains("cannot be written", notice.Detail, StringComparison.Ordinal);
        File.Delete(rig.State);
        rig.Poll();
        rig.Records.Clear();
        rig.Crash();
        rig.Loop.Set(rig.Target());
        rig.Poll();
        Assert.Empty(rig.Records);
    }
}
