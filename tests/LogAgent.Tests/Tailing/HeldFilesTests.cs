using LogAgent.Tailing;

namespace LogAgent.Tests.Tailing;

/// <summary>A file that is opened as it appears is read to its end, whatever becomes of its name before a target is given.</summary>
public sealed class HeldFilesTests : IDisposable
{
    private readonly TailRig _rig = new();

    public void Dispose() => _rig.Dispose();

    [Fact]
    public void A_file_that_is_gone_before_its_target_is_given_is_read_in_full()
    {
        _rig.AppendLines(0, 3);
        Assert.True(_rig.Loop.Hold(_rig.LogPath()));
        File.Delete(_rig.LogPath());
        _rig.Poll();
        _rig.Loop.Set(_rig.Target());
        _rig.Loop.Remove("t1");
        _rig.Poll();
        Assert.Equal(TailRig.Lines(0, 3), _rig.Texts);
        Assert.DoesNotContain(_rig.Notices, n => n.Kind == TailNoticeKind.Lost);
        Assert.Empty(_rig.Loop.Files);
    }

    [Fact]
    public void A_file_that_came_and_went_between_two_looks_at_its_target_is_read_in_full()
    {
        _rig.Loop.Set(_rig.Target());
        _rig.Poll();
        _rig.AppendLines(0, 2);
        Assert.True(_rig.Loop.Hold(_rig.LogPath()));
        _rig.AppendLines(2, 2);
        File.Delete(_rig.LogPath());
        _rig.Poll();
        Assert.Equal(TailRig.Lines(0, 4), _rig.Texts);
    }

    [Fact]
    public void A_file_that_is_held_and_still_there_is_read_once_and_followed()
    {
        _rig.AppendLines(0, 2);
        Assert.True(_rig.Loop.Hold(_rig.LogPath()));
        _rig.Loop.Set(_rig.Target());
        _rig.Poll();
        Assert.True(_rig.Loop.Hold(_rig.LogPath()));
        _rig.AppendLines(2, 2);
        _rig.Poll();
        Assert.Equal(TailRig.Lines(0, 4), _rig.Texts);
        Assert.Single(_rig.Loop.Files);
    }

    [Fact]
    public void What_was_rotated_before_the_target_was_given_comes_before_the_live_file()
    {
        _rig.AppendLines(0, 2);
        Assert.True(_rig.Loop.Hold(_rig.LogPath()));
        File.Delete(_rig.LogPath());
        _rig.AppendLines(2, 2);
        _rig.Loop.Set(_rig.Target());
        _rig.Poll();
        Assert.Equal(TailRig.Lines(0, 4), _rig.Texts);
    }

    [Fact]
    public void Nothing_is_held_where_no_regular_file_is()
    {
        Assert.False(_rig.Loop.Hold(_rig.LogPath()));
        Assert.False(_rig.Loop.Hold(_rig.Logs));
    }

    [Fact]
    public void What_no_target_takes_is_let_go_after_a_minute()
    {
        _rig.AppendLines(0, 1);
        Assert.True(_rig.Loop.Hold(_rig.LogPath()));
        _rig.Clock.Advance(TimeSpan.FromMinutes(1));
        _rig.Poll();
        File.Delete(_rig.LogPath());
        _rig.Loop.Set(_rig.Target());
        _rig.Poll();
        Assert.Empty(_rig.Records);
    }

    [Fact]
    public void The_oldest_is_let_go_where_too_many_are_held()
    {
        using TailRig few = new(new TailOptions { OpenFiles = 4 });
        for (int i = 0; i < 3; i++)
        {
            few.AppendLines(i, 1, $"{i}.log");
            Assert.True(few.Loop.Hold(few.LogPath($"{i}.log")));
            File.Delete(few.LogPath($"{i}.log"));
            few.Clock.Advance(TimeSpan.FromSeconds(1));
        }

        for (int i = 0; i < 3; i++)
        {
            few.Loop.Set(few.Target(name: $"{i}.log", id: $"t{i}"));
        }

        few.Poll();
        Assert.Equal(TailRig.Lines(1, 2), few.Texts.Order(StringComparer.Ordinal));
    }
}
