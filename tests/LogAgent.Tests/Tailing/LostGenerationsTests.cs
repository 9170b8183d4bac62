using LogAgent.Tailing;

namespace LogAgent.Tests.Tailing;

public sealed class LostGenerationsTests : IDisposable
{
    private readonly TailRig _rig = new();
    private int _written;

    public LostGenerationsTests()
    {
        _rig.Loop.Set(_rig.Target());
        Write();
        _rig.Poll();
    }

    public void Dispose() => _rig.Dispose();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void More_rotations_than_files_are_kept_leave_a_gap_record(bool compress)
    {
        for (int i = 0; i < 3; i++)
        {
            Rotate(compress, keep: 1);
            Write();
        }

        _rig.Poll();
        Assert.Single(_rig.Records, record => record.Flags.HasFlag(RecordFlags.Gap));
        Assert.Single(_rig.Notices, notice => notice is { Kind: TailNoticeKind.Lost, Detail: "rotated_away" });
        Assert.Equal(TailRig.Lines(0, 10).Concat(TailRig.Lines(20, 20)), _rig.Records.Where(record => !record.Flags.HasFlag(RecordFlags.Gap)).Select(record => record.Text));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void As_many_rotations_as_files_are_kept_leave_none(bool compress)
    {
        for (int i = 0; i < 2; i++)
        {
            Rotate(compress, keep: 2);
            Write();
        }

        _rig.Poll();
        Assert.Equal(TailRig.Lines(0, 30), _rig.Texts);
    }

    private void Write()
    {
        _rig.AppendLines(_written, 10);
        _written += 10;
    }

    private void Rotate(bool compress, int keep)
    {
        string live = _rig.LogPath();
        string extension = compress ? ".gz" : "";
        File.Delete($"{live}.{keep}{extension}");
        for (int i = keep - 1; i > 0; i--)
        {
            if (File.Exists($"{live}.{i}{extension}"))
            {
                File.Move($"{live}.{i}{extension}", $"{live}.{i + 1}{extension}");
            }
        }

        File.Move(live, live + ".1");
        File.WriteAllText(live, "");
        if (compress)
        {
            TailRig.Compress(live + ".1");
        }
    }
}
