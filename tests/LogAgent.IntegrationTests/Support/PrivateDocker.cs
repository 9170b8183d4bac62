using System.ComponentModel;
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

    /// <summary>SIGKILL, to its containerd too (a new dockerd would wait for one that is dying): its containers and its socket file stay.</summary>
    public async Task KillAsync()
    {
        await EndAsync(Signal.Kill);
        await EndProcessesAsync("containerd.toml", Signal.Kill);

        // Where nobody reaps it, the dead containerd stays a zombie, and the next dockerd would take it for alive.
        File.Delete(Path.Combine(folder, "exec", "containerd", "containerd.pid"));
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
        {
            await StopAsync();
        }

        // containerd and the shims that a killed dockerd has left behind.
        await EndProcessesAsync("", Signal.Kill);
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

    // They are known by the directory in their command lines.
    private async Task EndProcessesAsync(string mark, Signal signal)
    {
        for (int attempt = 0; attempt < 200 && ProcessesOfFolder(mark) is { Length: > 0 } ids; attempt++)
        {
            foreach (int id in ids)
            {
                try
                {
                    Signals.Send(id, signal);
                }
                catch (Win32Exception)
                {
                    // It has ended in between.
                }
            }

            await Until.PauseAsync();
        }
    }

    private int[] ProcessesOfFolder(string mark)
    {
        var found = new List<int>();
        foreach (string directory in Directory.GetDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(directory), out int id) && id != Environment.ProcessId
                && CommandLine(id) is string line && line.Contains(folder + "/", StringComparison.Ordinal) && line.Contains(mark, StringComparison.Ordinal))
            {
                found.Add(id);
            }
        }

        return [.. found];
    }

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
