using LogAgent.Configuration;
using LogAgent.Delivery;
using LogAgent.Outputs;
using LogAgent.Outputs.Kafka;
using LogAgent.Tailing;
using Microsoft.Extensions.Logging.Abstractions;

namespace LogAgent.Tests;

public class RunningOutputsTests
{
    [Fact]
    public async Task An_output_with_a_queue_that_a_reload_adds_gets_what_the_others_left_of_half_of_the_memory()
    {
        RunningOutputs outputs = Outputs(out MemoryBudget budget);
        List<OutputSection> sections = [];
        for (int i = 0; i < 5; i++)
        {
            sections.Add(Kafka($"kafka{i}"));
            outputs.Set(sections, TimeSpan.Zero);
            Assert.Equal((32 + i) << 20, budget.Reserved); // one MiB is the least
        }

        outputs.Set([sections[4]], TimeSpan.Zero);
        await outputs.StopAsync(default);
        Assert.Equal(1 << 20, budget.Reserved);
    }

    [Fact]
    public async Task Outputs_with_queues_that_start_together_share_half_of_the_memory()
    {
        RunningOutputs outputs = Outputs(out MemoryBudget budget);
        outputs.Set([Kafka("a"), Kafka("b")], TimeSpan.Zero);
        Assert.Equal(32 << 20, budget.Reserved);

        outputs.Set([Kafka("a")], TimeSpan.Zero);
        await outputs.StopAsync(default);
        Assert.Equal(16 << 20, budget.Reserved);
    }

    private static RunningOutputs Outputs(out MemoryBudget budget)
    {
        budget = new MemoryBudget(64 << 20);
        Ledger ledger = new();
        DocumentEncoder documents = new(Schema.Ecs);
        DeadLetters deadLetters = new("/nowhere", new DeadLetterOptions(), documents, ledger, TimeProvider.System, NullLogger.Instance);
        return new(documents, new Fanout(ledger, budget), ledger, budget, deadLetters, TimeProvider.System, NullLoggerFactory.Instance);
    }

    private static OutputSection Kafka(string name) => new()
    {
        Type = OutputType.Kafka,
        Name = name,
        Options = new KafkaOptions { Brokers = ["127.0.0.1:1"], QueueMemory = 1 << 30 },
    };
}
