using System.Threading.Channels;
using LogAgent.Configuration;

namespace LogAgent.Containers;

/// <summary>
/// Follows the containers of a Docker engine for as long as the agent runs, whether the engine does or not. Events are hints, the
/// list is the truth: it is taken at each connection and every 30 s, and compared. Reports on one thread at a time; containers of
/// a list are reported in the order of their creation.
/// </summary>
internal sealed partial class ContainerWatcher
{
    private static readonly TimeSpan ListInterval = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan FirstDelay = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan LongestDelay = TimeSpan.FromSeconds(5);

    private readonly DockerClient _client;
    private readonly DockerOptions _options;
    private readonly Action<ContainerInfo> _changed;
    private readonly Action<string> _destroyed;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly RepeatedTrouble _trouble;

    /// <summary>Each container that was reported, with the name and state that the list gave for it.</summary>
    private readonly Dictionary<string, (string Name, string State)> _known = [];
    private readonly Queue<DockerJson.ListItem> _toInspect = new();
    private readonly Dictionary<string, string> _imageNames = [];
    private string _dataRoot;

    /// <param name="client">Used by this watcher alone from here on; disposed of by the caller.</param>
    /// <param name="changed">A container is there, or is no longer as it was: called with the whole of it, also when nothing that matters differs.</param>
    /// <param name="destroyed">A container that was reported is gone; its id.</param>
    public ContainerWatcher(DockerClient client, DockerOptions options, Action<ContainerInfo> changed, Action<string> destroyed, TimeProvider time, ILogger<ContainerWatcher> logger)
    {
        _client = client;
        _options = options;
        _changed = changed;
        _destroyed = destroyed;
        _time = time;
        _logger = logger;
        _trouble = new RepeatedTrouble(time);
        _dataRoot = options.DataRoot.Length > 0 ? options.DataRoot : DockerOptions.DefaultDataRoot;
    }

    /// <summary>Whether the engine answered last time; for the health page.</summary>
    public bool IsConnected { get; private set; }

    /// <summary>Called, on the watcher's thread, whenever a whole list has been reported.</summary>
    public Action? Listed { get; init; }

    /// <summary>Called at each connection with the engine's data root.</summary>
    public Action<string>? DataRootKnown { get; init; }

    /// <summary>Opens the file at a path at once and keeps it for its target; false where it is not there.</summary>
    public Func<string, bool> Hold { get; init; } = static _ => false;

    /// <summary>Whether the container of this id is known already though the engine knows it no more: its log is held.</summary>
    public Func<string, bool> IsCaught { get; init; } = static _ => false;

    /// <summary>A container has written, and nothing of it could be had: the reason, and its name and id.</summary>
    public Action<string, string>? Missed { get; init; }

    /// <summary>Runs until cancelled; trouble with the engine is logged and tried again, never thrown.</summary>
    public async Task RunAsync(CancellationToken cancel)
    {
        TimeSpan delay = FirstDelay;
        while (!cancel.IsCancellationRequested)
        {
            try
            {
                await FollowAsync(() => delay = FirstDelay, cancel);
                LogStreamEnded(_client.Endpoint.ToString());
            }
            catch (DockerException e)
            {
                if (_trouble.IsDue(e.Message))
                {
                    LogTrouble(e.Message, _known.Count);
                }
            }
            catch (OperationCanceledException) when (cancel.IsCancellationRequested)
            {
                break;
            }

            IsConnected = false;
            _client.Forget();
            try
            {
                await Task.Delay(delay, _time, cancel);
            }
            catch (OperationCanceledException)
            {
                break;
            }

            delay = delay * 2 < LongestDelay ? delay * 2 : LongestDelay;
        }
    }

    /// <summary>One connection, until the engine ends it: events first (so that nothing falls between), then the list.</summary>
    private async Task FollowAsync(Action connected, CancellationToken cancel)
    {
        using DockerEvents events = await _client.EventsAsync(cancel);
        DockerJson.Info info = await _client.InfoAsync(cancel);
        if (_options.DataRoot.Length == 0 && info.DockerRootDir is { Length: > 0 } root)
        {
            _dataRoot = root;
        }

        DataRootKnown?.Invoke(_dataRoot);
        await ListAsync(cancel);
        connected();
        IsConnected = true;
        _trouble.Over();
        LogConnected(_client.Endpoint.ToString(), info.ServerVersion ?? "?", _client.ApiVersion, _dataRoot);

        using PeriodicTimer timer = new(ListInterval, _time);
        using CancellationTokenSource end = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        Channel<bool> ticks = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
        Task ticking = TickAsync(timer, ticks.Writer, end.Token);
        Task<DockerJson.Event?> next = events.ReadAsync(end.Token);
        try
        {
            Task<bool> tick = ticks.Reader.WaitToReadAsync(end.Token).AsTask();
            while (true)
            {
                // An event goes before the rest of a long list: a container may live for milliseconds only.
                if (!next.IsCompleted)
                {
                    if (_toInspect.TryDequeue(out DockerJson.ListItem? item))
                    {
                        await InspectListedAsync(item, cancel);
                        continue;
                    }

                    if (await Task.WhenAny(next, tick) == tick && !next.IsCompleted)
                    {
                        cancel.ThrowIfCancellationRequested();
                        ticks.Reader.TryRead(out _);
                        tick = ticks.Reader.WaitToReadAsync(end.Token).AsTask();
                        await ListAsync(cancel);
                        continue;
                    }
                }

                if (await next is not { } found)
                {
                    return;
                }

                await HandleAsync(found, cancel);
                next = events.ReadAsync(end.Token);
            }
        }
        finally
        {
            await end.CancelAsync();
            await ticking;
            await next.ContinueWith(static t => _ = t.Exception, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        }
    }

    private static async Task TickAsync(PeriodicTimer timer, ChannelWriter<bool> ticks, CancellationToken cancel)
    {
        try
        {
            while (await timer.WaitForNextTickAsync(cancel))
            {
                ticks.TryWrite(true);
            }
        }
        catch (OperationCanceledException)
        {
            // The connection has ended, and its timer with it.
        }
    }

    /// <summary>Takes the list, reports what is gone, and queues for inspection what is new or differs.</summary>
    private async Task ListAsync(CancellationToken cancel)
    {
        DockerJson.ListItem[] list = await _client.ListAsync(cancel);
        _toInspect.Clear();
        HashSet<string> present = [];
        foreach (DockerJson.ListItem item in list.OrderBy(i => i.Created).ThenBy(i => i.Id, StringComparer.Ordinal))
        {
            present.Add(item.Id);
            if (!_known.TryGetValue(item.Id, out (string Name, string State) before) || before != Seen(item))
            {
                _toInspect.Enqueue(item);
            }
        }

        foreach (string id in _known.Keys.Where(id => !present.Contains(id)).ToList())
        {
            Gone(id);
        }

        if (_toInspect.Count == 0)
        {
            Listed?.Invoke();
        }
    }

    private async Task InspectListedAsync(DockerJson.ListItem item, CancellationToken cancel)
    {
        if (await _client.InspectAsync(item.Id, cancel) is { } found)
        {
            await ReportAsync(found, cancel);
            _known[item.Id] = Seen(item);
        }

        if (_toInspect.Count == 0)
        {
            Listed?.Invoke();
        }
    }

    private async Task HandleAsync(DockerJson.Event found, CancellationToken cancel)
    {
        if (found.Type is not ("container" or null) || found.Actor?.ID is not { Length: > 0 } id)
        {
            return;
        }

        switch (found.Action)
        {
            case "destroy":
                Gone(id);
                break;
            case "create" or "start" or "die" or "rename":
                ContainerInfo told = ContainerReading.From(found.Actor, _dataRoot, _time.GetUtcNow());
                if (found.Action == "start" && !_known.ContainsKey(id) && !IsCaught(id))
                {
                    Hold(_options.HostRoot + told.LogPath); // an answer can take longer than the container lives
                }

                if (await _client.InspectAsync(id, cancel) is { } inspected)
                {
                    await ReportAsync(inspected, cancel);
                }
                else
                {
                    ReportVanished(told, found.Action);
                }

                break;
        }
    }

    private async Task ReportAsync(DockerJson.Inspection found, CancellationToken cancel)
    {
        ContainerInfo info = ContainerReading.From(found, await ImageNameAsync(found, cancel), _dataRoot);
        _known[info.Id] = (info.Name, info.State);
        _changed(info);
    }

    /// <summary>It was gone before it could be inspected: where its file is held or there, it is read to its end.</summary>
    private void ReportVanished(ContainerInfo info, string? action)
    {
        if (_known.ContainsKey(info.Id) || IsCaught(info.Id))
        {
            return;
        }

        if (Hold(_options.HostRoot + info.LogPath) || File.Exists(_options.HostRoot + info.LogPath))
        {
            _known[info.Id] = (info.Name, info.State);
            _changed(info);
        }
        else if (action == "die")
        {
            Missed?.Invoke(ContainerDiscovery.GoneTooSoon, $"{info.Name} ({info.Id})");
        }
    }

    private void Gone(string id)
    {
        if (_known.Remove(id))
        {
            _destroyed(id);
        }
    }

    /// <summary>The reference that the container was created with; where that is an image id, the image's first tag, if it has one.</summary>
    private async Task<string> ImageNameAsync(DockerJson.Inspection found, CancellationToken cancel)
    {
        string reference = found.Config?.Image ?? "";
        string id = found.Image ?? "";
        if (!ImageReference.IsId(reference) && !ImageReference.IsShortIdOf(reference, id))
        {
            return reference;
        }

        if (!_imageNames.TryGetValue(id, out string? name))
        {
            name = (await _client.ImageAsync(id, cancel))?.RepoTags?.FirstOrDefault() ?? id;
            if (_imageNames.Count >= 1000)
            {
                _imageNames.Clear();
            }

            _imageNames[id] = name;
        }

        return name;
    }

    private static (string Name, string State) Seen(DockerJson.ListItem item)
    {
        // A linked container has further names, as /other/alias.
        string name = item.Names?.FirstOrDefault(n => n.LastIndexOf('/') == 0) ?? item.Names?.FirstOrDefault() ?? "";
        return (name.TrimStart('/'), item.State ?? "");
    }

    [LoggerMessage(LogLevel.Information, "Connected to the Docker engine at {Endpoint}: version {Version}, API {Api}, data root {DataRoot}")]
    private partial void LogConnected(string endpoint, string version, string api, string dataRoot);

    [LoggerMessage(LogLevel.Information, "The Docker engine at {Endpoint} has ended the stream of events (it stops, perhaps); files go on being read, the connection is tried again")]
    private partial void LogStreamEnded(string endpoint);

    [LoggerMessage(LogLevel.Warning, "{Problem} The {Count} containers known so far go on being read; the connection is tried again every few seconds")]
    private partial void LogTrouble(string problem, int count);
}
