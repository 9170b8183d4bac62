using LogAgent.Delivery;
using LogAgent.Tailing;
using LogAgent.Tests.Support;

namespace LogAgent.Tests.Delivery;

public class OutputWorkerTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    private static Func<RecordGroup, CancellationToken, Task<SendResult>> Trouble(string what = "No route.", SendTrouble trouble = SendTrouble.Unreachable) =>
        (_, _) => Task.FromException<SendResult>(new SendException(trouble, what));

    [Fact]
    public void A_batch_is_acknowledged_when_its_records_are_delivered()
    {
        using WorkerRig rig = new();
        BatchBuilder batch = rig.Emit("a", "b");
        Assert.Null(batch.Completed);
        rig.Step();
        Assert.True(batch.Completed);
        Assert.Equal([["a", "b"]], rig.Output.Sends);
        Assert.Equal(new(2, 2), rig.Counts.Acknowledged);
        Assert.Equal(default, rig.Counts.InFlight);
    }

    [Fact]
    public void Several_batches_travel_in_one_group_that_waits_for_its_age()
    {
        using WorkerRig rig = new(new() { Limits = new() { GroupAge = Second } });
        BatchBuilder one = rig.Emit("a");
        rig.Step();
        rig.StepAfter(Second / 2);
        BatchBuilder two = rig.Emit("b", "c");
        rig.Step();
        Assert.Empty(rig.Output.Sends);
        rig.StepAfter(Second / 2);
        Assert.Equal([["a", "b", "c"]], rig.Output.Sends);
        Assert.True(one.Completed);
        Assert.True(two.Completed);
    }

    [Theory]
    [InlineData("No route")]
    [InlineData("No route.")]
    public void Trouble_is_said_in_whole_sentences(string what)
    {
        using WorkerRig rig = new(new FaultyOutput().Then(Trouble(what)));
        rig.Emit("a");
        rig.Step();
        Assert.Contains("Output faulty has trouble: No route. Its records are kept and sent again.", rig.Log);
    }

    [Fact]
    public void A_group_whose_time_comes_while_the_loop_looks_at_it_is_looked_at_again()
    {
        for (int before = 0; before <= 20; before++)
        {
            using WorkerRig rig = new(new() { Limits = new() { GroupAge = Second } });
            rig.Emit("a");
            rig.Clock.Advance(Second - TimeSpan.FromMilliseconds(before));
            rig.Clock.PerReading = TimeSpan.FromMilliseconds(1);
            rig.Step();
            Assert.True(rig.Output.Sends.Count == 1 || rig.Clock.NextRing is not null, $"{before} ms before its time it is looked at, and never again.");
        }
    }

    [Fact]
    public void A_repetition_whose_time_comes_while_the_loop_looks_at_it_is_looked_at_again()
    {
        for (int before = 1; before <= 20; before++)
        {
            using WorkerRig rig = new();
            rig.Output.Then(Trouble());
            rig.Emit("a");
            rig.Step();
            rig.Clock.Advance(rig.Clock.NextRing!.Value - TimeSpan.FromMilliseconds(before));
            rig.Clock.PerReading = TimeSpan.FromMilliseconds(1);
            rig.Step();
            Assert.True(rig.Output.Sends.Count == 2 || rig.Clock.NextRing is not null, $"{before} ms before its time it is looked at, and never again.");
        }
    }

    [Fact]
    public void A_group_is_cut_by_records_and_by_bytes_and_a_batch_may_span_groups()
    {
        using WorkerRig rig = new(new() { Limits = new() { GroupRecords = 3, GroupBytes = 10, GroupAge = TimeSpan.Zero } });
        BatchBuilder batch = rig.Emit("a", "b", "c", "d", "123456789", "1234567890123456", "e");
        rig.Step();
        Assert.Equal([["a", "b", "c"], ["d", "123456789"], ["1234567890123456"], ["e"]], rig.Output.Sends);
        Assert.True(batch.Completed);
    }

    [Fact]
    public void What_follows_a_full_group_waits_for_a_moment_only_and_what_follows_that_for_its_age_again()
    {
        using WorkerRig rig = new(new() { Limits = new() { GroupRecords = 2, GroupAge = Second } });
        rig.Emit("a", "b", "c");
        rig.Step();
        Assert.Equal([["a", "b"]], rig.Output.Sends);
        rig.StepAfter(Second / 20);
        Assert.Equal([["a", "b"], ["c"]], rig.Output.Sends);
        rig.Emit("d");
        rig.Step();
        rig.StepAfter(Second / 2);
        Assert.Equal(2, rig.Output.Sends.Count);
        rig.StepAfter(Second / 2);
        Assert.Equal(["d"], rig.Output.Sends[2]);
    }

    [Fact]
    public void A_group_in_trouble_is_sent_again_whole_and_nothing_overtakes_it()
    {
        using WorkerRig rig = new(new FaultyOutput().Then(Trouble()));
        BatchBuilder one = rig.Emit("a");
        rig.Step();
        BatchBuilder two = rig.Emit("b");
        rig.Step();
        Assert.Single(rig.Output.Sends);
        Assert.Equal(1, rig.Counts.InFlight.Records - 1);
        rig.StepAfter(Second);
        Assert.Equal([["a"], ["a"], ["b"]], rig.Output.Sends);
        Assert.True(one.Completed);
        Assert.True(two.Completed);
        Assert.Equal(1, rig.Counts.RetriedRecords);
    }

    [Fact]
    public void Only_the_records_that_were_not_taken_are_sent_again()
    {
        using WorkerRig rig = new(new FaultyOutput().Then(_ => new SendResult { Retry = [1, 3], RetryReason = "429" }));
        BatchBuilder one = rig.Emit("a", "b");
        BatchBuilder two = rig.Emit("c", "d");
        BatchBuilder three = rig.Emit("e");
        rig.Step();
        Assert.Null(one.Completed);
        Assert.Null(two.Completed);
        Assert.True(three.Completed);
        Assert.Equal(new(2, 2), rig.Counts.InFlight);
        rig.StepAfter(Second);
        Assert.Equal([["a", "b", "c", "d", "e"], ["b", "d"]], rig.Output.Sends);
        Assert.True(one.Completed);
        Assert.True(two.Completed);
    }

    [Fact]
    public void What_is_too_large_is_halved_in_order()
    {
        using WorkerRig rig = new(new FaultyOutput().Always((group, _) => Task.FromResult(group.Count > 1 ? SendResult.TooLarge : SendResult.Delivered)));
        BatchBuilder batch = rig.Emit("a", "b", "c", "d", "e");
        rig.Step();
        Assert.True(batch.Completed);
        Assert.Equal("abcde", string.Concat(rig.Output.Sends.Where(send => send.Length == 1).Select(send => send[0])));
    }

    [Fact]
    public void A_single_record_that_is_too_large_is_cut_until_it_goes_and_what_was_cut_is_counted()
    {
        using WorkerRig rig = new(new FaultyOutput().Always((group, _) =>
            Task.FromResult(Math.Min(group.MessageBytes, group.MessageLimit) > 3000 ? SendResult.TooLarge : SendResult.Delivered)));
        BatchBuilder batch = rig.Emit(new string('x', 10_000));
        rig.Step();
        Assert.True(batch.Completed);
        Assert.Equal([10_000, 5000, 2500], rig.Output.Sends.Select(send => send[0].Length));
        Assert.Equal(new(1, 2500), rig.Counts.Acknowledged);
        Assert.Equal(new(0, 7500), rig.Counts.Lost["too_large"]);
        Assert.Equal(new(1, 7500), rig.Counts.Cut);
    }

    [Fact]
    public void What_the_output_cut_by_itself_is_counted()
    {
        using WorkerRig rig = new(new FaultyOutput().Then(_ => new SendResult { Cut = new(1, 60) }));
        rig.Emit("short", new string('x', 100));
        rig.Step();
        Assert.Equal(new(2, 45), rig.Counts.Acknowledged);
        Assert.Equal(new(1, 60), rig.Counts.Cut);
        Assert.Equal(new(0, 60), rig.Counts.Lost["too_large"]);
        rig.AssertBalanced();
    }

    [Fact]
    public void What_the_output_says_of_records_that_wait_inside_it_is_in_the_ledger()
    {
        FaultyOutput output = new();
        using WorkerRig rig = new(output);
        DateTimeOffset since = rig.Clock.GetUtcNow();
        output.Condition = new(false, since, "No broker answers.");
        Assert.Equal((false, since, "No broker answers."), (rig.Counts.State.Up, rig.Counts.State.TroubleSince, rig.Counts.State.LastError));
        output.Condition = OutputCondition.Well;
        Assert.True(rig.Counts.State.Up);
    }

    [Fact]
    public void Concurrency_grows_under_load_and_is_halved_by_trouble()
    {
        FaultyOutput output = OneRecordASend(out List<TaskCompletionSource<SendResult>> open);
        using WorkerRig rig = new(output);
        rig.Emit([.. Enumerable.Range(0, 100).Select(i => $"{i}")]);
        rig.Step();
        Assert.Equal(2, output.UnderWay);
        for (int i = 0; i < 20; i++)
        {
            rig.Clock.Advance(TimeSpan.FromMilliseconds(60));
            open[i].SetResult(SendResult.Delivered);
            rig.Step();
        }

        Assert.Equal(4, output.UnderWay);
        Assert.Equal(4, rig.Counts.State.Concurrency);
        for (int i = 20; i < 24; i++)
        {
            open[i].SetException(new SendException(SendTrouble.Throttled, "Too many requests."));
            rig.Step();
        }

        // One round of trouble cuts once.
        Assert.Equal(2, rig.Counts.State.Concurrency);
        Assert.Equal(4, output.MostUnderWay);
    }

    [Fact]
    public void Concurrency_does_not_grow_where_sends_come_back_at_once()
    {
        FaultyOutput output = OneRecordASend(out List<TaskCompletionSource<SendResult>> open);
        using WorkerRig rig = new(output);
        rig.Emit([.. Enumerable.Range(0, 40).Select(i => $"{i}")]);
        rig.Step();
        for (int i = 0; i < 30; i++)
        {
            open[i].SetResult(SendResult.Delivered);
            rig.Step();
        }

        Assert.Equal(2, output.MostUnderWay);
    }

    [Fact]
    public void Trouble_is_said_when_it_begins_once_a_minute_and_when_it_is_over()
    {
        bool down = true;
        FaultyOutput output = new FaultyOutput().Always((_, _) =>
            down ? Task.FromException<SendResult>(new SendException(SendTrouble.Unreachable, "No route.")) : Task.FromResult(SendResult.Delivered));
        using WorkerRig rig = new(output);
        rig.Emit("a");
        for (int i = 0; i < 150; i++)
        {
            rig.StepAfter(Second);
        }

        Assert.False(rig.Counts.State.Up);
        Assert.Equal("No route.", rig.Counts.State.LastError);
        Assert.InRange(rig.Log.Count, 2, 3);
        Assert.StartsWith("Output faulty has trouble: No route.", rig.Log[0]);
        Assert.StartsWith("Output faulty still has trouble, since 2026-11-20T12:00:01Z: No route.", rig.Log[1]);
        down = false;
        rig.StepAfter(TimeSpan.FromSeconds(30));
        Assert.StartsWith("Output faulty works again after", rig.Log[^1]);
        Assert.True(rig.Counts.State.Up);
        Assert.Null(rig.Counts.State.TroubleSince);
    }

    [Fact]
    public void A_record_costs_no_allocation()
    {
        const int batches = 200;
        const int records = 500;
        PlainOutput output = new();
        Ledger ledger = new();
        using WorkerRig rig = new();
        OutputWorker worker = new(output, OutputRules.Default, ledger.Output("plain"), rig.DeadLetters, new(new Random(1)), TimeProvider.System, rig);
        rig.Fanout.SetOutputs([worker]);
        long before = 0;
        for (int round = 0; round < 2; round++)
        {
            LogBatch[] built = [.. Enumerable.Range(0, batches).Select(_ => Build(records))];
            before = GC.GetAllocatedBytesForCurrentThread();
            foreach (LogBatch batch in built)
            {
                rig.Fanout.Emit(batch);
                worker.Step();
            }
        }

        // A batch and a group have objects of their own; a record has none.
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.Equal(2 * batches * records, output.Records);
        Assert.True(allocated < 2000 * batches, $"{allocated / batches} bytes a batch");
    }

    /// <summary>Sends of one record each, at most four at once, that end when the test says so.</summary>
    private static FaultyOutput OneRecordASend(out List<TaskCompletionSource<SendResult>> open)
    {
        List<TaskCompletionSource<SendResult>> sends = open = [];
        FaultyOutput output = new() { Limits = new() { GroupRecords = 1, GroupAge = TimeSpan.Zero, MaxConcurrency = 4 } };
        return output.Always((_, _) =>
        {
            sends.Add(new());
            return sends[^1].Task;
        });
    }

    private static LogBatch Build(int records)
    {
        BatchBuilder builder = new();
        for (int i = 0; i < records; i++)
        {
            builder.Add("x");
        }

        return builder.Build();
    }

    private sealed class PlainOutput : IOutput
    {
        private readonly Task<SendResult> _delivered = Task.FromResult(SendResult.Delivered);

        public string Name => "plain";

        public long Records { get; private set; }

        public SendLimits Limits { get; } = new() { GroupAge = TimeSpan.Zero };

        public Task<SendResult> SendAsync(RecordGroup group, CancellationToken cancel)
        {
            Records += group.Count;
            return _delivered;
        }

        public Task<IReadOnlyList<CheckResult>> CheckAsync(CancellationToken cancel) => Task.FromResult<IReadOnlyList<CheckResult>>([]);

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
