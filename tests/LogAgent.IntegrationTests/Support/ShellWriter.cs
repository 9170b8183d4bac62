using System.Diagnostics;
using System.Globalization;

namespace LogAgent.IntegrationTests.Support;

/// <summary>
/// A process that appends the oracle's lines to a file until it is told to end. As daemons do, it opens its file anew on SIGHUP and
/// goes on writing to the old one until then.
/// </summary>
internal sealed class ShellWriter : IAsyncDisposable
{
    // The count is what the shell wrote in full: a signal is obeyed between two commands.
    private const string Script = """
        exec 3>>"$1"
        trap 'exec 3>>"$1"' HUP
        stop=
        trap 'stop=1' TERM
        echo ready
        i=0
        while [ -z "$stop" ]; do
          n=0
          while [ $n -lt 10 ]; do echo "seq source=$2 n=$i and some words of an application" >&3; i=$((i+1)); n=$((n+1)); done
          sleep 0.02
        done
        echo $i
        """;

    private readonly Process _process;
    private readonly string _pidFile;

    private ShellWriter(Process process, string source, string pidFile)
    {
        _process = process;
        _pidFile = pidFile;
        Source = source;
    }

    public string Source { get; }

    /// <summary>Starts it; it has its file open and writes its process id beside it, in FILE.pid, when this returns.</summary>
    public static async Task<ShellWriter> StartAsync(string file, string source)
    {
        var start = new ProcessStartInfo("sh", ["-c", Script, "sh", file, source]) { RedirectStandardOutput = true, RedirectStandardInput = true };
        Process process = Process.Start(start) ?? throw new InvalidOperationException("sh did not start.");
        process.StandardInput.Close();
        Assert.Equal("ready", await process.StandardOutput.ReadLineAsync());
        string pidFile = file + ".pid";
        await File.WriteAllTextAsync(pidFile, process.Id.ToString(CultureInfo.InvariantCulture) + "\n");
        return new ShellWriter(process, source, pidFile);
    }

    /// <summary>Ends it and gives how many lines it wrote.</summary>
    public async Task<long> StopAsync()
    {
        Signals.Send(_process.Id, Signal.Term);
        string count = await _process.StandardOutput.ReadToEndAsync();
        await _process.WaitForExitAsync();
        File.Delete(_pidFile);
        return long.Parse(count, CultureInfo.InvariantCulture);
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
            await _process.WaitForExitAsync();
        }

        _process.Dispose();
    }
}
