using System.Collections.Concurrent;
using LogAgent.Configuration;
using LogAgent.Containers;
using LogAgent.Enrichment;
using LogAgent.IntegrationTests.Support;
using LogAgent.Tailing;
using Microsoft.Extensions.Logging.Abstractions;

namespace LogAgent.IntegrationTests.Containers;

/// <summary>
/// Discovery of a real engine's containers, without the tail loop: what would be set there is kept, and each file is opened as soon
/// as it is there, as the loop does it. Only containers with the test's prefix count.
/// </summary>
internal sealed class WatchedEngine : IAsyncDisposable
{
    private readonly CancellationTokenSource _end = new();
    private readonly ConcurrentDictionary<string, FileStream> _opened = new();
    private readonly ConcurrentDictionary<string, FileStream> _held = new();
    private readonly Task[] _running;

    public WatchedEngine(DockerEngine docker, DockerOptions options)
    {
        options = options with { Include = new ContainerMatch { Names = [docker.Prefix + "*"] } };
        ContainerFields fields = new(new());
        FileTargets files = new([], fields, false, Set, Remove, TimeProvider.System, NullLogger<FileTargets>.Instance);
        ContainerTargets targets = new(options, fields, files, null, false, Set, Remove, TimeProvider.System, NullLogger<ContainerTargets>.Instance);
        Discovery = new ContainerDiscovery(options, _ => null, targets, Hold, _ => { }, TimeProvider.System, NullLoggerFactory.Instance);
        _running = [Task.Run(() => Discovery.RunAsync(_end.Token)), Task.Run(() => files.RunAsync(_end.Token)), Task.Run(OpenAsync)];
    }

    public ContainerDiscovery Discovery { get; }

    public ConcurrentDictionary<string, TailTarget> Targets { get; } = new();

    public ConcurrentDictionary<string, bool> Removed { get; } = new();

    /// <summary>How many files could be opened.</summary>
    public int Opened => _opened.Count;

    /// <summary>All that the opened file of a target holds, whether its name is still there or not; null where it was never opened.</summary>
    public string? Content(string targetId)
    {
        if (!_opened.TryGetValue(targetId, out FileStream? file))
        {
            return null;
        }

        file.Position = 0;
        return new StreamReader(file, leaveOpen: true).ReadToEnd();
    }

    public TailTarget? ByShownPath(string container, string shown) =>
        Targets.Values.FirstOrDefault(t => t.ShownPath == shown && t.Fields["container.name"] == container);

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await Task.WhenAll(_running);
        foreach (FileStream file in _opened.Values.Concat(_held.Values))
        {
            await file.DisposeAsync();
        }
    }

    private void Set(TailTarget target)
    {
        Targets[target.Id] = target;
        TryOpen(target);
    }

    private void Remove(string id)
    {
        Removed[id] = true;
    }

    private async Task OpenAsync()
    {
        while (!_end.IsCancellationRequested)
        {
            foreach (TailTarget target in Targets.Values)
            {
                TryOpen(target);
            }

            await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System);
        }
    }

    private void TryOpen(TailTarget target)
    {
        if (_opened.ContainsKey(target.Id))
        {
            return;
        }

        if ((_held.TryRemove(target.Path, out FileStream? file) || (file = Open(target.Path)) is not null) && !_opened.TryAdd(target.Id, file))
        {
            file.Dispose();
        }
    }

    private bool Hold(string path)
    {
        if (Open(path) is not { } file)
        {
            return false;
        }

        _held[path] = file;
        return true;
    }

    private static FileStream? Open(string path)
    {
        try
        {
            return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        }
        catch (IOException)
        {
            return null; // not there yet, or gone already: the assertions tell
        }
    }
}
