using LogAgent.Tailing;

namespace LogAgent.Tests.Tailing;

/// <summary>A glob may take both the live file and what it is renamed to: app.log and app-1.log.</summary>
public class RenamedToAnotherTargetTests
{
    [Fact]
    public void What_was_read_under_the_old_name_is_not_read_again_under_the_new_one()
    {
        using TailRig rig = new();
        rig.Loop.Set(rig.Target(TailFormat.PlainText));
        rig.Append("one\ntwo\n");
        rig.Poll();
        rig.Rename("app.log", "app-1.log");
        rig.Loop.Set(rig.Target(TailFormat.PlainText, "app-1.log", "t2"));
        rig.Append("late\n", "app-1.log");
        rig.Append("three\n");
        PollFor(rig, 60);
        rig.Append("later\n", "app-1.log");
        PollFor(rig, 5);
        Assert.Equal(["one", "two", "late", "three", "later"], rig.Texts);
        Assert.Equal(5, rig.Records.Select(r => r.Id).Distinct().Count());
        Assert.DoesNotContain(rig.Notices, n => n.Kind is TailNoticeKind.Warning or TailNoticeKind.Lost);

        // One more rotation, and what came before is still known.
        rig.Rename("app-1.log", "app-2.log");
        rig.Rename("app.log", "app-1.log");
        rig.Loop.Set(rig.Target(TailFormat.PlainText, "app-2.log", "t3"));
        rig.Append("four\n");
        PollFor(rig, 90);
        rig.Crash();
        foreach ((string name, string id) in new[] { ("app.log", "t1"), ("app-1.log", "t2"), ("app-2.log", "t3") })
        {
            rig.Loop.Set(rig.Target(TailFormat.PlainText, name, id));
        }

        PollFor(rig, 5);
        Assert.Equal(["one", "two", "late", "three", "later", "four"], rig.Texts);
    }

    [Fact]
    public void The_old_name_may_be_gone_for_good()
    {
        using TailRig rig = new();
        rig.Loop.Set(rig.Target(TailFormat.PlainText));
        rig.Append("one\n");
        rig.Poll();
        rig.Rename("app.log", "app-1.log");
        rig.Loop.Set(rig.Target(TailFormat.PlainText, "app-1.log", "t2"));
        rig.Loop.Remove("t1");
        PollFor(rig, 5);
        rig.Append("two\n", "app-1.log");
        PollFor(rig, 5);
        Assert.Equal(["one", "two"], rig.Texts);
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
