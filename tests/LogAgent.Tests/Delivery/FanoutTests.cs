using LogAgent.Delivery;
using LogAgent.Tailing;
using LogAgent.Tests.Support;

namespace LogAgent.Tests.Delivery;

public class FanoutTests
{
    private static TailTarget Container(string name, string image = "nginx", string tag = "1", params (string Name, string Value)[] labels) => new()
    {
        Id = $"container:{name}",
        Path = "/x",
        Format = TailFormat.DockerJson,
        Fields = new(
            [
                new("container.name", name), new("container.image.name", image), new("container.image.tag", tag),
                .. labels.Select(label => new KeyValuePair<string, string>($"container.labels.{label.Name}", label.Value)),
            ],
            []),
    };

    private static OutputRules Only(string[]? containers = null, string[]? images = null, string[]? labels = null, StreamSet? streams = null) =>
        new(new(containers ?? [], images ?? [], labels ?? [], streams ?? StreamSet.All), null);

    [Fact]
    public void A_batch_is_acknowledged_when_the_last_output_is_done_with_it()
    {
        using WorkerRig rig = new();
        OutputWorker other = new(new FaultyOutput(), OutputRules.Default, rig.Ledger.Output("other"), rig.DeadLetters, new(new Random(1)), rig.Clock, rig);
        rig.Fanout.SetOutputs([rig.Worker, other]);
        BatchBuilder batch = rig.Emit("a");
        rig.Step();
        Assert.Null(batch.Completed);
        other.Step();
        Assert.True(batch.Completed);
    }

    [Fact]
    public void A_batch_that_no_output_takes_is_acknowledged_at_once_and_counted_as_filtered()
    {
        using WorkerRig rig = new(rules: Only(containers: ["web-*"]));
        BatchBuilder batch = rig.EmitFrom(Container("db"), "a", "b");
        Assert.True(batch.Completed);
        Assert.Equal(new(2, 2), rig.Counts.Filtered);
        Assert.Equal(new(2, 2), rig.Counts.Read);
        rig.AssertBalanced();
    }

    [Fact]
    public void A_batch_without_records_is_acknowledged_at_once()
    {
        using WorkerRig rig = new();
        Assert.True(rig.Emit().Completed);
    }

    [Theory]
    [InlineData("web-1", "nginx", "1", true)]
    [InlineData("db", "nginx", "1", false)]
    [InlineData("web-1", "httpd", "1", false)]
    [InlineData("web-1", "nginx", "2", false)]
    public void A_subset_asks_for_container_image_and_label(string name, string image, string tag, bool taken)
    {
        OutputSubset subset = new(["web-?"], ["nginx:1", "other"], ["team=se*"], StreamSet.All);
        Assert.Equal(taken, subset.Takes(Container(name, image, tag, ("team", "search")).Fields));
        Assert.False(subset.Takes(Container(name, image, tag, ("team", "ads")).Fields));
        Assert.False(subset.Takes(FieldSet.Empty));
    }

    [Fact]
    public void An_output_of_one_stream_takes_its_records_and_the_gap_records_alone()
    {
        using WorkerRig rig = new(rules: Only(streams: StreamSet.Of(LogStream.Stderr)));
        BatchBuilder batch = new BatchBuilder()
            .Add("out1").Add("err1", stream: LogStream.Stderr).Add("gap", RecordFlags.Gap, stream: LogStream.None)
            .Add("err2", stream: LogStream.Stderr).Add("out2").Add("err3", stream: LogStream.Stderr).Add("out3");
        rig.Fanout.Emit(batch.Build());
        rig.Step();
        Assert.Equal([["err1", "gap", "err2", "err3"]], rig.Output.Sends);
        Assert.True(batch.Completed);
        Assert.Equal(new(6, 24), rig.Counts.Read);
        Assert.Equal(new(3, 12), rig.Counts.Filtered);
        Assert.Equal(new(3, 12), rig.Counts.Acknowledged);
        Assert.Equal(new(6, 27), rig.Ledger.Snapshot().Read);
    }

    [Fact]
    public void A_gap_record_is_sent_and_never_counted()
    {
        using WorkerRig rig = new(new FaultyOutput().Then(_ => new SendResult { Retry = [0] }));
        BatchBuilder batch = new BatchBuilder().Add("gap", RecordFlags.Gap).Add("a");
        rig.Fanout.Emit(batch.Build());
        rig.Step();
        rig.StepAfter(TimeSpan.FromSeconds(1));
        Assert.Equal([["gap", "a"], ["gap"]], rig.Output.Sends);
        Assert.True(batch.Completed);
        Assert.Equal(new(1, 1), rig.Counts.Acknowledged);
        Assert.Equal(default, rig.Counts.InFlight);
    }

    [Fact]
    public void Outputs_without_room_hold_reading_back()
    {
        using WorkerRig rig = new(new FaultyOutput().Always((_, _) => Task.FromException<SendResult>(new SendException(SendTrouble.Refused, "Full."))));
        Assert.True(rig.Fanout.HasRoom(Container("a")));
        for (int i = 0; i < 5000; i++)
        {
            rig.Emit("a");
        }

        Assert.False(rig.Fanout.HasRoom(Container("a")));
    }

    [Fact]
    public void Two_groups_that_wait_hold_reading_back_until_one_is_sent()
    {
        TaskCompletionSource<SendResult> first = new();
        using WorkerRig rig = new(new FaultyOutput { Limits = new() { GroupBytes = 3 << 20, GroupAge = TimeSpan.Zero } }.Then((_, _) => first.Task));
        int made = 0;
        rig.Fanout.RoomMade += () => made++;
        string large = new('a', 3 << 20);
        rig.Emit(large);
        rig.Step();
        rig.Emit(large);
        Assert.True(rig.Fanout.HasRoom(Container("a")));
        rig.Emit(large);
        Assert.False(rig.Fanout.HasRoom(Container("a")));
        rig.Step();
        Assert.Equal(0, made);
        first.SetResult(SendResult.Delivered);
        rig.Step();
        Assert.True(rig.Fanout.HasRoom(Container("a")));
        Assert.Equal(1, made);
    }
}
