using LogAgent.Tailing.Checkpoints;
using LogAgent.Tailing.Linux;

namespace LogAgent.Tailing;

/// <summary>
/// Follows targets: from bytes on disk to batches, and from acknowledgements to checkpoints. One instance has a state
/// directory to itself. It starts nothing by itself: <see cref="PollOnce"/> is one full pass, <see cref="RunAsync"/> makes
/// them until it is cancelled. Batches and notices are handed out on the thread that makes the pass; a batch may be completed
/// on any thread.
/// </summary>
public sealed class TailLoop : IDisposable
{
    /// <summary>How often the list behind <see cref="Files"/> is made anew.</summary>
    private static readonly TimeSpan s_publishInterval = TimeSpan.FromMilliseconds(500);

    /// <summary>Changes within this time are taken together.</summary>
    private static readonly TimeSpan s_together = TimeSpan.FromMilliseconds(5);

    /// <summary>A directory that could not be watched is tried again after this time.</summary>
    private static readonly TimeSpan s_watchAgain = TimeSpan.FromSeconds(2);

    private readonly CheckpointStore _store;
    private readonly TailContext _context;
    private readonly GenerationFinder _finder;
    private readonly TargetReading _reading;
    private readonly Lock _pass = new();
    private readonly Lock _changesGate = new();
    private readonly Queue<(TailTarget? Target, string Id)> _changes = new();
    private readonly Dictionary<string, TailedTarget> _targets = new(StringComparer.Ordinal);
    private readonly Dictionary<string, TargetCheckpoint> _retired = new(StringComparer.Ordinal);
    private readonly Dictionary<string, TailedTarget> _paths = new(StringComparer.Ordinal);
    private readonly Dictionary<string, byte[]> _lines = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Dictionary<string, TailedTarget>> _byDirectory = new(StringComparer.Ordinal);
    private readonly LoopWait _wait = new();
    private readonly Func<TailTarget, bool> _hasRoom;
    private readonly Queue<TailedTarget> _reads = new();
    private readonly List<TailedTarget> _touched = [];
    private TailedTarget[] _order = [];
    private (TailedTarget Target, TailedFile File)[] _published = [];
    private TaskCompletionSource? _drained;
    private int _inFlight;
    private FieldSet? _unclaimed;
    private bool _changed;
    private bool _hinted;
    private bool _saveFailed;
    private volatile bool _waitsForRoom;
    private long _lastSave;
    private long _lastLook;
    private long _lastChanges;
    private long _lastWatch;
    private bool _watchesChanged = true;
    private bool _saidShort;
    private long _lastPublish;
    private long _passes;

    /// <param name="store">Its checkpoints are loaded here.</param>
    /// <param name="emit">Takes each batch; it must call ExpectOutputs and pass it on without waiting.</param>
    /// <param name="notify">Takes each notice.</param>
    /// <param name="hasRoom">False while those that take a target's batches have enough of them for now: then nothing of it is read, and others go on; see <see cref="RoomMade"/>.</param>
    /// <exception cref="NewerCheckpointsException">A later version of the agent wrote the checkpoints.</exception>
    public TailLoop(TailOptions options, CheckpointStore store, MemoryBudget budget, TimeProvider time, Action<LogBatch> emit, Action<TailNotice> notify, Func<TailTarget, bool>? hasRoom = null)
    {
        _store = store;
        _hasRoom = hasRoom ?? (static _ => true);
        _context = new TailContext(options, budget, time, new Lock(), Track, notify) { Completed = OnCompleted };
        _finder = new GenerationFinder(_context);
        _reading = new TargetReading(_context, new SliceReader(_context), _finder);
        _lastSave = time.GetTimestamp();
        foreach (TargetCheckpoint checkpoint in store.Load(notify))
        {
            _retired[checkpoint.Id] = checkpoint;
            _lines[checkpoint.Id] = CheckpointFormat.Encode(checkpoint);
        }

        budget.Released += RoomMade;

        void Track(LogBatch batch)
        {
            Interlocked.Increment(ref _inFlight);
            ((BatchTag)batch.Tag!).Target.Hold(batch.Charge);
            emit(batch);
        }
    }

    /// <summary>Where the reading of each file stands. Thread-safe; a moment's view.</summary>
    public IReadOnlyList<FileStatus> Files
    {
        get
        {
            (TailedTarget Target, TailedFile File)[] files = Volatile.Read(ref _published);
            List<FileStatus> result = new(files.Length);
            foreach ((TailedTarget target, TailedFile file) in files)
            {
                result.Add(new FileStatus(target.Target.Id, file.Path, file.Size, file.ReadOffset, file.Window.Offset, file.Source is not null));
            }

            return result;
        }
    }

    /// <summary>Passes made so far: a sign of life. Thread-safe.</summary>
    public long Passes => Volatile.Read(ref _passes);

    /// <summary>Adds a target, or replaces the one with its id. Thread-safe; in force at the next pass, which it brings about at once.</summary>
    public void Set(TailTarget target)
    {
        lock (_changesGate)
        {
            _changes.Enqueue((target, target.Id));
        }

        Wake();
    }

    /// <summary>
    /// The target is gone (container destroyed, file deleted): what there is of it is read to its end, through the open handle
    /// where it has no name any more, and its checkpoint is forgotten after <see cref="TailOptions.ForgetAfter"/>. Thread-safe.
    /// </summary>
    public void Remove(string id)
    {
        lock (_changesGate)
        {
            _changes.Enqueue((null, id));
        }

        Wake();
    }

    /// <summary>There may be room again for what is read: hasRoom has changed to true. Thread-safe.</summary>
    public void RoomMade()
    {
        if (_waitsForRoom)
        {
            Wake();
        }
    }

    /// <summary>
    /// Everything that is there has been given: a target that the checkpoints know and that was not is gone, removed while
    /// nobody looked. What is known of it and was not read is counted as lost, with a gap record that carries
    /// <paramref name="fields"/>; its checkpoint is forgotten after <see cref="TailOptions.ForgetAfter"/>. One that is given
    /// later all the same goes on where it stood. Thread-safe; in force at the next pass.
    /// </summary>
    public void RemoveUnclaimed(FieldSet fields)
    {
        lock (_changesGate)
        {
            _unclaimed = fields;
        }

        Wake();
    }

    /// <summary>One full pass: looks at each target, reads at most a slice of each, emits, writes checkpoints when it is time. Not while <see cref="RunAsync"/> runs.</summary>
    public PollResult PollOnce() => Pass(lookAtAll: true);

    /// <summary>
    /// A pass that looks only at those targets that need it: all of them after each poll interval, else those that are new. A
    /// file of which more is known to be there is read without a look, so that a slice costs no more among many files.
    /// </summary>
    private PollResult Pass(bool lookAtAll)
    {
        lock (_pass)
        {
            Volatile.Write(ref _passes, _passes + 1);
            StartPass();
            ApplyChanges();
            _touched.Clear();
            if (!lookAtAll && (_watchesChanged || _context.HasPassed(_lastWatch, s_watchAgain)))
            {
                WatchDirectories(); // before the look: what comes after it is told of
            }

            bool all = lookAtAll || _passes == 1 || _context.HasPassed(_lastLook, _context.Options.PollInterval);
            if (!lookAtAll && _context.HasPassed(_lastChanges, s_together))
            {
                all |= !TakeChanges();
            }

            if (all)
            {
                _lastLook = _context.Timestamp;
                foreach (TailedTarget target in _order)
                {
                    LookAndQueue(target);
                }
            }
            else
            {
                LookAtHinted();
            }

            Prepare();
            PollResult result = ReadAll();
            Finish(all ? _order : _touched);
            SaveWhenDue();
            if (lookAtAll || _context.HasPassed(_lastPublish, s_publishInterval))
            {
                Publish();
            }

            return result;
        }
    }

    /// <summary>Passes until it is cancelled; the last thing is a checkpoint write.</summary>
    public Task RunAsync(CancellationToken cancel) =>
        // A thread of its own: passes block on files, and on a small machine they would hold the only thread that sends.
        Task.Factory.StartNew(() => Run(cancel), CancellationToken.None, TaskCreationOptions.LongRunning | TaskCreationOptions.DenyChildAttach, TaskScheduler.Default);

    private void Run(CancellationToken cancel)
    {
        using CancellationTokenRegistration registration = cancel.Register(Wake);
        while (!cancel.IsCancellationRequested)
        {
            PollResult result = Pass(lookAtAll: false);
            if (result.More && !result.OutOfMemory)
            {
                continue;
            }

            _waitsForRoom = result.OutOfMemory;
            if (_waitsForRoom && HasRoom())
            {
                continue; // made between the pass and the flag
            }

            _wait.Wait(s_together, _context.Options.PollInterval);
            _waitsForRoom = false;
        }

        Save();
    }

    /// <summary>Something that waits to be read could be read now.</summary>
    private bool HasRoom()
    {
        if (_context.Budget.Used + (_context.Options.Slice * 2L) > _context.Budget.Limit)
        {
            return false;
        }

        foreach (TailedTarget target in _reads)
        {
            if (HasRoom(target))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>
    /// False: the target waits, and others go on. One whose records nobody takes (its index is blocked, its partition has no
    /// leader) may hold twice what it leaves free, so that memory is never all taken by those that are stuck.
    /// </summary>
    private bool HasRoom(TailedTarget target) =>
        target.Held <= 2 * Math.Max(0, _context.Budget.Limit - _context.Budget.Used) && _hasRoom(target.Target);

    /// <summary>
    /// After the last pass: waits until each batch is completed, or until <paramref name="cancel"/>, then writes the last
    /// checkpoint. Does not throw when it is cancelled.
    /// </summary>
    /// <returns>True when nothing is in flight any more.</returns>
    public async Task<bool> DrainAsync(CancellationToken cancel)
    {
        TaskCompletionSource drained = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Volatile.Write(ref _drained, drained);
        if (Volatile.Read(ref _inFlight) == 0)
        {
            drained.TrySetResult();
        }

        using (cancel.Register(() => drained.TrySetCanceled()))
        {
            await ((Task)drained.Task).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        Save();
        return drained.Task.IsCompletedSuccessfully;
    }

    /// <summary>Closes all files. Writes no checkpoint.</summary>
    public void Dispose()
    {
        _context.Budget.Released -= RoomMade;
        _wait.Dispose();
        lock (_pass)
        {
            foreach (TailedTarget target in _targets.Values)
            {
                target.CloseAll();
            }
        }
    }

    /// <summary>The state of all files in short, for tests.</summary>
    internal string Describe() => string.Join(" ", _order.SelectMany(t => t.Files).Select(f =>
        $"{Path.GetFileName(f.Path)}:{f.Window.Offset}/{f.ReadOffset}/{f.Size}{(f.Source is null ? "" : "o")}{(f.Moved ? "m" : "")}{(f.Nameless ? "n" : "")}{(f.DoneReading ? "d" : "")}{(f.Carry is null ? "" : "c")}"));

    /// <summary>Which targets have changed, as far as inotify tells; all where it cannot.</summary>
    private bool TakeChanges()
    {
        _lastChanges = _context.Timestamp;
        return _wait.TakeChanges((directory, name, onlyContent) =>
        {
            if (!_byDirectory.TryGetValue(directory, out Dictionary<string, TailedTarget>? names))
            {
                return;
            }

            if (names.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(name, out TailedTarget? target))
            {
                target.IsHinted = _hinted = true;
            }
            else if (!onlyContent)
            {
                // A rotated generation, most likely.
                foreach ((string live, TailedTarget one) in names)
                {
                    if (name.StartsWith(live, StringComparison.Ordinal))
                    {
                        one.IsHinted = _hinted = true;
                    }
                }
            }
        });
    }

    private void Wake() => _wait.Wake();

    private void StartPass()
    {
        _context.Timestamp = _context.Time.GetTimestamp();
        _context.NowNanos = (_context.Time.GetUtcNow().UtcTicks - DateTime.UnixEpoch.Ticks) * 100;
    }

    private void ApplyChanges()
    {
        bool changed = false;
        while (true)
        {
            TailTarget? given;
            string id;
            lock (_changesGate)
            {
                if (!_changes.TryDequeue(out (TailTarget? Target, string Id) change))
                {
                    break;
                }

                (given, id) = change;
            }

            _targets.TryGetValue(id, out TailedTarget? target);
            if (given is null)
            {
                if (target is not null)
                {
                    target.IsRemoved = true;
                    target.IsHinted = _hinted = true;
                }

                continue;
            }

            if (target is not null && (target.Target.Path, target.Target.Format) == (given.Path, given.Format))
            {
                target.Target = given;
                target.Return();
                target.IsHinted = _hinted = true;
                continue;
            }

            if (target is not null)
            {
                Retire(target);
            }

            _retired.Remove(id, out TargetCheckpoint? checkpoint);
            _targets[id] = new TailedTarget(given, checkpoint, _context);
            _hinted = changed = true;
        }

        changed |= ClaimRest();
        if (changed)
        {
            Reorder();
        }
    }

    private void LookAtHinted()
    {
        if (!_hinted)
        {
            return;
        }

        _hinted = false;
        foreach (TailedTarget target in _order)
        {
            if (target.IsHinted)
            {
                LookAndQueue(target);
            }
        }
    }

    /// <summary>A look, and a place among those that are read in this pass.</summary>
    private void LookAndQueue(TailedTarget target)
    {
        target.IsHinted = false;
        Look(target);
        _touched.Add(target);
        if (!target.IsQueued)
        {
            target.IsQueued = true;
            _reads.Enqueue(target);
        }
    }

    /// <summary>What nobody has claimed becomes a removed target without a file: what of it was not read is gone.</summary>
    private bool ClaimRest()
    {
        FieldSet? fields;
        lock (_changesGate)
        {
            (fields, _unclaimed) = (_unclaimed, null);
        }

        bool changed = false;
        foreach (TargetCheckpoint checkpoint in fields is null ? [] : _retired.Values.Where(c => c.RemovedAt == 0).ToList())
        {
            TailTarget gone = new() { Id = checkpoint.Id, Path = "/dev/null/" + checkpoint.Id, ShownPath = checkpoint.Id, Format = TailFormat.PlainText, Fields = fields! };
            _retired.Remove(checkpoint.Id);
            _targets[checkpoint.Id] = new TailedTarget(gone, checkpoint, _context) { IsRemoved = true };
            _hinted = changed = true;
        }

        return changed;
    }

    private void Look(TailedTarget target)
    {
        if (target.ShadowPath is { } live && _paths.ContainsKey(live))
        {
            target.Say(TailNoticeKind.Warning, $"It is a rotated generation of {live} and is read with that.");
            return;
        }

        try
        {
            _finder.Look(target);
            LimitOpenFiles();
        }
        catch (Exception e) when (e is IOException or InvalidDataException)
        {
            Trouble(target, e);
        }
    }

    /// <summary>What must be on disk before this pass hands anything out.</summary>
    private void Prepare()
    {
        bool write = false;
        foreach (TailedTarget target in _reads)
        {
            try
            {
                write |= !target.IsRetired && _reading.Prepare(target);
                LimitOpenFiles();
            }
            catch (Exception e) when (e is IOException or InvalidDataException)
            {
                Trouble(target, e);
            }
        }

        if (write)
        {
            SaveIfChanged();
        }
    }

    private PollResult ReadAll()
    {
        long bytes = 0;
        bool more = false;
        bool full = false;
        bool waits = false;
        for (int count = _reads.Count; count > 0; count--)
        {
            TailedTarget target = _reads.Peek();
            if (target.IsRetired)
            {
                _reads.Dequeue(); // another one stands in its place
                continue;
            }

            if (!HasRoom(target))
            {
                waits = true;
                _reads.Enqueue(_reads.Dequeue());
                continue;
            }

            bool again = false;
            try
            {
                TargetRead read = _reading.Read(target);
                bytes += read.Bytes;
                more |= again = read.More;
                full |= read.OutOfMemory;
                if (full)
                {
                    // Who finds no memory keeps its place before the others: nobody starves while it is short.
                    break;
                }
            }
            catch (Exception e) when (e is IOException or InvalidDataException)
            {
                Trouble(target, e);
            }

            LimitOpenFiles();
            _reads.Dequeue();
            _touched.Add(target);
            target.IsQueued = again;
            if (again)
            {
                _reads.Enqueue(target);
            }
        }

        return new PollResult(bytes, more || waits, full || (waits && !more));
    }

    /// <summary>Trouble with one file must not stop the others: it is said, and tried again at the next pass.</summary>
    private static void Trouble(TailedTarget target, Exception e) => target.Say(TailNoticeKind.Unreadable, e.Message);

    /// <summary>Closes those that were not read for the longest time; they are found again by identity. What has no name any more stays open.</summary>
    private void LimitOpenFiles()
    {
        // One place stays free for the next file to be opened.
        if (_context.OpenFiles < _context.Options.OpenFiles)
        {
            return;
        }

        int close = _context.OpenFiles - Math.Max(1, _context.Options.OpenFiles * 9 / 10);
        foreach ((TailedTarget target, TailedFile file) in _order
            .SelectMany(t => t.Files.Where(f => f.Source is not null && !f.Nameless && !t.IsRemoved && !t.HasPending).Select(f => (Target: t, File: f)))
            .OrderBy(f => f.File.HasUnread).ThenBy(f => f.File.LastRead).Take(close))
        {
            target.Close(file);
        }
    }

    private void Finish(IReadOnlyList<TailedTarget> targets)
    {
        bool changed = false;
        foreach (TailedTarget target in targets)
        {
            bool finished = target.CloseFinished();
            if (!target.IsRemoved || !finished || target.HasPending || target.IsRetired)
            {
                continue;
            }

            Retire(target);
            changed = true;
        }

        if (changed)
        {
            Reorder();
        }
    }

    private void Retire(TailedTarget target)
    {
        target.IsRetired = true;
        target.CloseAll();
        _finder.Release(target);
        TargetCheckpoint checkpoint = target.Checkpoint() with { RemovedAt = Math.Max(1, _context.NowNanos / 1_000_000) };
        _retired[target.Target.Id] = checkpoint;
        _lines[target.Target.Id] = CheckpointFormat.Encode(checkpoint);
        _targets.Remove(target.Target.Id);
        _changed = true;
    }

    private void Reorder()
    {
        _order = [.. _targets.Values];
        _paths.Clear();
        foreach (TailedTarget target in _order)
        {
            _paths.TryAdd(target.Target.Path, target);
        }

        _watchesChanged = true;
    }

    private void WatchDirectories()
    {
        _lastWatch = _context.Timestamp;
        if (_watchesChanged)
        {
            _watchesChanged = false;
            _byDirectory.Clear();
            foreach (TailedTarget target in _order)
            {
                string directory = Path.GetDirectoryName(target.Target.Path) ?? "/";
                if (!_byDirectory.TryGetValue(directory, out Dictionary<string, TailedTarget>? names))
                {
                    _byDirectory[directory] = names = new(StringComparer.Ordinal);
                }

                names[Path.GetFileName(target.Target.Path)] = target;
            }
        }

        _wait.Watch(_byDirectory.Keys);
        if (_wait.IsShort && !_saidShort)
        {
            _context.Notify(new TailNotice(TailNoticeKind.Warning, "", "", 0, $"inotify has no watch left for some directories: their files are looked at each {_context.Options.PollInterval.TotalMilliseconds:0} ms. Nothing is lost; raise fs.inotify.max_user_watches or max_user_instances to have them read sooner."));
        }

        _saidShort = _wait.IsShort;
    }

    private void SaveWhenDue()
    {
        if (_context.HasPassed(_lastSave, _context.Options.CheckpointInterval))
        {
            SaveIfChanged();
            ArrayStock<byte>.Shared.Trim();
            ArrayStock<LogRecord>.Shared.Trim();
        }
    }

    /// <summary>Writes the checkpoints now, where something has changed.</summary>
    private void Save()
    {
        lock (_pass)
        {
            StartPass();
            SaveIfChanged();
        }
    }

    private bool SaveIfChanged()
    {
        _lastSave = _context.Timestamp;
        ForgetOld();
        foreach (TailedTarget target in _order)
        {
            if (target.IsChanged)
            {
                target.IsChanged = false;
                _lines[target.Target.Id] = CheckpointFormat.Encode(target.Checkpoint());
                _changed = true;
            }
        }

        if (!_changed)
        {
            return true;
        }

        if (!_store.TrySave([.. _lines.Values.Select(l => (ReadOnlyMemory<byte>)l)], out string error))
        {
            if (!_saveFailed)
            {
                _context.Notify(new TailNotice(TailNoticeKind.CheckpointTrouble, "", _store.FilePath, 0, $"The checkpoints cannot be written: {error}. It is tried again; until then a restart reads again what was delivered since."));
            }

            _saveFailed = true;
            return false;
        }

        _saveFailed = false;
        _changed = false;
        return true;
    }

    private void ForgetOld()
    {
        long before = (_context.NowNanos / 1_000_000) - (long)_context.Options.ForgetAfter.TotalMilliseconds;
        foreach (TargetCheckpoint checkpoint in _retired.Values)
        {
            if (checkpoint.RemovedAt > 0 && checkpoint.RemovedAt <= before)
            {
                _retired.Remove(checkpoint.Id);
                _lines.Remove(checkpoint.Id);
                _changed = true;
            }
        }
    }

    private void Publish()
    {
        _lastPublish = _context.Timestamp;
        (TailedTarget, TailedFile)[] files = [.. _order.SelectMany(t => t.Files.Where(f => f.Source is not null || !f.Moved).Select(f => (t, f)))];
        Volatile.Write(ref _published, files);
    }

    private void OnCompleted(LogBatch batch, bool acknowledged)
    {
        if (acknowledged)
        {
            BatchTag tag = (BatchTag)batch.Tag!;
            lock (_context.Gate)
            {
                tag.File.Window.Complete(tag.Slot);
            }

            tag.Target.IsChanged = true;
        }

        ((BatchTag)batch.Tag!).Target.Release(batch.Charge);
        _context.Budget.Release(batch.Charge);
        if (Interlocked.Decrement(ref _inFlight) == 0)
        {
            Volatile.Read(ref _drained)?.TrySetResult();
        }
    }
}
