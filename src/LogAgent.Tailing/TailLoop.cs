using LogAgent.Tailing.Checkpoints;

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

    private readonly TailContext _context;
    private readonly GenerationFinder _finder;
    private readonly CheckpointKeeper _checkpoints;
    private readonly TargetSet _targets;
    private readonly ReadQueue _queue;
    private readonly TargetWatch _watch;
    private readonly LookSchedule _looks;
    private readonly PublishedFiles _published;
    private readonly Lock _pass = new();
    private readonly List<TailedTarget> _touched = [];
    private TaskCompletionSource? _drained;
    private int _inFlight;
    private volatile bool _waitsForRoom;
    private long _lastPublish;
    private long _passes;

    /// <param name="store">Its checkpoints are loaded here.</param>
    /// <param name="emit">Takes each batch; it must call ExpectOutputs and pass it on without waiting.</param>
    /// <param name="notify">Takes each notice.</param>
    /// <param name="hasRoom">False while those that take a target's batches have enough of them for now: then nothing of it is read, and others go on; see <see cref="RoomMade"/>.</param>
    /// <exception cref="NewerCheckpointsException">A later version of the agent wrote the checkpoints.</exception>
    public TailLoop(TailOptions options, CheckpointStore store, MemoryBudget budget, TimeProvider time, Action<LogBatch> emit, Action<TailNotice> notify, Func<TailTarget, bool>? hasRoom = null)
    {
        _context = new TailContext(options, budget, time, new Lock(), Track, notify)
        {
            Completed = OnCompleted,
            Held = new HeldFiles(time, Math.Max(1, options.OpenFiles / 2)),
        };
        _finder = new GenerationFinder(_context);
        _checkpoints = new CheckpointKeeper(store, _context);
        _targets = new TargetSet(_context, _checkpoints, _finder);
        BatchBuffer batch = new(_context.Budget);
        RecordMaker maker = new(_context, batch);
        BatchEmitter emitter = new(_context, batch, maker);
        TargetReading reading = new(_context, new SliceReader(_context, batch, maker, emitter), emitter, _finder);
        _queue = new ReadQueue(_context, _targets, _finder, reading, hasRoom ?? (static _ => true));
        _watch = new TargetWatch(_context, _targets);
        _looks = new LookSchedule(_context);
        _published = new PublishedFiles(_context);
        budget.Released += RoomMade;

        void Track(LogBatch batch)
        {
            Interlocked.Increment(ref _inFlight);
            ((BatchTag)batch.Tag!).Target.Hold(batch.Charge);
            emit(batch);
        }
    }

    /// <summary>Where the reading of each file stands. Thread-safe; a moment's view.</summary>
    public IReadOnlyList<FileStatus> Files => _published.Read();

    /// <summary>How long the checkpoint file has not been what it should be; zero while it is written in time. Thread-safe.</summary>
    public TimeSpan CheckpointAge => _checkpoints.Age;

    /// <summary>Passes made so far: a sign of life. Thread-safe.</summary>
    public long Passes => Volatile.Read(ref _passes);

    /// <summary>How often a directory was listed so far, for tests.</summary>
    internal int Listed => _finder.Listed;

    /// <summary>Adds a target, or replaces the one with its id. Thread-safe; in force at the next pass, which it brings about at once.</summary>
    public void Set(TailTarget target)
    {
        _targets.Set(target);
        _watch.Wake();
    }

    /// <summary>
    /// Opens the file at the path now, on the caller's thread, for a target of that path which is given before or after: so it is
    /// read to its end whatever becomes of its name. What no target takes is closed after a minute. Thread-safe.
    /// </summary>
    /// <returns>True where the file is held; false where there is none that may be read.</returns>
    public bool Hold(string path)
    {
        bool held = _context.Held.TryHold(path);
        if (held)
        {
            _watch.Wake();
        }

        return held;
    }

    /// <summary>
    /// The target is gone (container destroyed, file deleted): what there is of it is read to its end, through the open handle
    /// where it has no name any more, and its checkpoint is forgotten after <see cref="TailOptions.ForgetAfter"/>. Thread-safe.
    /// </summary>
    public void Remove(string id)
    {
        _targets.Remove(id);
        _watch.Wake();
    }

    /// <summary>There may be room again for what is read: hasRoom has changed to true. Thread-safe.</summary>
    public void RoomMade()
    {
        if (_waitsForRoom)
        {
            _watch.Wake();
        }
    }

    /// <summary>
    /// Everything that is there has been given: a target that the checkpoints know and that was not is gone, removed while
    /// nobody looked. What is known of it and was not read is counted as lost, with a gap record that carries
    /// <paramref name="fields"/>; its checkpoint is forgotten after <see cref="TailOptions.ForgetAfter"/>. One that is given
    /// later all the same goes on where it stood. Thread-safe; in force at the next pass.
    /// </summary>
    /// <param name="isThere">Whether the target of an id is there all the same and is merely not to be read any more: of that nothing is lost. Called on the loop's thread.</param>
    public void RemoveUnclaimed(FieldSet fields, Func<string, bool> isThere)
    {
        _targets.RemoveUnclaimed(fields, isThere);
        _watch.Wake();
    }

    /// <summary>One full pass: looks at each target, reads at most a slice of each, emits, writes checkpoints when it is time. Not while <see cref="RunAsync"/> runs.</summary>
    public PollResult PollOnce()
    {
        lock (_pass)
        {
            StartPass();
            _targets.Apply();
            PollResult result = Pass(lookAtAll: true);
            Publish();
            return result;
        }
    }

    /// <summary>Passes until it is cancelled; the last thing is a checkpoint write.</summary>
    public Task RunAsync(CancellationToken cancel) =>
        // A thread of its own: passes block on files, and on a small machine they would hold the only thread that sends.
        Task.Factory.StartNew(() => Run(cancel), CancellationToken.None, TaskCreationOptions.LongRunning | TaskCreationOptions.DenyChildAttach, TaskScheduler.Default);

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
        _watch.Dispose();
        _context.Held.Dispose();
        lock (_pass)
        {
            foreach (TailedTarget target in _targets.All)
            {
                target.CloseAll();
            }
        }
    }

    /// <summary>The state of all files in short, for tests.</summary>
    internal string Describe() => string.Join(" ", _targets.All.SelectMany(t => t.Files).Select(f =>
        $"{Path.GetFileName(f.Path)}:{f.Window.Offset}/{f.ReadOffset}/{f.Size}{(f.Source is null ? "" : "o")}{(f.Moved ? "m" : "")}{(f.Nameless ? "n" : "")}{(f.DoneReading ? "d" : "")}{(f.Carry is null ? "" : "c")}"));

    private void Run(CancellationToken cancel)
    {
        using CancellationTokenRegistration registration = cancel.Register(_watch.Wake);
        while (!cancel.IsCancellationRequested)
        {
            PollResult result = WatchedPass();
            if (result.More && !result.OutOfMemory)
            {
                continue;
            }

            _waitsForRoom = result.OutOfMemory;
            if (_waitsForRoom && _queue.HasRoom())
            {
                continue; // made between the pass and the flag
            }

            _watch.Wait(_looks.Interval);
            _waitsForRoom = false;
        }

        Save();
    }

    /// <summary>
    /// A pass that looks only at those targets that need it: all of them when it is time, else those that are new or have
    /// changed. A file of which more is known to be there is read without a look, so that a slice costs no more among many files.
    /// </summary>
    private PollResult WatchedPass()
    {
        lock (_pass)
        {
            StartPass();
            _targets.Apply();
            _watch.Renew();
            bool lookAtAll = _looks.IsDue | !_watch.TakeChanges();
            PollResult result = Pass(lookAtAll);
            if (_context.HasPassed(_lastPublish, s_publishInterval))
            {
                Publish();
            }

            return result;
        }
    }

    private PollResult Pass(bool lookAtAll)
    {
        foreach (string path in _context.Held.TakeNew())
        {
            _targets.Hint(path);
        }

        _touched.Clear();
        if (lookAtAll || _targets.IsHinted)
        {
            _targets.IsHinted = false;
            bool untold = _watch.IsShort;
            foreach (TailedTarget target in _targets.All)
            {
                if (lookAtAll || target.IsHinted)
                {
                    bool told = target.IsHinted;
                    _queue.Look(target);
                    _touched.Add(target);
                    untold |= !told && target.HasUnread;
                }
            }

            if (lookAtAll)
            {
                _looks.Looked(untold);
            }
        }

        if (_queue.Prepare())
        {
            SaveIfChanged();
        }

        PollResult result = _queue.Read(_touched);
        _targets.Finish(lookAtAll ? _targets.All : _touched);
        if (_checkpoints.IsDue)
        {
            SaveIfChanged();
            _context.Held.Trim();
            ArrayStock<byte>.Shared.Trim();
            ArrayStock<LogRecord>.Shared.Trim();
        }

        _finder.EndPass();
        return result;
    }

    private void StartPass()
    {
        Volatile.Write(ref _passes, _passes + 1);
        SetTime();
    }

    private void SetTime()
    {
        _context.Timestamp = _context.Time.GetTimestamp();
        _context.NowNanos = (_context.Time.GetUtcNow().UtcTicks - DateTime.UnixEpoch.Ticks) * 100;
    }

    /// <summary>Writes the checkpoints now, where something has changed.</summary>
    private void Save()
    {
        lock (_pass)
        {
            SetTime();
            SaveIfChanged();
        }
    }

    private void SaveIfChanged()
    {
        _targets.ForgetOld();
        _checkpoints.Save(_targets.All);
    }

    private void Publish()
    {
        _lastPublish = _context.Timestamp;
        _published.Renew(_targets.All);
    }

    private void OnCompleted(LogBatch batch, bool acknowledged)
    {
        BatchTag tag = (BatchTag)batch.Tag!;
        if (acknowledged)
        {
            lock (_context.Gate)
            {
                tag.File.Window.Complete(tag.Slot);
            }

            tag.Target.IsChanged = true;
        }

        tag.Target.Release(batch.Charge);
        _context.Budget.Release(batch.Charge);
        if (Interlocked.Decrement(ref _inFlight) == 0)
        {
            Volatile.Read(ref _drained)?.TrySetResult();
        }
    }
}
