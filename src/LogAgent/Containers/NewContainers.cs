using System.Threading.Channels;
using LogAgent.Tailing.Linux;

namespace LogAgent.Containers;

/// <summary>
/// Catches containers as they appear under the engine's data root (inotify), on a thread that does nothing else: one may live for
/// milliseconds, and take its files with it. As soon as they are there they are read, and its log is opened at the moment in which
/// the engine creates it, which is before the container's first process runs. Whoever lists containers in another way reports them,
/// too; this one only makes sure that none comes and goes in between.
/// </summary>
internal sealed partial class NewContainers : IDisposable
{
    /// <summary>How often the directory is compared when nothing tells of a change.</summary>
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);

    /// <summary>Containers that were created and not started yet, at most: each has a watch.</summary>
    private const int MostNew = 1000;

    /// <summary>Ids that are remembered as caught.</summary>
    private const int MostCaught = 10_000;

    private readonly ContainerDirectory _directory;
    private readonly Func<string, bool> _hold;
    private readonly Action<ContainerInfo> _found;
    private readonly Action<string> _gone;
    private readonly Action<string> _missed;
    private readonly ILogger _logger;
    private readonly LoopWait _wait = new();
    private readonly Dictionary<string, NewContainer> _new = new(StringComparer.Ordinal);
    private readonly HashSet<string> _reported = new(StringComparer.Ordinal);
    private readonly Lock _gate = new();
    private readonly HashSet<string> _caught = new(StringComparer.Ordinal);
    private readonly HashSet<string> _changed = new(StringComparer.Ordinal);
    private readonly Channel<(ContainerInfo? Info, string Id)> _reports = Channel.CreateBounded<(ContainerInfo?, string)>(new BoundedChannelOptions(1024) { SingleReader = true, SingleWriter = true });
    private HashSet<string>? _present;
    private DateTime _directoryChange;
    private bool _saidTrouble;

    /// <param name="hold">Opens the file at a path and keeps it for its target: the tail loop's Hold.</param>
    /// <param name="found">A new container. Called on one thread at a time, not on the one that catches.</param>
    /// <param name="gone">One that was found has gone.</param>
    /// <param name="missed">A container has written, and nothing of it could be had; its id.</param>
    public NewContainers(ContainerDirectory directory, Func<string, bool> hold, Action<ContainerInfo> found, Action<string> gone, Action<string> missed, ILogger<NewContainers> logger)
    {
        _directory = directory;
        _hold = hold;
        _found = found;
        _gone = gone;
        _missed = missed;
        _logger = logger;
    }

    /// <summary>Runs until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancel)
    {
        Task catching = Task.Factory.StartNew(() => Catch(cancel), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        await foreach ((ContainerInfo? info, string id) in _reports.Reader.ReadAllAsync(CancellationToken.None))
        {
            if (info is not null)
            {
                _found(info);
            }
            else
            {
                _gone(id);
            }
        }

        await catching;
    }

    /// <summary>The log of this container was opened as it appeared: whatever becomes of the container, it is read. Thread-safe.</summary>
    public bool IsCaught(string id)
    {
        lock (_gate)
        {
            return _caught.Contains(id);
        }
    }

    public void Dispose() => _wait.Dispose();

    /// <summary>One look, at what inotify tells of and, where it cannot tell, at all.</summary>
    internal void PollOnce()
    {
        Watch();
        Compare();
        foreach (string id in _changed)
        {
            Appeared(id, Directory.Exists(_directory.PathOf(id)));
        }

        if (_changed.Count > 0)
        {
            _changed.Clear();
            Watch(); // before the look: what comes after it is told of
        }

        foreach ((string id, NewContainer container) in _new)
        {
            if (IsDone(id, container))
            {
                _new.Remove(id);
            }
        }
    }

    /// <summary>What was reported so far, in order; for tests, which run no loop.</summary>
    internal bool TryTakeReport(out (ContainerInfo? Info, string Id) report) => _reports.Reader.TryRead(out report);

    private void Catch(CancellationToken cancel)
    {
        using CancellationTokenRegistration stop = cancel.Register(_wait.Wake);
        try
        {
            while (!cancel.IsCancellationRequested)
            {
                PollOnce();
                _wait.Wait(TimeSpan.Zero, Interval);
            }
        }
        finally
        {
            _reports.Writer.Complete();
        }
    }

    private void Watch()
    {
        List<string> directories = new(1 + (2 * _new.Count)) { _directory.ContainersPath };
        foreach (string id in _new.Keys)
        {
            directories.Add(_directory.PathOf(id));
            directories.Add(_directory.PathOf(id) + "/local-logs");
        }

        _wait.Watch(directories);
    }

    /// <summary>Which directories came or went: by inotify, and by a listing where changes were lost or are not told of.</summary>
    private void Compare()
    {
        bool complete = _wait.TakeChanges((directory, name, _) =>
        {
            if (directory == _directory.ContainersPath)
            {
                _changed.Add(name.ToString());
            }
            else if (name.EndsWith("-json.log") || name is "container.log")
            {
                string id = Path.GetFileName(directory.EndsWith("/local-logs", StringComparison.Ordinal) ? Path.GetDirectoryName(directory)! : directory);
                if (_new.TryGetValue(id, out NewContainer? container))
                {
                    container.HasLogged = true;
                }
            }
        });
        DateTime change = Directory.GetLastWriteTimeUtc(_directory.ContainersPath);
        if (complete && _present is not null && (change == _directoryChange || _changed.Count > 0))
        {
            _directoryChange = change;
            return;
        }

        HashSet<string> present;
        try
        {
            present = _directory.List();
        }
        catch (DockerException e)
        {
            if (!_saidTrouble)
            {
                LogCannotCatch(e.Message);
            }

            _saidTrouble = true;
            return;
        }

        _saidTrouble = false;
        _directoryChange = change;
        if (_present is null)
        {
            // Those that are there already are reported by whoever lists them.
            _present = present;
            return;
        }

        _changed.UnionWith(present.Where(id => !_present.Contains(id)));
        _changed.UnionWith(_present.Where(id => !present.Contains(id)));
    }

    private void Appeared(string id, bool exists)
    {
        bool known = _present?.Contains(id) ?? false;
        if (exists && !known)
        {
            _present?.Add(id);
            if (_new.Count < MostNew)
            {
                _new[id] = new NewContainer();
            }
        }
        else if (!exists)
        {
            _present?.Remove(id);
            if (!known)
            {
                _missed(id); // it came and went since the last look
            }
            else if (!_new.ContainsKey(id))
            {
                Gone(id);
            }
        }
    }

    /// <summary>True where nothing more is to be done for it but to wait for its end.</summary>
    private bool IsDone(string id, NewContainer container)
    {
        Hold(id, container); // its file is there the longest: what else is known of it can wait
        if (container.Info is null && _directory.TryRead(id, out ContainerInfo? info, out _))
        {
            container.Info = info;
            Report(info, id);
            Hold(id, container);
        }

        bool exists = Directory.Exists(_directory.PathOf(id));
        if (container.Info is { } known && (container.Held.Length > 0 || known.LogPath.Length == 0))
        {
            if (!exists)
            {
                Gone(id);
            }

            return true;
        }

        if (exists)
        {
            return false;
        }

        if (container.Held.Length > 0)
        {
            // Better without a name than not at all.
            string driver = container.Held.EndsWith("-json.log", StringComparison.Ordinal) ? "json-file" : "local";
            Report(new ContainerInfo { Id = id, Name = "", LogDriver = driver, LogPath = ContainerInfo.DefaultLogPath(driver, _directory.DataRoot, id) }, id);
        }
        else if (container.HasLogged || container.Info is { IsRunning: true })
        {
            _missed(id);
        }

        Gone(id);
        return true;
    }

    private void Hold(string id, NewContainer container)
    {
        IReadOnlyList<string> paths = _directory.LogPaths(id, container.Info);
        if (!paths.Contains(container.Held))
        {
            container.Held = paths.FirstOrDefault(_hold, "");
            if (container.Held.Length > 0)
            {
                Caught(id);
            }
        }
    }

    private void Report(ContainerInfo? info, string id)
    {
        if (info is not null)
        {
            _reported.Add(id);
        }

        if (!_reports.Writer.TryWrite((info, id)))
        {
            _reports.Writer.WriteAsync((info, id)).AsTask().GetAwaiter().GetResult();
        }
    }

    private void Gone(string id)
    {
        if (_reported.Remove(id))
        {
            Report(null, id);
        }
    }

    private void Caught(string id)
    {
        lock (_gate)
        {
            if (_caught.Count >= MostCaught)
            {
                _caught.Clear();
            }

            _caught.Add(id);
        }
    }

    [LoggerMessage(LogLevel.Warning, "Containers that live for milliseconds may be missed: {Problem}")]
    private partial void LogCannotCatch(string problem);
}
