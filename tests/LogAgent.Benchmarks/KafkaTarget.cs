using System.Diagnostics;
using System.Globalization;

namespace LogAgent.Benchmarks;

/// <summary>One broker of the script that LOGAGENT_TEST_KAFKA names; what it holds is asked with kcat. Disposing it ends the broker.</summary>
internal sealed class KafkaTarget : IDisposable
{
    private readonly string _script;
    private readonly string _directory;
    private readonly string _broker;
    private int _run;

    private KafkaTarget(string script, string directory, string broker)
    {
        _script = script;
        _directory = directory;
        _broker = broker;
    }

    public static async Task<KafkaTarget> StartAsync()
    {
        string script = Environment.GetEnvironmentVariable("LOGAGENT_TEST_KAFKA") ?? throw new InvalidOperationException("LOGAGENT_TEST_KAFKA names no script that starts a Kafka.");
        string directory = Directory.CreateTempSubdirectory("logagent-bench-kafka-").FullName;
        const int Port = 19092;
        int cores = Math.Max(1, Environment.ProcessorCount - 1); // the last one is the agent's
        await OutputOfAsync("taskset", "-c", $"0-{cores - 1}", script, "start", directory, "--port", $"{Port}");
        return new KafkaTarget(script, directory, $"127.0.0.1:{Port}");
    }

    public async Task<ThroughputResult?> RunOnceAsync(Arguments arguments, LogTree tree, TimeSpan limit)
    {
        string topic = $"bench{++_run}";
        await OutputOfAsync("sh", "-c", $"echo first | kcat -P -b {_broker} -t {topic}");
        using AgentRun agent = AgentRun.Start(arguments, tree, $"""
            type: kafka
            brokers: [{_broker}]
            topic: {topic}
            """);
        long first = 0;
        while (true)
        {
            // Asking costs the broker's core as much as taking a batch does.
            await Task.Delay(TimeSpan.FromMilliseconds(200), TimeProvider.System);
            long records = await RecordsAsync(topic) - 1;
            first = records > 0 && first == 0 ? Stopwatch.GetTimestamp() : first;
            if (records >= tree.Records)
            {
                break;
            }

            if (agent.HasExited || Stopwatch.GetElapsedTime(agent.Started) > limit)
            {
                Console.Error.WriteLine($"{records} of {tree.Records} records arrived:\n{agent.Log}");
                return null;
            }
        }

        long last = Stopwatch.GetTimestamp();
        return new ThroughputResult(
            Stopwatch.GetElapsedTime(first, last).TotalSeconds,
            Stopwatch.GetElapsedTime(agent.Started, last).TotalSeconds,
            agent.CpuSeconds,
            agent.MemoryMiB("VmHWM"),
            await agent.MetricAsync("dotnet_gc_allocated_bytes_total"),
            0);
    }

    public void Dispose()
    {
        using (Process stop = Process.Start(_script, ["stop", _directory]))
        {
            stop.WaitForExit();
        }

        Directory.Delete(_directory, recursive: true);
    }

    private async Task<long> RecordsAsync(string topic)
    {
        // "topic [partition] offset N", a line a partition.
        string answer = await OutputOfAsync("sh", "-c", $"kcat -Q -b {_broker} -t {topic}:0:-1 -t {topic}:1:-1 -t {topic}:2:-1");
        return answer.Split('\n', StringSplitOptions.RemoveEmptyEntries).Sum(line => long.Parse(line[(line.LastIndexOf(' ') + 1)..], CultureInfo.InvariantCulture));
    }

    private static async Task<string> OutputOfAsync(string file, params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(file, arguments) { RedirectStandardOutput = true })!;
        string output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return process.ExitCode == 0 ? output : throw new InvalidOperationException($"{file} {string.Join(' ', arguments)} ended with {process.ExitCode}.");
    }
}
