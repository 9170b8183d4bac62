using System.Diagnostics;
using System.Globalization;

namespace LogAgent.Benchmarks;

/// <summary>The agent as a process pinned to one core, on a configuration of the benchmark. Disposing it kills it.</summary>
internal sealed class AgentRun : IDisposable
{
    private readonly Process _process;
    private readonly string _directory;
    private readonly int _metricsPort;

    private AgentRun(Process process, string directory, int metricsPort)
    {
        _process = process;
        _directory = directory;
        _metricsPort = metricsPort;
        Started = Stopwatch.GetTimestamp();
    }

    /// <summary>When it was started, as Stopwatch counts.</summary>
    public long Started { get; }

    public bool HasExited => _process.HasExited;

    /// <summary>Seconds of CPU that it has used, in user and kernel together.</summary>
    public double CpuSeconds
    {
        get
        {
            // /proc/PID/stat: pid (name) state ... utime and stime are the fields 14 and 15, in ticks of 10 ms.
            string stat = File.ReadAllText($"/proc/{_process.Id}/stat");
            string[] fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            return (long.Parse(fields[11], CultureInfo.InvariantCulture) + long.Parse(fields[12], CultureInfo.InvariantCulture)) / 100.0;
        }
    }

    public string Log => File.Exists(LogPath) ? string.Join('\n', File.ReadLines(LogPath).TakeLast(20)) : "";

    private string LogPath => Path.Combine(_directory, "agent.log");

    /// <param name="output">The lines of the output, the first without indentation.</param>
    public static AgentRun Start(Arguments arguments, LogTree tree, string output)
    {
        string directory = Directory.CreateTempSubdirectory("logagent-bench-agent-").FullName;
        int port = FreePort();
        string configuration = Path.Combine(directory, "logagent.yaml");
        File.WriteAllText(configuration, $"""
            cluster: bench
            docker:
              discovery: files
              data_root: {tree.Root}
            state:
              directory: {directory}/state
            metrics:
              listen: 127.0.0.1:{port}
            outputs:
              - {output.ReplaceLineEndings("\n    ")}
            {arguments.Yaml}
            """);
        string agent = arguments.Agent.Length > 0 ? arguments.Agent : Repository.Agent;
        int core = Environment.ProcessorCount - 1;
        string dotnet = Environment.ProcessPath is { } path && Path.GetFileName(path) == "dotnet" ? path : "dotnet";
        string[] command = agent.EndsWith(".dll", StringComparison.Ordinal) ? [dotnet, agent] : [agent];
        var start = new ProcessStartInfo("sh", ["-c", "log=$1; shift; exec taskset -c \"$@\" >\"$log\" 2>&1 </dev/null", "sh", Path.Combine(directory, "agent.log"), $"{core}", .. command, "run", "--config", configuration]);
        return new AgentRun(Process.Start(start)!, directory, port);
    }

    /// <summary>Peak or present resident memory, in MiB: VmHWM, VmRSS.</summary>
    public double MemoryMiB(string key)
    {
        string line = File.ReadLines($"/proc/{_process.Id}/status").First(line => line.StartsWith(key + ":", StringComparison.Ordinal));
        return long.Parse(new string([.. line.Where(char.IsAsciiDigit)]), CultureInfo.InvariantCulture) / 1024.0;
    }

    /// <summary>A metric of the agent, or null where it does not have it.</summary>
    public async Task<double?> MetricAsync(string name)
    {
        using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(5) };
        try
        {
            string text = await http.GetStringAsync(new Uri($"http://127.0.0.1:{_metricsPort}/metrics"));
            double[] values = [.. text.Split('\n').Where(line => line.StartsWith(name + " ", StringComparison.Ordinal) || line.StartsWith(name + "{", StringComparison.Ordinal)).Select(line => double.Parse(line[(line.LastIndexOf(' ') + 1)..], CultureInfo.InvariantCulture))];
            return values.Length > 0 ? values.Sum() : null;
        }
        catch (Exception error) when (error is HttpRequestException or TaskCanceledException)
        {
            return null;
        }
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
            _process.WaitForExit();
        }

        _process.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    private static int FreePort()
    {
        using var listener = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        listener.Start();
        return ((System.Net.IPEndPoint)listener.LocalEndpoint).Port;
    }
}
