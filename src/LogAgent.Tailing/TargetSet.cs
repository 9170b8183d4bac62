using LogAgent.Tailing.Checkpoints;

namespace LogAgent.Tailing;

/// <summary>
/// Which targets there are: those that were given, and the checkpoints of those that are gone. Changes are taken from any thread
/// and are in force at the next pass; all else is used under the tail loop's pass.
/// </summary>
internal sealed class TargetSet
{
    private readonly TailContext _context;
    private readonly CheckpointKeeper _checkpoints;
    private readonly GenerationFinder _finder;
    private readonly Lock _gate = new();
    private readonly Queue<(TailTarget? Target, string Id)> _changes = new();
    private readonly Dictionary<string, TailedTarget> _targets = new(StringComparer.Ordinal);
    private readonly Dictionary<string, TargetCheckpoint> _retired = new(StringComparer.Ordinal);
    private readonly Dictionary<string, TailedTarget> _paths = new(StringComparer.Ordinal);
    private (FieldSet Fields, Func<string, bool> IsThere)? _unclaimed;

    public TargetSet(TailContext context, CheckpointKeeper checkpoints, GenerationFinder finder)
    {
        _context = context;
        _checkpoints = checkpoints;
        _finder = finder;
        foreach (TargetCheckpoint checkpoint in checkpoints.Load())
        {
            _retired[checkpoint.Id] = checkpoint;
        }
    }

    /// <summary>All that are read, in the order in which they were given.</summary>
    public TailedTarget[] All { get; private set; } = [];

    /// <summary>Another number when <see cref="All"/> has changed.</summary>
    public int Version { get; private set; } = 1;

    /// <summary>Some target is to be looked at.</summary>
    public bool IsHinted { get; set; }

    public void Set(TailTarget target) => Add(target, target.Id);

    public void Remove(string id) => Add(null, id);

    public void RemoveUnclaimed(FieldSet fields, Func<string, bool> isThere)
    {
        lock (_gate)
        {
            _unclaimed = (fields, isThere);
        }
    }

    public bool Reads(string path) => _paths.ContainsKey(path);

    public void Hint(TailedTarget target) => target.IsHinted = IsHinted = true;

    public void Hint(string path)
    {
        if (_paths.TryGetValue(path, out TailedTarget? target))
        {
            Hint(target);
        }
    }

    /// <summary>Puts the changes in force.</summary>
    public void Apply()
    {
        bool changed = false;
        while (TryNext(out TailTarget? given, out string id))
        {
            _targets.TryGetValue(id, out TailedTarget? target);
            if (given is null)
            {
                if (target is not null)
                {
                    target.IsRemoved = true;
                    Hint(target);
                }

                continue;
            }

            if (target is not null && (target.Target.Path, target.Target.Format) == (given.Path, given.Format))
            {
                target.Target = given;
                target.Return();
                Hint(target);
                continue;
            }

            if (target is not null)
            {
                Retire(target);
            }

            _retired.Remove(id, out TargetCheckpoint? checkpoint);
            Take(given, checkpoint);
            changed = true;
        }

        changed |= ClaimRest();
        if (changed)
        {
            Arrange();
        }
    }

    /// <summary>Those of these that were removed and are done with become checkpoints.</summary>
    public void Finish(IReadOnlyList<TailedTarget> targets)
    {
        bool changed = false;
        foreach (TailedTarget target in targets)
        {
            bool finished = target.CloseFinished();
            if (target.IsRemoved && finished && !target.HasPending && !target.IsRetired)
            {
                Retire(target);
                changed = true;
            }
        }

        if (changed)
        {
            Arrange();
        }
    }

    /// <summary>Forgets what was removed long ago.</summary>
    public void ForgetOld()
    {
        long before = (_context.NowNanos / 1_000_000) - (long)_context.Options.ForgetAfter.TotalMilliseconds;
        foreach (TargetCheckpoint checkpoint in _retired.Values)
        {
            if (checkpoint.RemovedAt > 0 && checkpoint.RemovedAt <= before)
            {
                _retired.Remove(checkpoint.Id);
                _checkpoints.Forget(checkpoint.Id);
            }
        }
    }

    private void Add(TailTarget? target, string id)
    {
        lock (_gate)
        {
            _changes.Enqueue((target, id));
        }
    }

    private bool TryNext(out TailTarget? given, out string id)
    {
        lock (_gate)
        {
            bool any = _changes.TryDequeue(out (TailTarget? Target, string Id) change);
            (given, id) = change;
            return any;
        }
    }

    /// <summary>What nobody has claimed becomes a removed target without a file: what of it was not read is gone. What is there all the same is not wanted any more: nothing of it is lost.</summary>
    private bool ClaimRest()
    {
        (FieldSet Fields, Func<string, bool> IsThere) rest;
        lock (_gate)
        {
            if (_unclaimed is not { } unclaimed)
            {
                return false;
            }

            rest = unclaimed;
            _unclaimed = null;
        }

        bool changed = false;
        foreach (TargetCheckpoint checkpoint in _retired.Values.Where(c => c.RemovedAt == 0).ToList())
        {
            if (rest.IsThere(checkpoint.Id))
            {
                Keep(checkpoint);
                continue;
            }

            TailTarget gone = new() { Id = checkpoint.Id, Path = "/dev/null/" + checkpoint.Id, ShownPath = checkpoint.Id, Format = TailFormat.PlainText, Fields = rest.Fields };
            _retired.Remove(checkpoint.Id);
            Take(gone, checkpoint).IsRemoved = true;
            changed = true;
        }

        return changed;
    }

    private TailedTarget Take(TailTarget given, TargetCheckpoint? checkpoint)
    {
        TailedTarget target = new(given, checkpoint, _context);
        _targets[given.Id] = target;
        IsHinted = true;
        return target;
    }

    private void Retire(TailedTarget target)
    {
        target.IsRetired = true;
        target.CloseAll();
        _finder.Release(target);
        _targets.Remove(target.Target.Id);
        Keep(target.Checkpoint());
    }

    /// <summary>The checkpoint of a target that is not read any more, from now on until it is forgotten.</summary>
    private void Keep(TargetCheckpoint checkpoint)
    {
        checkpoint = checkpoint with { RemovedAt = Math.Max(1, _context.NowNanos / 1_000_000) };
        _retired[checkpoint.Id] = checkpoint;
        _checkpoints.Set(checkpoint);
    }

    private void Arrange()
    {
        All = [.. _targets.Values];
        Version++;
        _paths.Clear();
        foreach (TailedTarget target in All)
        {
            _paths.TryAdd(target.Target.Path, target);
        }
    }
}
