using System.Diagnostics;

namespace LogAgent.Benchmarks;

/// <summary>What the agent costs while nothing happens: 100 files, all of them shipped.</summary>
internal static class IdleBenchmark
{
    public static async Task<int> RunAsync(Arguments arguments)
    {
        int files = arguments.Files == 10 ? 100 : arguments.Files;
        using LogTree tree = LogTree.Create(files * 100L * LogTree.LineBytes, files);
        using var sink = new BulkSink();
        sink.Expect(tree.Records);
        using AgentRun agent = AgentRun.Start(arguments, tree, $"""
            type: elasticsearch
            hosts: [http://127.0.0.1:{sink.Port}]
            """);
        if (!sink.Wait(TimeSpan.FromMinutes(2)))
        {
            Console.Error.WriteLine($"{sink.Documents} of {tree.Records} records arrived:\n{agent.Log}");
            return 1;
        }

        // The runtime compiles what turned out to be hot while it started; that is the cost of a start.
        await Task.Delay(TimeSpan.FromSeconds(arguments.Settle), TimeProvider.System);
        double start = agent.CpuSeconds;
        var clock = Stopwatch.StartNew();
        await Task.Delay(TimeSpan.FromSeconds(arguments.Seconds), TimeProvider.System);
        double share = (agent.CpuSeconds - start) / clock.Elapsed.TotalSeconds;
        Console.WriteLine($"{files} idle files, {clock.Elapsed.TotalSeconds:0} s: {100 * share:0.00} % of a core after a start of {start:0.0} CPU s, RSS {agent.MemoryMiB("VmRSS"):0.0} MiB, peak {agent.MemoryMiB("VmHWM"):0.0} MiB");
        return 0;
    }
}
