using LogAgent.Tailing;
using LogAgent.Tailing.Checkpoints;

namespace LogAgent.Tests.Tailing;

public class SteadyStateTests
{
    [Theory]
    [InlineData(TailFormat.DockerJson)]
    [InlineData(TailFormat.PlainText)]
    public void No_record_costs_an_allocation(TailFormat format)
    {
        const int records = 40_000;
        using TailRig rig = new();
        long count = 0;
        using TailLoop loop = new(new TailOptions { CheckpointInterval = TimeSpan.FromHours(1) }, new CheckpointStore(Path.Combine(rig.Root, "own")), new MemoryBudget(64 << 20), rig.Clock, Take, _ => { });
        loop.Set(rig.Target(format));
        rig.AppendLines(0, records);
        Drain();
        rig.AppendLines(records, records);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Drain();
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.Equal(2 * records, count);
        Assert.True(allocated < 8 * records, $"{allocated} bytes for {records} records"); // an object has 24 at least

        void Take(LogBatch batch)
        {
            count += batch.Count;
            batch.Acknowledge();
        }

        void Drain()
        {
            while (loop.PollOnce().More)
            {
            }
        }
    }
}
