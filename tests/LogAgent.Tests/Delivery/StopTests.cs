using LogAgent.Delivery;
using LogAgent.Tests.Support;

namespace LogAgent.Tests.Delivery;

public class StopTests
{
    private static readonly CancellationToken Passed = new(true);

    private static Func<RecordGroup, CancellationToken, Task<SendResult>> Down =>
        (_, _) => Task.FromException<SendResult>(new SendException(SendTrouble.Unreachable, "No route."));

    [Fact]
    public async Task A_stop_sends_what_is_held_without_waiting_for_a_full_group()
    {
        using WorkerRig rig = new(new() { Limits = new() { GroupAge = TimeSpan.FromHours(1) } });
        Task running = rig.Worker.RunAsync();
        BatchBuilder batch = rig.Emit("a");
        await rig.Worker.StopAsync(CancellationToken.None);
        await running;
        Assert.True(batch.Completed);
        Assert.Equal([["a"]], rig.Output.Sends);
        Assert.True(rig.Output.Disposed);
    }

    [Fact]
    public async Task At_the_deadline_what_is_left_is_abandoned_and_not_acknowledged()
    {
        using WorkerRig rig = new(new FaultyOutput().Always(Down));
        BatchBuilder one = rig.Emit("a");
        rig.Step();
        BatchBuilder two = rig.Emit("b");
        Task running = rig.Worker.RunAsync();
        await rig.Worker.StopAsync(Passed);
        await running;
        Assert.False(one.Completed);
        Assert.False(two.Completed);
        Assert.Equal(2, rig.Counts.InFlight.Records);
        Assert.Contains(rig.Log, line => line.StartsWith("Output faulty stopped with 2 records not delivered."));
        BatchBuilder late = rig.Emit("c");
        Assert.False(late.Completed);
    }

    [Fact]
    public async Task A_batch_that_is_partly_delivered_at_the_deadline_is_abandoned_once()
    {
        using WorkerRig rig = new(new FaultyOutput { Limits = new() { GroupRecords = 1, GroupAge = TimeSpan.Zero } }
            .Then(_ => SendResult.Delivered).Always(Down));
        BatchBuilder batch = rig.Emit("a", "b", "c");
        rig.Step();
        Task running = rig.Worker.RunAsync();
        await rig.Worker.StopAsync(Passed);
        await running;
        Assert.False(batch.Completed);
        Assert.Equal(2, rig.Counts.InFlight.Records);
    }

    [Fact]
    public async Task A_stop_cancels_a_send_that_hangs()
    {
        using WorkerRig rig = new(new FaultyOutput().Always(async (_, cancel) =>
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancel);
            return SendResult.Delivered;
        }));
        BatchBuilder batch = rig.Emit("a");
        Task running = rig.Worker.RunAsync();
        using CancellationTokenSource deadline = new();
        Task stopping = rig.Worker.StopAsync(deadline.Token);
        Assert.False(stopping.IsCompleted);
        await deadline.CancelAsync();
        await stopping;
        await running;
        Assert.False(batch.Completed);
    }

    [Fact]
    public async Task A_send_that_ignores_the_cancellation_keeps_its_batch_and_the_stop_goes_on_without_it()
    {
        TaskCompletionSource<SendResult> deaf = new();
        using WorkerRig rig = new(new FaultyOutput().Always((_, _) => deaf.Task));
        BatchBuilder batch = rig.Emit("a");
        rig.Step();
        Task running = rig.Worker.RunAsync();
        Task stopping = rig.Worker.StopAsync(Passed);
        while (!stopping.IsCompleted)
        {
            rig.Clock.Advance(TimeSpan.FromSeconds(6));
            await Task.Yield();
        }

        Assert.Null(batch.Completed);
        Assert.False(running.IsCompleted);
        deaf.SetResult(SendResult.Delivered);
        await running;
        Assert.True(batch.Completed);
    }

    [Fact]
    public async Task A_bug_in_an_output_ends_the_loop_with_its_exception_and_nothing_is_acknowledged()
    {
        using WorkerRig rig = new(new FaultyOutput().Always((_, _) => throw new InvalidOperationException("bug")));
        BatchBuilder batch = rig.Emit("a");
        await Assert.ThrowsAsync<InvalidOperationException>(rig.Worker.RunAsync);
        Assert.False(batch.Completed);
        await rig.Worker.StopAsync(CancellationToken.None);
    }

    [Fact]
    public async Task A_closed_receiver_ends_the_loop_with_word_of_it()
    {
        using WorkerRig rig = new(new FaultyOutput().Always((_, _) => throw new OutputClosedException("gone")));
        rig.Emit("a");
        await Assert.ThrowsAsync<OutputClosedException>(rig.Worker.RunAsync);
    }

    [Fact]
    public async Task A_removed_output_counts_as_lost_what_it_could_not_deliver()
    {
        using WorkerRig rig = new(new FaultyOutput().Always(Down));
        BatchBuilder batch = rig.Emit("a");
        Task running = rig.Worker.RunAsync();
        await rig.Worker.RetireAsync(null, Passed);
        await running;
        Assert.True(batch.Completed);
        Assert.Equal(new(1, 1), rig.Counts.Lost["output_removed"]);
        rig.AssertBalanced();
    }

    [Fact]
    public async Task A_replaced_output_hands_over_what_it_holds_and_the_successor_sends_that_first()
    {
        using WorkerRig rig = new(new FaultyOutput().Then(_ => new SendResult { Retry = [1] }).Always(Down));
        BatchBuilder one = rig.Emit("a", "b");
        rig.Step();
        BatchBuilder two = rig.Emit("c");
        rig.Step();
        FaultyOutput output = new();
        OutputWorker successor = new(output, OutputRules.Default, rig.Worker.Ledger, rig.DeadLetters, new(new Random(1)), rig.Clock, rig);
        rig.Fanout.SetOutputs([successor]);
        BatchBuilder three = rig.Emit("d");
        Task running = rig.Worker.RunAsync();
        await rig.Worker.RetireAsync(successor, Passed);
        await running;
        successor.Step();
        Assert.Equal(["b", "c", "d"], output.Sends.SelectMany(send => send));
        Assert.True(one.Completed);
        Assert.True(two.Completed);
        Assert.True(three.Completed);
        Assert.Equal(new(4, 4), rig.Counts.Acknowledged);
        rig.AssertBalanced();
    }
}
