using System.Collections.Concurrent;

namespace LogAgent.IntegrationTests.Support;

/// <summary>
/// A Docker engine through its command line. Every container that a test starts has the test's prefix, and is removed with the
/// engine's object, whatever became of the test.
/// </summary>
internal sealed class DockerEngine : IAsyncDisposable
{
    private readonly Dictionary<string, string> _environment;
    private readonly ConcurrentDictionary<string, bool> _volumes = new();

    private DockerEngine(string socket)
    {
        Socket = socket;
        _environment = new() { ["DOCKER_HOST"] = "unix://" + socket };
    }

    public string Socket { get; }

    /// <summary>Start of the names of this test's containers.</summary>
    public string Prefix { get; } = "lat" + Guid.NewGuid().ToString("N")[..8];

    public string DataRoot { get; private set; } = "";

    private string Label => "logagent.test=" + Prefix;

    public static async Task<DockerEngine> ConnectAsync(string socket = "/var/run/docker.sock")
    {
        var engine = new DockerEngine(socket);
        engine.DataRoot = await engine.RunAsync("info", "--format", "{{.DockerRootDir}}");
        await BusyboxImage.EnsureAsync(engine.TryAsync);
        return engine;
    }

    public Task<ShellResult> TryAsync(params string[] arguments) => Shell.TryAsync("docker", arguments, _environment);

    public async Task<string> RunAsync(params string[] arguments) => (await TryAsync(arguments)).Text("docker " + string.Join(' ', arguments));

    /// <summary>docker run with the test's name and label and without a network; gives what docker prints (with -d the id).</summary>
    /// <param name="name">The container's name after the prefix.</param>
    public Task<string> StartAsync(string name, string[] options, params string[] command) =>
        RunAsync(["run", .. options, "--name", Prefix + name, "--label", Label, "--network", "none", "--stop-timeout", "1", BusyboxImage.Name, .. command]);

    /// <summary>A shell loop that writes the oracle's lines: numbers from 0 to count - 1.</summary>
    public static string[] Count(string source, int count, string after = "") =>
        ["sh", "-c", $"i=0; while [ $i -lt {count} ]; do echo \"seq source={source} n=$i from a container\"; i=$((i+1)); done; {after}"];

    public async Task<string> VolumeAsync(string name)
    {
        string volume = Prefix + name;
        await RunAsync("volume", "create", "--label", Label, volume);
        _volumes[volume] = true;
        return volume;
    }

    public async ValueTask DisposeAsync()
    {
        ShellResult list = await TryAsync("ps", "--all", "--quiet", "--filter", "label=" + Label);
        string[] ids = list.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        if (ids.Length > 0)
        {
            await TryAsync(["rm", "--force", "--volumes", .. ids]);
        }

        foreach (string volume in _volumes.Keys)
        {
            await TryAsync("volume", "rm", "--force", volume);
        }
    }
}
