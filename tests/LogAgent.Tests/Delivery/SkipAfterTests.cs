using LogAgent.Delivery;
using LogAgent.Tailing;
using LogAgent.Tests.Support;

namespace LogAgent.Tests.Delivery;

public class SkipAfterTests
{
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);
    private readonly FaultyOutput _output = new();
    private bool _down = true;

    public SkipAfterTests() => _output.Always((_, _) => _down
        ? Task.FromException<SendResult>(new SendException(SendTrouble.Unreachable, "No route."))
        : Task.FromResult(SendResult.Delivered));

    private static TailTarget Target(string id) => new() { Id = id, Path = "/x", Format = TailFormat.DockerJson, Fields = FieldSet.Empty };

    private WorkerRig Rig() => new(_output, new(OutputSubset.Everything, TimeSpan.FromMinutes(5)));

    [Fact]
    public void An_output_that_is_down_for_less_holds_everything()
    {
        using WorkerRig rig = Rig();
        BatchBuilder batch = rig.Emit("a");
        for (int i = 0; i < 5; i++)
        {
            rig.StepAfter(Minute - TimeSpan.FromSeconds(1));
        }

        Assert.Null(batch.Completed);
        Assert.Empty(rig.Counts.Lost);
    }

    [Fact]
    public void An_output_that_is_down_for_longer_skips_and_tells_of_it_first_when_it_is_back()
    {
        using WorkerRig rig = Rig();
        BatchBuilder held = rig.EmitFrom(Target("one"), "a", "bcd");
        for (int i = 0; i < 7; i++)
        {
            rig.StepAfter(Minute);
        }

        Assert.True(held.Completed);
        BatchBuilder later = rig.EmitFrom(Target("two"), "e");
        rig.Step();
        Assert.True(later.Completed);
        Assert.Equal(new(3, 5), rig.Counts.Lost["skipped"]);
        Assert.False(rig.Counts.State.Up);
        Assert.Contains(rig.Log, line => line.Contains("has been down for longer than skip_after"));

        _down = false;
        _output.Sends.Clear();
        rig.StepAfter(Minute);
        BatchBuilder delivered = rig.EmitFrom(Target("one"), "f");
        rig.Step();
        Assert.True(delivered.Completed);
        Assert.Equal(2, _output.Sends.Count);
        Assert.Equal(2, _output.Sends[0].Length);
        Assert.Contains("2 records (4 bytes)", _output.Sends[0][0]);
        Assert.Contains("output faulty was down", _output.Sends[0][0]);
        Assert.Contains("1 records (1 bytes)", _output.Sends[0][1]);
        Assert.Equal(["f"], _output.Sends[1]);
        Assert.Equal(new(1, 1), rig.Counts.Acknowledged);
        Assert.Equal(default, rig.Counts.InFlight);
        Assert.Contains(rig.Log, line => line.Contains("is back. 3 records (5 bytes of messages) were skipped"));
    }

    [Fact]
    public void What_is_skipped_while_the_gap_record_travels_is_told_too()
    {
        using WorkerRig rig = Rig();
        rig.EmitFrom(Target("one"), "a");
        for (int i = 0; i < 7; i++)
        {
            rig.StepAfter(Minute);
        }

        TaskCompletionSource<SendResult> slow = new();
        List<string> ids = [];
        _output.Then((group, _) =>
        {
            ids.Add(Id(group));
            return slow.Task;
        });
        rig.StepAfter(Minute);
        Assert.Single(ids);
        rig.EmitFrom(Target("one"), "b");
        rig.Step();
        _output.Then(group =>
        {
            ids.Add(Id(group));
            return SendResult.Delivered;
        });
        _output.Sends.Clear();
        slow.SetResult(SendResult.Delivered);
        rig.Step();
        Assert.Contains("2 records (2 bytes)", Assert.Single(Assert.Single(_output.Sends)));
        Assert.NotEqual(ids[0], ids[1]);
    }

    [Fact]
    public void The_other_outputs_go_on()
    {
        using WorkerRig rig = Rig();
        FaultyOutput healthy = new() { Name = "healthy" };
        OutputWorker other = new(healthy, OutputRules.Default, rig.Ledger.Output("healthy"), rig.DeadLetters, new(new Random(1)), rig.Clock, rig);
        rig.Fanout.SetOutputs([rig.Worker, other]);
        BatchBuilder batch = rig.Emit("a");
        other.Step();
        rig.Step();
        Assert.Equal([["a"]], healthy.Sends);
        Assert.Null(batch.Completed);
        for (int i = 0; i < 7; i++)
        {
            rig.StepAfter(Minute);
        }

        Assert.True(batch.Completed);
    }

    private static string Id(RecordGroup group)
    {
        Span<byte> id = stackalloc byte[RecordId.MaxLength];
        RecordRun run = group.Runs[0];
        return System.Text.Encoding.ASCII.GetString(id[..RecordId.Write(id, run.Batch, run.Batch.Records[run.Start])]);
    }
}
