using LogAgent.Configuration;

namespace LogAgent.Containers;

/// <summary>Finds containers in the configured way, and hands them to <see cref="ContainerTargets"/>, for as long as the agent runs.</summary>
internal sealed class ContainerDiscovery
{
    private readonly DockerOptions _options;
    private readonly Func<string, string?> _environment;
    private readonly ContainerTargets _targets;
    private readonly TimeProvider _time;
    private readonly ILoggerFactory _loggers;
    private Func<bool> _isConnected = static () => true;

    /// <param name="environment">The value of an environment variable, or null.</param>
    public ContainerDiscovery(DockerOptions options, Func<string, string?> environment, ContainerTargets targets, TimeProvider time, ILoggerFactory loggers)
    {
        _options = options;
        _environment = environment;
        _targets = targets;
        _time = time;
        _loggers = loggers;
    }

    /// <summary>Whether containers can be found at the moment: the engine answers, or its files can be read. For the health page; any thread may ask.</summary>
    public bool IsConnected => _isConnected();

    /// <summary>Runs until cancelled, or returns at once where no containers are looked for.</summary>
    /// <exception cref="DockerException">The endpoint is in no form that is known.</exception>
    public async Task RunAsync(CancellationToken cancel)
    {
        switch (_options.Discovery)
        {
            case Discovery.Engine:
                using (DockerClient client = new(DockerEndpoint.From(_options, _environment), _time))
                {
                    ContainerWatcher watcher = new(client, _options, _targets.Changed, _targets.Destroyed, _time, _loggers.CreateLogger<ContainerWatcher>());
                    _isConnected = () => watcher.IsConnected;
                    await watcher.RunAsync(cancel);
                }

                break;
            case Discovery.Files:
                ContainerDirectoryWatcher files = new(_options, _targets.Changed, _targets.Destroyed, _time, _loggers.CreateLogger<ContainerDirectoryWatcher>());
                _isConnected = () => files.IsConnected;
                await files.RunAsync(cancel);
                break;
        }
    }
}
