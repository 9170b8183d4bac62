using System.Text.RegularExpressions;
using LogAgent.Delivery;
using LogAgent.Tailing;
using LogAgent.Tests.Outputs.Kafka;
using LogAgent.Tests.Support;

namespace LogAgent.Tests.Outputs.Contract;

/// <summary>
/// What every output keeps, behind a real worker and in front of a real receiver: whatever the receiver does, each record is
/// acknowledged once it is taken and never before, the ledger balances, and a stop comes to its end.
/// </summary>
public sealed partial class OutputContractTests : IAsyncLifetime
{
    private const int PerBatch = 20;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    private readonly string _directory = Directory.CreateTempSubdirectory("logagent-contract-").FullName;
    private readonly ListLogger _logger = new();
    private readonly List<BatchBuilder> _batches = [];
    private readonly Ledger _ledger = new();
    private OutputReceiver? _receiver;
    private OutputWorker? _worker;
    private Task _loop = Task.CompletedTask;
    private int _numbers;

    public static TheoryData<string> Outputs => [.. OutputReceiver.Kinds];

    public static TheoryData<string, OutputFault> Faults
    {
        get
        {
            TheoryData<string, OutputFault> played = [];
            foreach (string kind in OutputReceiver.Kinds)
            {
                foreach (OutputFault fault in Enum.GetValues<OutputFault>().Where(fault => OutputReceiver.WhyNot(kind, fault) is null))
                {
                    played.Add(kind, fault);
                }
            }

            return played;
        }
    }

    private OutputSnapshot Counts => Assert.Single(_ledger.Snapshot().Outputs);

    [KafkaTheory]
    [MemberData(nameof(Outputs))]
    public async Task What_is_taken_is_acknowledged_and_arrives_in_its_order(string output)
    {
        await StartAsync(output);
        Emit(batches: 10);
        await AllAcknowledgedAsync();
        await ArrivedAsync();
    }

    [KafkaTheory]
    [MemberData(nameof(Faults))]
    public async Task A_fault_that_passes_costs_no_record(string output, OutputFault fault)
    {
        await StartAsync(output);
        _receiver!.Begin(fault);
        Emit(batches: 3, fault == OutputFault.Hang ? _receiver.HangBytes : 0, fault == OutputFault.TooLarge);
        if (_receiver.IsTold(fault))
        {
            // It may be over again by now: a new connection takes something, too.
            await Until(() => Counts.State.LastError.Length > 0, "the trouble is told");
            Assert.True(Counts.InFlight.Records > 0);
            Assert.Contains(_batches, batch => batch.Completed is null);
        }
        else if (fault is OutputFault.TooLarge or OutputFault.Partial or OutputFault.Slow or OutputFault.Garbage)
        {
            await AllAcknowledgedAsync();
        }

        _receiver.End();
        Emit(batches: 3);
        await AllAcknowledgedAsync();
        if (!_receiver.LosesInSilence || fault != OutputFault.Reset)
        {
            await ArrivedAsync(fault);
        }

        if (fault == OutputFault.TooLarge)
        {
            Assert.Equal(1, Counts.Cut.Records);
            Assert.Equal(Counts.Lost["too_large"].Bytes, Counts.Cut.Bytes);
        }

        await Until(() => Counts.State.Up && Counts.State.TroubleSince is null, "the trouble is over");
    }

    [KafkaTheory]
    [MemberData(nameof(Outputs))]
    public async Task A_stop_while_sending_ends_in_its_time_and_acknowledges_nothing_that_was_not_taken(string output)
    {
        await StartAsync(output);
        OutputFault fault = OutputReceiver.WhyNot(output, OutputFault.Hang) is null ? OutputFault.Hang : OutputFault.Reset;
        _receiver!.Begin(fault);
        Emit(batches: 3, _receiver.HangBytes);
        await Until(() => Counts.RetriedRecords > 0 || _batches.Exists(batch => batch.Completed is null), "it sends");
        using (CancellationTokenSource deadline = new(TimeSpan.FromMilliseconds(300)))
        {
            await _worker!.StopAsync(deadline.Token).WaitAsync(Patience);
        }

        Assert.Contains(_batches, batch => batch.Completed is not true);
        OutputSnapshot counts = Counts;
        Assert.Equal(counts.Read, counts.Acknowledged + counts.InFlight);
        _receiver.End();
        await _loop.WaitAsync(Patience);

        // The next start reads again what was not acknowledged.
        _batches.Clear();
        StartWorker();
        Emit(batches: 2);
        await Until(() => _batches.TrueForAll(batch => batch.Completed is true), "a new output sends");
    }

    [Fact]
    public void Each_fault_is_played_or_it_is_said_why_it_cannot_be()
    {
        int played = Faults.Count();
        int excused = OutputReceiver.Kinds.Sum(kind => Enum.GetValues<OutputFault>().Count(fault => OutputReceiver.WhyNot(kind, fault) is { Length: > 20 }));
        Assert.Equal(OutputReceiver.Kinds.Count * Enum.GetValues<OutputFault>().Length, played + excused);
        Assert.Equal(12, Faults.Count(row => (string)row[0] is "elasticsearch" or "kafka"));
    }

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        _receiver?.End();
        if (_worker is not null)
        {
            using CancellationTokenSource now = new(TimeSpan.Zero);
            await _worker.StopAsync(now.Token);
        }

        if (_receiver is not null)
        {
            await _receiver.DisposeAsync();
        }

        Directory.Delete(_directory, true);
    }

    [GeneratedRegex("number=([0-9]+);")]
    private static partial Regex Number();

    private static async Task Until(Func<bool> condition, string what)
    {
        using CancellationTokenSource patience = new(Patience);
        using PeriodicTimer timer = new(TimeSpan.FromMilliseconds(10));
        while (!condition())
        {
            Assert.False(patience.IsCancellationRequested, $"Not in time: {what}.");
            await timer.WaitForNextTickAsync();
        }
    }

    private async Task StartAsync(string kind)
    {
        _receiver = await OutputReceiver.StartAsync(kind);
        StartWorker();
    }

    private void StartWorker()
    {
        DeadLetters deadLetters = new(Path.Combine(_directory, "dead-letters"), new(), new(LogAgent.Outputs.Schema.Ecs), _ledger, TimeProvider.System, _logger);
        RetrySchedule retry = new(new Random(1), TimeSpan.FromMilliseconds(20), TimeSpan.FromMilliseconds(200));
        _worker = new(_receiver!.NewOutput(), OutputRules.Default, _ledger.Output("output"), deadLetters, retry, TimeProvider.System, _logger);
        _loop = Task.Run(_worker.RunAsync);
    }

    /// <param name="bytes">Of all batches together, at least.</param>
    /// <param name="oneTooLarge">The record in the middle is longer than the receiver takes.</param>
    private void Emit(int batches, int bytes = 0, bool oneTooLarge = false)
    {
        MemoryBudget budget = new(1 << 30);
        Fanout fanout = new(_ledger, budget);
        fanout.SetOutputs([_worker!]);
        int padding = Math.Min(bytes / batches / PerBatch, OutputReceiver.LargestMessage / 2);
        int perBatch = padding == 0 ? PerBatch : Math.Max(PerBatch, bytes / batches / padding);
        for (int i = 0; i < batches; i++)
        {
            BatchBuilder batch = new();
            for (int record = 0; record < perBatch; record++)
            {
                bool large = oneTooLarge && i == batches / 2 && record == perBatch / 2;
                batch.Add($"number={_numbers};{new string('x', large ? OutputReceiver.LargestMessage * 2 : padding)}", offset: _numbers * 100L, sequence: _numbers);
                _numbers++;
            }

            _batches.Add(batch);
            fanout.Emit(batch.Build());
        }
    }

    private async Task AllAcknowledgedAsync()
    {
        await Until(() => _batches.TrueForAll(batch => batch.Completed is true), "every batch is acknowledged");
        OutputSnapshot counts = Counts;
        Assert.Equal(_numbers, counts.Acknowledged.Records);
        Assert.Equal(default, counts.InFlight);
        Assert.Equal(counts.Read, counts.Acknowledged + counts.LostTotal);
    }

    private async Task ArrivedAsync(OutputFault? fault = null)
    {
        List<int> numbers = [];
        bool Complete()
        {
            numbers = [.. _receiver!.Taken().Select(text => int.Parse(Number().Match(text).Groups[1].ValueSpan))];
            return numbers.Distinct().Count() == _numbers;
        }

        // A socket has taken them; their receiver may still be reading.
        await Until(Complete, "every record has arrived");
        if (_receiver!.NeverDoubles)
        {
            Assert.Equal(_numbers, numbers.Count);
        }

        if (_receiver.KeepsOrder(fault))
        {
            Assert.Equal(Enumerable.Range(0, _numbers), numbers.Distinct());
        }
    }
}
