using LogAgent.Configuration;
using LogAgent.Tailing.Linux;

namespace LogAgent.Containers;

/// <summary>
/// Follows the containers of a host from the engine's files, without a socket. A change in their directory (inotify) is looked at
/// at once; where inotify cannot tell, every second the time at which the directory last changed is asked for. Every two seconds it
/// looks at each container's own file. Reports as <see cref="ContainerWatcher"/> does.
/// </summary>
internal sealed partial class ContainerDirectoryWatcher
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    /// <summary>While a container's files are being written.</summary>
    private static readonly TimeSpan SoonInterval = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan ChangesInterval = TimeSpan.FromSeconds(2);

    /// <summary>Lists taken after a change: the kernel's clock may give two changes one time.</summary>
    private const int ListsAfterChange = 3;

    private readonly ContainerDirectory _directory;
    private readonly Action<ContainerInfo> _changed;
    private readonly Action<string> _destroyed;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly RepeatedTrouble _trouble;
    private readonly RepeatedTrouble _containerTrouble;
    private readonly Dictionary<string, Known> _known = [];
    private DateTime _directoryChange;
    private long _changesLooked;
    private int _lists;

    public ContainerDirectoryWatcher(DockerOptions options, Action<ContainerInfo> changed, Action<string> destroyed, TimeProvider time, ILogger<ContainerDirectoryWatcher> logger)
    {
        _directory = new ContainerDirectory(options.DataRoot.Length > 0 ? options.DataRoot.TrimEnd('/') : DockerOptions.DefaultDataRoot, options.HostRoot);
        _changed = changed;
        _destroyed = destroyed;
        _time = time;
        _logger = logger;
        _trouble = new RepeatedTrouble(time);
        _containerTrouble = new RepeatedTrouble(time);
    }

    /// <summary>Where it looks.</summary>
    public ContainerDirectory Containers => _directory;

    /// <summary>Whether the directory could be listed last time; for the health page.</summary>
    public bool IsConnected { get; private set; }

    /// <summary>Runs until cancelled, on a thread of its own: it waits in the kernel.</summary>
    public Task RunAsync(CancellationToken cancel) =>
        Task.Factory.StartNew(() => Run(cancel), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    private void Run(CancellationToken cancel)
    {
        using LoopWait wait = new();
        using CancellationTokenRegistration stop = cancel.Register(wait.Wake);
        while (!cancel.IsCancellationRequested)
        {
            wait.Watch([_directory.ContainersPath]);
            PollOnce();
            wait.Wait(TimeSpan.Zero, _lists > 0 ? SoonInterval : Interval);
            wait.TakeChanges(static (_, _, _) => { });
        }
    }

    /// <summary>One look: new and removed containers, and now and then changed ones.</summary>
    internal void PollOnce()
    {
        bool all = !IsConnected || _time.GetElapsedTime(_changesLooked) >= ChangesInterval;
        DateTime change = Directory.GetLastWriteTimeUtc(_directory.ContainersPath);
        if (change != _directoryChange)
        {
            _directoryChange = change;
            _lists = ListsAfterChange;
        }

        if (!IsConnected || _lists > 0)
        {
            _lists = Math.Max(0, _lists - 1);
            List(all);
        }
        else if (all)
        {
            LookAtKnown(); // none came or went
        }
    }

    /// <summary>Lists the containers.</summary>
    /// <param name="all">Whether those that are known are looked at, too.</param>
    private void List(bool all)
    {
        HashSet<string> present;
        try
        {
            present = _directory.List();
        }
        catch (DockerException e)
        {
            IsConnected = false;
            if (_trouble.IsDue(e.Message))
            {
                LogTrouble(e.Message);
            }

            return;
        }

        IsConnected = true;
        _trouble.Over();
        foreach (string id in _known.Keys.Where(id => !present.Contains(id)).ToList())
        {
            _known.Remove(id);
            _destroyed(id);
        }

        List<(ContainerInfo Info, Known Known)> read = [];
        foreach (string id in present.Where(id => !_known.ContainsKey(id)))
        {
            Read(id, _directory.ConfigPath(id), default, read);
        }

        Report(read);
        if (all)
        {
            LookAtKnown();
        }
    }

    private void LookAtKnown()
    {
        _changesLooked = _time.GetTimestamp();
        List<(ContainerInfo Info, Known Known)> read = [];
        foreach ((string id, Known known) in _known)
        {
            Read(id, known.ConfigPath, known.Change, read);
        }

        Report(read);
    }

    private void Read(string id, string configPath, DateTime before, List<(ContainerInfo Info, Known Known)> read)
    {
        DateTime change = ContainerDirectory.LastChange(configPath);
        if (change == default)
        {
            // A new one whose file is not written yet, or one that is about to go: at the next look.
            _lists = Math.Max(_lists, before == default ? 1 : 0);
        }
        else if (change != before)
        {
            if (_directory.TryRead(id, out ContainerInfo? info, out string problem))
            {
                read.Add((info!, new Known(configPath, change)));
                return;
            }

            _lists = Math.Max(_lists, 1);
            if (_containerTrouble.IsDue(problem))
            {
                LogUnreadable(id, problem);
            }
        }
    }

    private void Report(List<(ContainerInfo Info, Known Known)> read)
    {
        foreach ((ContainerInfo info, Known known) in read.OrderBy(r => r.Info.Created).ThenBy(r => r.Info.Id, StringComparer.Ordinal))
        {
            _known[info.Id] = known;
            _changed(info);
        }
    }

    [LoggerMessage(LogLevel.Warning, "{Problem} It is tried again")]
    private partial void LogTrouble(string problem);

    [LoggerMessage(LogLevel.Debug, "Container {Id} is not known yet: {Problem}; it is tried again")]
    private partial void LogUnreadable(string id, string problem);

    /// <param name="Change">Its file's time when it was read.</param>
    private readonly record struct Known(string ConfigPath, DateTime Change);
}
