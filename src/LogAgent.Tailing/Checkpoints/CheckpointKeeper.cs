namespace LogAgent.Tailing.Checkpoints;

/// <summary>Keeps the checkpoint file in step with the targets: each one's part is encoded only when it has changed. Used under the tail loop's pass.</summary>
internal sealed class CheckpointKeeper(CheckpointStore store, TailContext context)
{
    private readonly Dictionary<string, byte[]> _lines = new(StringComparer.Ordinal);
    private bool _changed;
    private bool _saveFailed;
    private long _lastSave = context.Time.GetTimestamp();
    private long _unsavedSince;

    public bool IsDue => context.HasPassed(_lastSave, context.Options.CheckpointInterval);

    /// <summary>How long the file on disk has not been what it should be: the last attempts to write it failed, or none was made. Thread-safe.</summary>
    public TimeSpan Age => Volatile.Read(ref _unsavedSince) is var since and > 0 ? context.Time.GetElapsedTime(since) : TimeSpan.Zero;

    /// <exception cref="NewerCheckpointsException">A later version of the agent wrote them.</exception>
    public IReadOnlyList<TargetCheckpoint> Load()
    {
        IReadOnlyList<TargetCheckpoint> checkpoints = store.Load(context.Notify);
        foreach (TargetCheckpoint checkpoint in checkpoints)
        {
            _lines[checkpoint.Id] = CheckpointFormat.Encode(checkpoint);
        }

        return checkpoints;
    }

    public void Set(TargetCheckpoint checkpoint)
    {
        _lines[checkpoint.Id] = CheckpointFormat.Encode(checkpoint);
        _changed = true;
    }

    public void Forget(string targetId)
    {
        _lines.Remove(targetId);
        _changed = true;
    }

    /// <summary>Writes the file where something has changed. What could not be written is tried again at the next time.</summary>
    public void Save(IReadOnlyList<TailedTarget> targets)
    {
        _lastSave = context.Timestamp;
        foreach (TailedTarget target in targets)
        {
            if (target.IsChanged)
            {
                target.IsChanged = false;
                Set(target.Checkpoint());
            }
        }

        if (!_changed)
        {
            return;
        }

        if (Volatile.Read(ref _unsavedSince) == 0)
        {
            Volatile.Write(ref _unsavedSince, Math.Max(1, context.Timestamp));
        }

        if (!store.TrySave([.. _lines.Values.Select(l => (ReadOnlyMemory<byte>)l)], out string error))
        {
            if (!_saveFailed)
            {
                context.Notify(new TailNotice(TailNoticeKind.CheckpointTrouble, "", store.FilePath, 0, $"The checkpoints cannot be written: {error}. It is tried again; until then a restart reads again what was delivered since."));
            }

            _saveFailed = true;
            return;
        }

        _saveFailed = false;
        _changed = false;
        Volatile.Write(ref _unsavedSince, 0);
    }
}
