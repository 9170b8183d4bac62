namespace LogAgent.Tests.Tailing;

public sealed class DirectoryNamesTests : IDisposable
{
    private readonly TailRig _rig = new();

    public DirectoryNamesTests()
    {
        // By the clock of the test, the directory has changed long ago.
        Directory.SetLastWriteTimeUtc(_rig.Logs, new DateTime(2020, 1, 1));
    }

    public void Dispose() => _rig.Dispose();

    [Fact]
    public void A_directory_of_many_targets_is_listed_once_in_their_first_pass()
    {
        for (int i = 0; i < 50; i++)
        {
            _rig.AppendLines(i, 1, $"{i}.log");
            _rig.Loop.Set(_rig.Target(name: $"{i}.log", id: $"t{i}"));
        }

        Directory.SetLastWriteTimeUtc(_rig.Logs, new DateTime(2020, 1, 1));
        _rig.Loop.PollOnce();
        Assert.Equal(50, _rig.Records.Count);
        Assert.Equal(1, _rig.Loop.Listed);
        _rig.Loop.PollOnce();
        Assert.Equal(1, _rig.Loop.Listed);
    }

    [Fact]
    public void A_directory_that_has_just_changed_is_listed_at_each_question()
    {
        _rig.AppendLines(0, 1);
        Directory.SetLastWriteTimeUtc(_rig.Logs, _rig.Clock.GetUtcNow().UtcDateTime);
        _rig.Loop.Set(_rig.Target());
        _rig.Loop.PollOnce();
        Assert.Equal(2, _rig.Loop.Listed);
    }

    [Fact]
    public void Names_with_signs_of_a_pattern_are_names()
    {
        _rig.AppendLines(0, 1, "a*.log");
        _rig.AppendLines(1, 1, "a*.log.1");
        _rig.AppendLines(2, 1, "ab.log.1");
        _rig.Loop.Set(_rig.Target(name: "a*.log"));
        _rig.Poll();
        Assert.Equal(["line 1", "line 0"], _rig.Texts);
    }
}
