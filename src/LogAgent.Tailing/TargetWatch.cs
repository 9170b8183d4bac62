using LogAgent.Tailing.Linux;

namespace LogAgent.Tailing;

/// <summary>Watches the directories of the targets, and says which targets a change is about. Used on the tail loop's thread only, but for <see cref="Wake"/>. Owns the watches.</summary>
internal sealed class TargetWatch(TailContext context, TargetSet targets) : IDisposable
{
    /// <summary>Changes within this time are taken together.</summary>
    private static readonly TimeSpan s_together = TimeSpan.FromMilliseconds(5);

    /// <summary>A directory that could not be watched is tried again after this time.</summary>
    private static readonly TimeSpan s_watchAgain = TimeSpan.FromSeconds(2);

    private readonly LoopWait _wait = new();
    private readonly Dictionary<string, Dictionary<string, TailedTarget>> _byDirectory = new(StringComparer.Ordinal);
    private int _version;
    private long _lastWatch;
    private long _lastChanges;
    private bool _saidShort;

    /// <summary>Some directory is not watched for want of a watch.</summary>
    public bool IsShort => _wait.IsShort;

    /// <summary>Ends the present wait, or the next one. Thread-safe.</summary>
    public void Wake() => _wait.Wake();

    /// <summary>Waits for a wake or a change, or for this time.</summary>
    public void Wait(TimeSpan time) => _wait.Wait(s_together, time);

    /// <summary>Watches what the targets need. Before they are looked at: what comes after the look is told of.</summary>
    public void Renew()
    {
        if (_version == targets.Version && !context.HasPassed(_lastWatch, s_watchAgain))
        {
            return;
        }

        _lastWatch = context.Timestamp;
        if (_version != targets.Version)
        {
            _version = targets.Version;
            Arrange();
        }

        _wait.Watch(_byDirectory.Keys);
        if (_wait.IsShort && !_saidShort)
        {
            context.Notify(new TailNotice(TailNoticeKind.Warning, "", "", 0, $"inotify has no watch left for some directories: their files are looked at each {context.Options.PollInterval.TotalMilliseconds:0} ms. Nothing is lost; raise fs.inotify.max_user_watches or max_user_instances to have them read sooner."));
        }

        _saidShort = _wait.IsShort;
    }

    /// <summary>Hints at the targets that have changed, as far as inotify tells; not more often than is of use.</summary>
    /// <returns>False where changes were lost: then anything may have changed.</returns>
    public bool TakeChanges()
    {
        if (!context.HasPassed(_lastChanges, s_together))
        {
            return true;
        }

        _lastChanges = context.Timestamp;
        return _wait.TakeChanges(Changed);
    }

    public void Dispose() => _wait.Dispose();

    private void Changed(string directory, ReadOnlySpan<char> name, bool onlyContent)
    {
        if (!_byDirectory.TryGetValue(directory, out Dictionary<string, TailedTarget>? names))
        {
            return;
        }

        if (names.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(name, out TailedTarget? target))
        {
            targets.Hint(target);
        }
        else if (!onlyContent)
        {
            // A rotated generation, most likely.
            foreach ((string live, TailedTarget one) in names)
            {
                if (name.StartsWith(live, StringComparison.Ordinal))
                {
                    targets.Hint(one);
                }
            }
        }
    }

    private void Arrange()
    {
        _byDirectory.Clear();
        foreach (TailedTarget target in targets.All)
        {
            string directory = Path.GetDirectoryName(target.Target.Path) ?? "/";
            if (!_byDirectory.TryGetValue(directory, out Dictionary<string, TailedTarget>? names))
            {
                _byDirectory[directory] = names = new(StringComparer.Ordinal);
            }

            names[Path.GetFileName(target.Target.Path)] = target;
        }
    }
}
