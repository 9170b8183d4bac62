using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace LogAgent.IntegrationTests.Support;

/// <summary>The real agent as a process of its own, on a configuration file. Disposing it kills it.</summary>
internal sealed class AgentProcess : IAsyncDisposable
{
    private static readonly HttpClient Http = new() { Timeout = TimeSpan.FromSeconds(10) };

    private readonly Process _process;
    private readonly StringBuilder _log = new();
    private readonly int _metricsPort;

    private AgentProcess(Process process, int metricsPort)
    {
        _process = process;
        _metricsPort = metricsPort;
        process.OutputDataReceived += (_, line) => Add(line.Data);
        process.ErrorDataReceived += (_, line) => Add(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    public int Id => _process.Id;

    public bool HasExited => _process.HasExited;

    public int ExitCode => _process.ExitCode;

    /// <summary>What it wrote to stdout and stderr so far.</summary>
    public string Log
    {
        get
        {
            lock (_log)
            {
                return _log.ToString();
            }
        }
    }

    /// <summary>The end of the log, for a failure.</summary>
    public string LogTail => Log is { Length: > 6000 } log ? log[^6000..] : Log;

    /// <param name="configuration">Path of a configuration file.</param>
    /// <param name="metricsPort">Where the configuration makes it listen, or 0.</param>
    /// <param name="wrapper">A command in front of it that ends in exec, as "prlimit --nofile=64".</param>
    public static AgentProcess Start(string configuration, int metricsPort = 0, IReadOnlyDictionary<string, string>? environment = null, string[]? wrapper = null)
    {
        Assert.True(File.Exists(Repository.AgentCommand[^1]), $"{Repository.AgentCommand[^1]} is not built.");
        string[] command = [.. wrapper ?? [], .. Repository.AgentCommand, "run", "--config", configuration];
        var start = new ProcessStartInfo(command[0], command[1..])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
            WorkingDirectory = Path.GetDirectoryName(configuration),
        };
        // As its packages run it; one that is killed leaves no sockets of the runtime in /tmp then.
        start.Environment["DOTNET_EnableDiagnostics"] = "0";
        foreach ((string name, string value) in environment ?? new Dictionary<string, string>())
        {
            start.Environment[name] = value;
        }

        Process process = Process.Start(start) ?? throw new InvalidOperationException("The agent did not start.");
        process.StandardInput.Close();
        return new AgentProcess(process, metricsPort);
    }

    /// <summary>Ends it as the kernel's OOM killer would: at once, with no last word.</summary>
    public async Task KillAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
        }

        await WaitForExitAsync(Until.Deadline);
    }

    /// <summary>SIGTERM, and the exit code.</summary>
    public async Task<int> StopAsync()
    {
        SignalIt(Signal.Term);
        await WaitForExitAsync(Until.Deadline);
        return _process.ExitCode;
    }

    public void SignalIt(Signal signal)
    {
        if (!_process.HasExited)
        {
            Signals.Send(_process.Id, signal);
        }
    }

    /// <summary>SIGSTOP, and back when every thread stands still: what is under way in the kernel may end after the signal was sent.</summary>
    public async Task FreezeAsync()
    {
        SignalIt(Signal.Stop);
        await Until.TrueAsync(() => _process.HasExited || Signals.IsStopped(Id), "every thread of the agent stands still");
    }

    public async Task WaitForExitAsync(TimeSpan deadline)
    {
        using var limit = new CancellationTokenSource(deadline);
        try
        {
            await _process.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            Assert.Fail($"The agent did not end within {deadline.TotalSeconds:0} s.{Environment.NewLine}{LogTail}");
        }
    }

    /// <summary>Sum of all series of a metric; 0 where it has none yet or the agent does not answer yet.</summary>
    public async Task<double> MetricAsync(string name)
    {
        double sum = 0;
        foreach (string line in (await MetricsTextAsync()).Split('\n'))
        {
            int end = line.IndexOfAny(['{', ' ']);
            if (end > 0 && line[..end] == name && double.TryParse(line[(line.LastIndexOf(' ') + 1)..], CultureInfo.InvariantCulture, out double value))
            {
                sum += value;
            }
        }

        return sum;
    }

    public async Task<string> MetricsTextAsync()
    {
        try
        {
            return await Http.GetStringAsync(new Uri($"http://127.0.0.1:{_metricsPort}/metrics"));
        }
        catch (HttpRequestException)
        {
            return "";
        }
    }

    /// <summary>A value of /proc/PID/status in KiB: VmRSS, VmHWM.</summary>
    public long MemoryKiB(string key)
    {
        string line = File.ReadLines($"/proc/{Id}/status").First(line => line.StartsWith(key + ":", StringComparison.Ordinal));
        return long.Parse(new string([.. line.Where(char.IsAsciiDigit)]), CultureInfo.InvariantCulture);
    }

    /// <summary>True while it holds a file open whose path has this in it.</summary>
    public bool HasOpen(string partOfPath) => OpenPaths().Any(path => path.Contains(partOfPath, StringComparison.Ordinal));

    /// <summary>How many files it holds open whose paths have this in them.</summary>
    public int CountOpen(string partOfPath) => OpenPaths().Count(path => path.Contains(partOfPath, StringComparison.Ordinal));

    /// <summary>How many containers' logs it holds open, removed ones included.</summary>
    public int OpenLogs() => OpenPaths().Count(path => path.Contains("-json.log", StringComparison.Ordinal));

    public int OpenHandles() => Directory.GetFileSystemEntries($"/proc/{Id}/fd").Length;

    /// <summary>Over all its inotify instances.</summary>
    public int InotifyWatches() =>
        Directory.GetFiles($"/proc/{Id}/fdinfo").Sum(file => LinesOf(file).Count(line => line.StartsWith("inotify ", StringComparison.Ordinal)));

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
            await _process.WaitForExitAsync();
        }

        _process.Dispose();
    }

    /// <summary>None where the handle was closed after it was listed.</summary>
    private static string[] LinesOf(string file)
    {
        try
        {
            return File.ReadAllLines(file);
        }
        catch (IOException)
        {
            return [];
        }
    }

    private IEnumerable<string> OpenPaths()
    {
        foreach (string link in Directory.GetFileSystemEntries($"/proc/{Id}/fd"))
        {
            string? target = null;
            try
            {
                target = new FileInfo(link).LinkTarget;
            }
            catch (IOException)
            {
                // Closed in between.
            }

            if (target is not null)
            {
                yield return target;
            }
        }
    }

    private void Add(string? line)
    {
        if (line is not null)
        {
            lock (_log)
            {
                _log.AppendLine(line);
            }
        }
    }
}
