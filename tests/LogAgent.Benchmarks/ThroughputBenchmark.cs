using System.Diagnostics;

namespace LogAgent.Benchmarks;

/// <summary>Figures of one run.</summary>
internal sealed record ThroughputResult(double Seconds, double SecondsWithStart, double CpuSeconds, double PeakMiB, double? AllocatedBytes, double WireMiB);

/// <summary>How fast the whole process ships a tree of logs that lies in the page cache.</summary>
internal static class ThroughputBenchmark
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(10);

    public static async Task<int> RunAsync(Arguments arguments)
    {
        // The sink has the first core, the agent the last.
        if (OperatingSystem.IsLinux() && Environment.ProcessorCount > 1)
        {
            using Process self = Process.GetCurrentProcess();
            self.ProcessorAffinity = 1;
        }

        Console.WriteLine($"records of {LogTree.LineBytes} bytes a line, one core for the agent, median of {arguments.Runs} runs, {(arguments.Kafka ? "to Kafka" : arguments.Gzip ? "gzip bodies" : "plain bodies")}");
        Console.WriteLine("   files     records   records/s  with start  records/CPU-s   MiB/s  peak RSS MiB  bytes alloc./record  of a plain copy");
        foreach (int files in arguments.Sweep ? [1, 10, 100, 1000] : new[] { arguments.Files })
        {
            if (!await MeasureAsync(arguments, files))
            {
                return 1;
            }
        }

        return 0;
    }

    private static async Task<bool> MeasureAsync(Arguments arguments, int files)
    {
        using LogTree tree = LogTree.Create(arguments.Size, files);
        using KafkaTarget? kafka = arguments.Kafka ? await KafkaTarget.StartAsync() : null;
        var results = new List<ThroughputResult>();
        double copySeconds = 0;
        for (int run = 0; run < arguments.Runs; run++)
        {
            tree.WarmPageCache();
            ThroughputResult? result = kafka is null ? await RunOnceAsync(arguments, tree) : await kafka.RunOnceAsync(arguments, tree, Limit);
            if (result is null)
            {
                return false;
            }

            results.Add(result);
        }

        if (kafka is null)
        {
            copySeconds = Enumerable.Range(0, arguments.Runs).Select(_ => Copy(tree)).Order().ElementAt(arguments.Runs / 2);
        }

        double seconds = Median(results, result => result.Seconds);
        double? allocated = results[0].AllocatedBytes is null ? null : Median(results, result => result.AllocatedBytes ?? 0) / tree.Records;
        Console.WriteLine(
            $"{files,8}  {tree.Records,10}  {tree.Records / seconds,10:0}  {tree.Records / Median(results, result => result.SecondsWithStart),10:0}  {tree.Records / Median(results, result => result.CpuSeconds),13:0}"
            + $"  {tree.Bytes / 1048576.0 / seconds,6:0}  {Median(results, result => result.PeakMiB),12:0.0}  {(allocated is null ? "-" : $"{allocated:0.00}"),19}  {(copySeconds > 0 ? $"{100 * copySeconds / seconds:0} %" : "-"),15}");
        return true;
    }

    private static async Task<ThroughputResult?> RunOnceAsync(Arguments arguments, LogTree tree)
    {
        using var sink = new BulkSink();
        sink.Expect(tree.Records);
        using AgentRun agent = AgentRun.Start(arguments, tree, $"""
            type: elasticsearch
            hosts: [http://127.0.0.1:{sink.Port}]
            compression: {(arguments.Gzip ? "gzip" : "none")}
            """);
        var clock = Stopwatch.StartNew();
        while (!sink.Wait(TimeSpan.FromMilliseconds(500)))
        {
            if (agent.HasExited || clock.Elapsed > Limit)
            {
                Console.Error.WriteLine($"{sink.Documents} of {tree.Records} records arrived, then {(agent.HasExited ? "the agent ended" : "nothing more in time")}:\n{agent.Log}");
                return null;
            }
        }

        double cpu = agent.CpuSeconds;
        return new ThroughputResult(
            sink.Elapsed.TotalSeconds,
            Stopwatch.GetElapsedTime(agent.Started, sink.LastTimestamp).TotalSeconds,
            cpu,
            agent.MemoryMiB("VmHWM"),
            await agent.MetricAsync("dotnet_gc_allocated_bytes_total"),
            sink.Bytes / 1048576.0);
    }

    private static double Copy(LogTree tree)
    {
        using var sink = new BulkSink();
        sink.Expect(tree.Records / 2);
        string list = Path.Combine(tree.Root, "logs.txt");
        File.WriteAllLines(list, tree.Logs);
        using Process copy = Process.Start("taskset", ["-c", $"{Environment.ProcessorCount - 1}", "dotnet", typeof(ThroughputBenchmark).Assembly.Location, "reference", list, $"{sink.Port}"])!;
        sink.Wait(Limit);
        copy.WaitForExit();
        return sink.Elapsed.TotalSeconds;
    }

    private static double Median(List<ThroughputResult> results, Func<ThroughputResult, double> figure) =>
        results.Select(figure).Order().ElementAt(results.Count / 2);
}
