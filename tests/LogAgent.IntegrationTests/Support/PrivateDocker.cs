using System.Diagnostics;

namespace LogAgent.IntegrationTests.Support;

/// <summary>
/// A dockerd of the test's own, to be stopped, killed and started again: in its own network namespace, so that it cannot touch
/// the bridge of another one, with its own socket and data root. Its containers have no network.
/// </summary>
internal sealed class PrivateDocker(string folder) : IAsyncDisposable
{
    private Process? _process;

    public string Socket => Path.Combine(folder, "docker.sock");

    public string DataRoot => Path.Combine(folder, "docker");

    private string LogFile => Path.Combine(folder, "dockerd.log");

    /// <summary>Starts it, and returns when it answers.</summary>
    public async Task StartAsync()
    {
        Directory.CreateDirectory(folder);
        string command = "PATH=$PATH:/usr/sbin:/sbin; exec unshare --net dockerd --host \"unix://$1/docker.sock\" --data-root \"$1/docker\" --exec-root \"$1/exec\""
            + " --pidfile \"$1/dockerd.pid\" --bridge=none --iptables=false >>\"$1/dockerd.log\" 2>&1 </dev/null";
        _process = Process.Start(new ProcessStartInfo("sh", ["-c", command, "sh", folder])) ?? throw new InvalidOperationException("dockerd did not start.");
        var environment = new Dictionary<string, string> { ["DOCKER_HOST"] = "unix://" + Socket };
        await Until.TrueAsync(
            async () =>
            {
                Assert.False(_process.HasExited, "dockerd has ended: " + LogEnd());
                return (await Shell.TryAsync("docker", ["version"], environment)).ExitCode == 0;
            },
            "dockerd answers",
            LogEnd);
    }

    /// <summary>SIGTERM: it stops its containers and ends.</summary>
    public Task StopAsync() => EndAsync(Signal.Term);

    /// <summary>SIGKILL: its containers and its socket file stay.</summary>
    public Task KillAsync() => EndAsync(Signal.Kill);

    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
        {
            await StopAsync();
        }

        // containerd and the shims that a killed dockerd has left behind, known by the directory in their command lines.
        for (int attempt = 0; attempt < 50 && ProcessesOfFolder() is { Length: > 0 } ids; attempt++)
        {
            foreach (int id in ids)
            {
                try
                {
                    Signals.Send(id, attempt < 20 ? Signal.Term : Signal.Kill);
                }
                catch (System.ComponentModel.Win32Exception)
                {
                    // It has ended in between.
                }
            }

            await Until.PauseAsync();
        }

        foreach (string mount in File.ReadLines("/proc/mounts").Select(line => line.Split(' ')[1]).Where(path => path.StartsWith(folder + "/", StringComparison.Ordinal)).OrderDescending(StringComparer.Ordinal).ToArray())
        {
            await Shell.TryAsync("umount", ["-l", mount]);
        }
    }

    private async Task EndAsync(Signal signal)
    {
        if (_process is null)
        {
            return;
        }

        if (!_process.HasExited)
        {
            Signals.Send(_process.Id, signal);
        }

        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        try
        {
            await _process.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            _process.Kill();
            await _process.WaitForExitAsync();
        }

        _process.Dispose();
        _process = null;
    }

    private int[] ProcessesOfFolder() =>
        [.. Directory.GetDirectories("/proc").Select(Path.GetFileName).Where(name => int.TryParse(name, out int id) && id != Environment.ProcessId && CommandLine(id).Contains(folder, StringComparison.Ordinal)).Select(name => int.Parse(name!, System.Globalization.CultureInfo.InvariantCulture))];

    private static string CommandLine(int id)
    {
        try
        {
            return File.ReadAllText($"/proc/{id}/cmdline");
        }
        catch (IOException)
        {
            return "";
        }
        catch (UnauthorizedAccessException)
        {
            return "";
        }
    }

    private string LogEnd() => File.Exists(LogFile) ? string.Join('\n', File.ReadLines(LogFile).TakeLast(10)) : "";
}
