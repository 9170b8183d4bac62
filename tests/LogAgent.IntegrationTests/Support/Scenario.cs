namespace LogAgent.IntegrationTests.Support;

/// <summary>What every scenario has: a directory, agents on it, and an end that leaves nothing running.</summary>
public abstract class Scenario : IAsyncLifetime
{
    private readonly Stack<IAsyncDisposable> _things = new();

    internal TempFolder Folder { get; } = new();

    /// <summary>The agent that was started last.</summary>
    internal AgentProcess? Agent { get; private set; }

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        var troubles = new List<Exception>();
        while (_things.TryPop(out IAsyncDisposable? thing))
        {
            try
            {
                await thing.DisposeAsync();
            }
            catch (Exception error)
            {
                troubles.Add(error);
            }
        }

        Folder.Dispose();
        if (troubles.Count > 0)
        {
            throw new AggregateException("The scenario could not be cleaned up.", troubles);
        }
    }

    /// <summary>Makes the end of the scenario dispose it, last come first.</summary>
    internal T Own<T>(T thing)
        where T : IAsyncDisposable
    {
        _things.Push(thing);
        return thing;
    }

    internal DockerTree NewTree()
    {
        var tree = new DockerTree(Folder["docker-root/."]);
        Own(new Owned(tree));
        return tree;
    }

    /// <summary>Starts the agent on the configuration; called again, another one on the same state.</summary>
    internal AgentProcess StartAgent(string yaml, int metricsPort = 0, string[]? wrapper = null)
    {
        string path = Folder["agent/logagent.yaml"];
        File.WriteAllText(path, yaml);
        Agent = Own(AgentProcess.Start(path, metricsPort, wrapper: wrapper));
        return Agent;
    }

    /// <summary>A configuration that follows a tree and ships to one output.</summary>
    /// <param name="output">Lines of the first and only item of outputs, without indentation.</param>
    /// <param name="more">Further top-level sections.</param>
    internal string TreeConfiguration(DockerTree tree, string output, string more = "", int metricsPort = 0) => $"""
        cluster: test-cluster
        host: test-host
        docker:
          discovery: files
          data_root: {tree.Root}
        state:
          directory: {StateDirectory}
        {Sections(more, metricsPort)}
        outputs:
        {Item(output)}
        """;

    /// <summary>A configuration that follows the test's containers of an engine.</summary>
    internal string EngineConfiguration(string socket, string prefix, string output, string more = "", int metricsPort = 0) => $"""
        cluster: test-cluster
        host: test-host
        docker:
          endpoint: unix://{socket}
          include:
            names: ["{prefix}*"]
        state:
          directory: {StateDirectory}
        {Sections(more, metricsPort)}
        outputs:
        {Item(output)}
        """;

    /// <summary>A configuration that follows the test's containers of an engine by its files alone.</summary>
    internal string FilesConfiguration(string dataRoot, string prefix, string output) => $"""
        cluster: test-cluster
        host: test-host
        docker:
          discovery: files
          data_root: {dataRoot}
          include:
            names: ["{prefix}*"]
        state:
          directory: {StateDirectory}
        {Sections("", 0)}
        outputs:
        {Item(output)}
        """;

    /// <summary>A configuration without Docker that reads files of the host.</summary>
    /// <param name="files">Lines of the items of the section files, without indentation.</param>
    internal string HostFilesConfiguration(string files, string output, string more = "", int metricsPort = 0) => $"""
        cluster: test-cluster
        host: test-host
        docker:
          discovery: none
        files:
        {string.Join('\n', files.Split('\n').Select(line => "  " + line))}
        state:
          directory: {StateDirectory}
        {Sections(more, metricsPort)}
        outputs:
        {Item(output)}
        """;

    internal string StateDirectory => Directory.CreateDirectory(Path.Combine(Folder.Path, "state")).FullName;

    internal static string Elasticsearch(params IEnumerable<string> urls) => $"""
        type: elasticsearch
        hosts: [{string.Join(", ", urls)}]
        """;

    /// <summary>Waits, and shows the end of the agent's log where it was in vain; ends at once where the agent has ended.</summary>
    internal Task WaitAsync(Func<bool> condition, string what, Func<string>? context = null) =>
        WaitAsync(() => Task.FromResult(condition()), what, context);

    internal Task WaitAsync(Func<Task<bool>> condition, string what, Func<string>? context = null) => Until.TrueAsync(
        async () =>
        {
            bool holds = await condition();
            if (!holds && Agent is { HasExited: true } agent)
            {
                Assert.Fail($"The agent ended by itself with {agent.ExitCode} while waiting for: {what}.{Environment.NewLine}{agent.LogTail}");
            }

            return holds;
        },
        what,
        () => $"{context?.Invoke()}{Environment.NewLine}{Agent?.LogTail}");

    /// <summary>Waits until everything that was written is stored.</summary>
    internal Task WaitForAllAsync(Sequences stored, Func<IReadOnlyDictionary<string, long>> written) => WaitAsync(
        () => stored.IsComplete(written()),
        "everything that was written has arrived",
        () => stored.Compare(written()));

    private static string Sections(string more, int metricsPort) => $"""
        metrics:
          listen: "{(metricsPort > 0 ? $"127.0.0.1:{metricsPort}" : "")}"
        {more}
        """;

    private static string Item(string output) =>
        string.Join('\n', output.Split('\n').Select((line, i) => (i == 0 ? "  - " : "    ") + line));

    private sealed class Owned(IDisposable thing) : IAsyncDisposable
    {
        public ValueTask DisposeAsync()
        {
            thing.Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
