using LogAgent.Configuration;

namespace LogAgent.Containers;

/// <summary>Finds containers in the configured way, and hands them to <see cref="ContainerTargets"/>, for as long as the agent runs.</summary>
internal sealed class ContainerDiscovery
{
    private readonly DockerOptions _options;
    private readonly Func<string, string?> _environment;
    private readonly ContainerTargets _targets;
    private readonly Sidecar? _sidecar;
    private readonly TimeProvider _time;
    private readonly ILoggerFactory _loggers;
    private Func<bool> _isConnected = static () => true;

    /// <param name="environment">The value of an environment variable, or null.</param>
    /// <param name="sidecar">
    /// Null where the agent is none. A sidecar whose configuration does not name docker.discovery reads no container's own log, and
    /// uses an engine only where there is one, to find out whose volumes it shares.
    /// </param>
    public ContainerDiscovery(DockerOptions options, Func<string, string?> environment, ContainerTargets targets, TimeProvider time, ILoggerFactory loggers, Sidecar? sidecar = null)
    {
        _sidecar = sidecar;
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
                DockerEndpoint endpoint = DockerEndpoint.From(_options, _environment);
                if (IsOnlySidecar && endpoint.SocketPath.Length > 0 && !File.Exists(endpoint.SocketPath))
                {
                    return;
                }

                using (DockerClient client = new(endpoint, _time))
                {
                    ContainerWatcher watcher = new(client, _options, Changed, Destroyed, _time, _loggers.CreateLogger<ContainerWatcher>());
                    _isConnected = () => watcher.IsConnected || IsOnlySidecar;
                    await watcher.RunAsync(cancel);
                }

                break;
            case Discovery.Files:
                ContainerDirectoryWatcher files = new(_options, Changed, Destroyed, _time, _loggers.CreateLogger<ContainerDirectoryWatcher>());
                _isConnected = () => files.IsConnected;
                await files.RunAsync(cancel);
                break;
        }
    }

    private bool IsOnlySidecar => _sidecar is not null && !_options.DiscoveryIsSet;

    private void Changed(ContainerInfo container)
    {
        if (!IsOnlySidecar)
        {
            _targets.Changed(container);
        }

        _sidecar?.Changed(container);
    }

    private void Destroyed(string id)
    {
        _targets.Destroyed(id);
        _sidecar?.Destroyed(id);
    }
}
