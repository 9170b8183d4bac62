using LogAgent.Delivery;
using LogAgent.Tests.Support;

namespace LogAgent.Tests.Delivery;

/// <summary>Invariants I1 and I4 under seeded random results: whatever a receiver does, the books balance and nothing is acknowledged before its time.</summary>
public class DeliveryModelTests
{
    [Theory]
    [InlineData(1, false)]
    [InlineData(4, false)]
    [InlineData(3, true)]
    public void Whatever_the_receiver_does_every_record_ends_once_and_every_batch_is_acknowledged_once(int concurrency, bool pipelined)
    {
        for (int seed = 1; seed <= 12; seed++)
        {
            try
            {
                Run(seed, concurrency, pipelined);
            }
            catch (Exception failure)
            {
                throw new InvalidOperationException($"With seed {seed}: {failure.Message}", failure);
            }
        }
    }

    private static void Run(int seed, int concurrency, bool pipelined)
    {
        Random random = new(seed);
        Dictionary<string, int> delivered = [];
        HashSet<string> rejected = [];
        List<(RecordGroup Group, TaskCompletionSource<SendResult> Send)> open = [];
        FaultyOutput output = new()
        {
            Limits = new() { GroupRecords = 7, GroupBytes = 300, GroupAge = TimeSpan.FromMilliseconds(500), MaxConcurrency = concurrency, Pipelined = pipelined },
        };
        output.Always((group, _) =>
        {
            open.Add((group, new()));
            return open[^1].Send.Task;
        });
        using WorkerRig rig = new(output);
        List<(BatchBuilder Batch, string[] Messages)> batches = [];
        int next = 0;
        for (int step = 0; step < 400 || open.Count > 0 || rig.Counts.InFlight.Records > 0; step++)
        {
            Assert.True(step < 4000, "It does not come to an end.");
            if (step < 300 && random.Next(3) == 0)
            {
                string[] messages = [.. Enumerable.Range(0, random.Next(0, 12)).Select(_ => $"{next++}-".PadRight(random.Next(5, 60), 'x'))];
                batches.Add((rig.Emit(messages), messages));
            }

            if (open.Count > 0 && random.Next(2) == 0)
            {
                int pick = random.Next(open.Count);
                (RecordGroup group, TaskCompletionSource<SendResult> send) = open[pick];
                open.RemoveAt(pick);
                Answer(random, step < 350, group, send, delivered, rejected);
            }

            Assert.True(output.UnderWay <= concurrency);
            rig.StepAfter(TimeSpan.FromMilliseconds(random.Next(0, 400)));
            foreach ((BatchBuilder batch, string[] messages) in batches)
            {
                Assert.True(batch.Completed is null || messages.All(message => delivered.ContainsKey(message) || rejected.Contains(message)), "A batch was acknowledged too early.");
            }
        }

        Assert.All(batches, one => Assert.True(one.Batch.Completed));
        Assert.Equal(next, delivered.Count + rejected.Count);
        Assert.All(delivered.Values, times => Assert.Equal(1, times));
        Assert.DoesNotContain(rejected, delivered.ContainsKey);
        OutputSnapshot counts = rig.Counts;
        Assert.Equal(next, counts.Read.Records);
        Assert.Equal(delivered.Count, counts.Acknowledged.Records);
        Assert.Equal(rejected.Count, counts.RejectedTotal.Records);
        if (concurrency == 1)
        {
            Assert.Equal([.. Enumerable.Range(0, next)], FirstOffers(output));
        }
    }

    /// <summary>Numbers of the records in the order in which they were first offered (invariant I2).</summary>
    private static int[] FirstOffers(FaultyOutput output) =>
        [.. output.Sends.SelectMany(send => send).Select(message => int.Parse(message.AsSpan(0, message.IndexOf('-')))).Distinct()];

    private static void Answer(Random random, bool trouble, RecordGroup group, TaskCompletionSource<SendResult> send, Dictionary<string, int> delivered, HashSet<string> rejected)
    {
        string[] messages = FaultyOutput.Messages(group);
        int kind = trouble ? random.Next(10) : 9;
        if (kind < 2)
        {
            send.SetException(new SendException((SendTrouble)random.Next(4), "No."));
            return;
        }

        if (kind == 2)
        {
            send.SetException(new IOException("Reset."));
            return;
        }

        if (kind == 3 && group.Count > 1)
        {
            send.SetResult(SendResult.TooLarge);
            return;
        }

        List<int> again = [];
        List<RejectedRecord> bad = [];
        for (int i = 0; i < messages.Length; i++)
        {
            int fate = kind < 7 ? random.Next(8) : 7;
            if (fate == 0)
            {
                again.Add(i);
            }
            else if (fate == 1 && random.Next(6) == 0)
            {
                bad.Add(new(i, "bad", "It is bad."));
                rejected.Add(messages[i]);
            }
            else
            {
                delivered[messages[i]] = delivered.GetValueOrDefault(messages[i]) + 1;
            }
        }

        send.SetResult(new() { Retry = again, Rejected = bad });
    }
}
