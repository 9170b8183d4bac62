using LogAgent.Delivery;
using LogAgent.Tailing;
using LogAgent.Tests.Support;

namespace LogAgent.Tests.Delivery;

/// <summary>What one way through an output does not take holds up what goes the same way, and nothing else.</summary>
public class LaneTests
{
    private static readonly SendLimits ByTarget = new() { GroupAge = TimeSpan.Zero, MaxConcurrency = 2, Pipelined = true, LaneOf = target => target.Id };

    [Fact]
    public void Records_of_different_lanes_never_share_a_group()
    {
        using WorkerRig rig = new(new() { Limits = ByTarget });
        rig.EmitFrom(Target("one"), "1", "2");
        rig.EmitFrom(Target("two"), "a");
        rig.EmitFrom(Target("one"), "3");
        rig.Step();
        Assert.Equal([["1", "2", "3"], ["a"]], rig.Output.Sends);
    }

    [Fact]
    public void A_lane_whose_sends_do_not_end_leaves_the_others_theirs()
    {
        using WorkerRig rig = new(Stuck(ByTarget));
        TailTarget dead = Target("dead");
        for (int i = 0; i < 10; i++)
        {
            rig.EmitFrom(dead, "x");
            rig.Step();
        }

        BatchBuilder[] live = [.. Enumerable.Range(0, 10).Select(_ => rig.EmitFrom(Target("live"), "y"))];
        rig.Step();
        Assert.Equal(2, rig.Output.UnderWay);
        Assert.All(live, batch => Assert.True(batch.Completed));
    }

    [Fact]
    public void A_failed_group_holds_up_its_own_lane_alone_and_keeps_its_place_in_it()
    {
        FaultyOutput output = new FaultyOutput { Limits = ByTarget }
            .Then((_, _) => Task.FromException<SendResult>(new SendException(SendTrouble.Refused, "No such topic.")));
        using WorkerRig rig = new(output);
        rig.EmitFrom(Target("dead"), "1");
        rig.Step();
        rig.EmitFrom(Target("dead"), "2");
        rig.EmitFrom(Target("live"), "a");
        rig.Step();
        Assert.Equal([["1"], ["a"]], output.Sends);
        rig.StepAfter(TimeSpan.FromSeconds(1));
        Assert.Equal([["1"], ["a"], ["1"], ["2"]], output.Sends);
    }

    [Fact]
    public void A_stuck_lane_has_no_room_for_its_own_and_the_others_have()
    {
        using WorkerRig rig = new(Stuck(ByTarget));
        (TailTarget dead, TailTarget live) = (Target("dead"), Target("live"));
        int emitted = 0;
        string large = new('x', 100_000);
        while (rig.Fanout.HasRoom(dead))
        {
            rig.Budget.TryTake(large.Length);
            rig.EmitFrom(dead, large);
            rig.Step();
            Assert.True(++emitted < 80, "a stuck lane took all of the memory");
        }

        Assert.True(rig.Fanout.HasRoom(live));
        Assert.InRange(rig.Budget.Used, rig.Budget.Limit / 2, rig.Budget.Limit * 3 / 4);
    }

    [Fact]
    public void Ten_stuck_lanes_leave_room_too()
    {
        using WorkerRig rig = new(Stuck(ByTarget));
        TailTarget[] dead = [.. Enumerable.Range(0, 10).Select(i => Target($"dead{i}"))];
        string slice = new('x', 20_000);
        for (int i = 0; i < 1000; i++)
        {
            foreach (TailTarget target in dead.Where(rig.Fanout.HasRoom))
            {
                rig.Budget.TryTake(slice.Length);
                rig.EmitFrom(target, slice);
                rig.Step();
            }
        }

        Assert.All(dead, target => Assert.False(rig.Fanout.HasRoom(target)));
        Assert.True(rig.Fanout.HasRoom(Target("live")));
        Assert.InRange(rig.Budget.Limit - rig.Budget.Used, rig.Budget.Limit / 25, rig.Budget.Limit);
    }

    [Fact]
    public void Room_is_told_of_when_a_stuck_lane_goes_on()
    {
        List<TaskCompletionSource<SendResult>> sends = [];
        using WorkerRig rig = new(new FaultyOutput { Limits = ByTarget }.Always((_, _) =>
        {
            sends.Add(new());
            return sends[^1].Task;
        }));
        int told = 0;
        rig.Fanout.RoomMade += () => told++;
        TailTarget target = Target("one");
        while (rig.Fanout.HasRoom(target))
        {
            rig.Budget.TryTake(100_000);
            rig.EmitFrom(target, new string('x', 100_000));
            rig.Step();
        }

        Assert.Equal(0, told);
        rig.Budget.Release(100_000);
        sends[0].SetResult(SendResult.Delivered);
        rig.Step();
        Assert.Equal(1, told);
    }

    [Fact]
    public void An_output_that_is_down_holds_back_those_that_it_takes_and_no_others()
    {
        using WorkerRig rig = new(Stuck(new() { GroupAge = TimeSpan.Zero }), new(new(["web"], [], [], StreamSet.All), null));
        OutputWorker other = new(new FaultyOutput(), OutputRules.Default, rig.Ledger.Output("other"), rig.DeadLetters, new(new Random(1)), rig.Clock, rig);
        rig.Fanout.SetOutputs([rig.Worker, other]);
        for (int i = 0; i < 5000; i++)
        {
            rig.EmitFrom(Target("web"), "x");
        }

        Assert.False(rig.Fanout.HasRoom(Target("web")));
        other.Step();
        Assert.True(rig.Fanout.HasRoom(Target("db")));
    }

    [Fact]
    public void Lanes_of_targets_that_are_gone_are_forgotten()
    {
        OutputLanes lanes = new(target => target.Id, TimeProvider.System);
        WeakReference first = Ask(lanes);
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
        Assert.False(first.IsAlive);
    }

    [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
    private static WeakReference Ask(OutputLanes lanes) => new(lanes.Of(Target("gone")));

    /// <summary>Everything for targets named dead* or web stays under way for ever.</summary>
    private static FaultyOutput Stuck(SendLimits limits) => new FaultyOutput { Limits = limits }.Always((group, _) =>
        group.Runs[0].Batch.Target.Id is "live" ? Task.FromResult(SendResult.Delivered) : new TaskCompletionSource<SendResult>().Task);

    private static TailTarget Target(string name) => new()
    {
        Id = name,
        Path = "/x",
        Format = TailFormat.DockerJson,
        Fields = new([new("container.name", name)], []),
    };
}
