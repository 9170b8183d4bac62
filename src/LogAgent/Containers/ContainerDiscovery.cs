using LogAgent.Configuration;

namespace LogAgent.Containers;

/// <summary>Finds containers in the configured way, and hands them to <see cref="ContainerTargets"/>, for as long as the agent runs.</summary>
internal sealed partial class ContainerDiscovery
{
    /// <summary>Why nothing of a container could be had.</summary>
    public const string GoneTooSoon = "gone_before_opened";

    private readonly DockerOptions _options;
    private readonly Func<string, string?> _environment;
    private readonly ContainerTargets _targets;
    private readonly Sidecar? _sidecar;
    private readonly TimeProvider _time;
    private readonly ILoggerFactory _loggers;
    private readonly Func<string, bool> _hold;
    private readonly Action<string> _missed;
    private readonly ILogger _logger;
    private readonly RepeatedTrouble _missedTrouble;
    private Func<bool> _isConnected = static () => true;

    /// <param name="hold">Opens the file at a path at once and keeps it for its target: the tail loop's Hold.</param>
    /// <param name="missed">A container has written, and nothing of it could be had: the reason.</param>
    /// <param name="environment">The value of an environment variable, or null.</param>
    /// <param name="sidecar">
    /// Null where the agent is none. A sidecar whose configuration does not name docker.discovery reads no container's own log, and
    /// uses an engine only where there is one, to find out whose volumes it shares.
    /// </param>
    public ContainerDiscovery(DockerOptions options, Func<string, string?> environment, ContainerTargets targets, Func<string, bool> hold, Action<string> missed, TimeProvider time, ILoggerFactory loggers, Sidecar? sidecar = null)
    {
        _sidecar = sidecar;
        _options = options;
        _environment = environment;
        _targets = targets;
        _hold = hold;
        _missed = missed;
        _time = time;
        _loggers = loggers;
        _logger = loggers.CreateLogger<ContainerDiscovery>();
        _missedTrouble = new RepeatedTrouble(time);
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
                    TaskCompletionSource<string> dataRoot = new(TaskCreationOptions.RunContinuationsAsynchronously);
                    NewContainers? caught = null;
                    ContainerWatcher watcher = new(client, _options, Changed, Destroyed, _time, _loggers.CreateLogger<ContainerWatcher>())
                    {
                        DataRootKnown = root => dataRoot.TrySetResult(root),
                        Hold = path => !IsOnlySidecar && _hold(path),
                        IsCaught = id => Volatile.Read(ref caught)?.IsCaught(id) ?? false,
                        Missed = Missed,
                    };
                    _isConnected = () => watcher.IsConnected || IsOnlySidecar;
                    await AllAsync(cancel, watcher.RunAsync, async end =>
                    {
                        string root = await dataRoot.Task.WaitAsync(end);
                        if (!IsOnlySidecar)
                        {
                            // Events say who was missed.
                            using NewContainers containers = Catching(new ContainerDirectory(root, _options.HostRoot), static _ => { });
                            Volatile.Write(ref caught, containers);
                            await containers.RunAsync(end);
                        }
                    });
                }

                break;
            case Discovery.Files:
                ContainerDirectoryWatcher files = new(_options, Changed, Destroyed, _time, _loggers.CreateLogger<ContainerDirectoryWatcher>());
                _isConnected = () => files.IsConnected;
                using (NewContainers containers = Catching(files.Containers, id => Missed(GoneTooSoon, id)))
                {
                    await AllAsync(cancel, files.RunAsync, containers.RunAsync);
                }

                break;
        }
    }

    private void Missed(string reason, string container)
    {
        _missed(reason);
        if (_missedTrouble.IsDue(reason))
        {
            LogMissed(container);
        }
    }

    private NewContainers Catching(ContainerDirectory directory, Action<string> missed) =>
        new(directory, _hold, Changed, Destroyed, missed, _loggers.CreateLogger<NewContainers>());

    /// <summary>Runs them all until they are cancelled, or until one fails; then the others are ended, too.</summary>
    private static async Task AllAsync(CancellationToken cancel, params Func<CancellationToken, Task>[] loops)
    {
        using CancellationTokenSource end = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        Task[] running = [.. loops.Select(loop => loop(end.Token))];
        List<Task> open = [.. running];
        while (open.Count > 0)
        {
            Task ended = await Task.WhenAny(open).ConfigureAwait(false);
            open.Remove(ended);
            if (ended.IsFaulted)
            {
                await end.CancelAsync();
            }
        }

        await Task.WhenAll(running.Where(task => !task.IsCanceled));
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

    [LoggerMessage(LogLevel.Warning, "Container {Container} came and went before its log could be opened; what it wrote is lost. Others may have, too: this is said once a minute. Run such containers without --rm where their lines matter")]
    private partial void LogMissed(string container);
}
