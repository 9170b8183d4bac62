using LogAgent.Tailing.Checkpoints;

namespace LogAgent.Tailing;

/// <summary>What one target gave in one pass.</summary>
internal readonly record struct TargetRead(long Bytes, bool More, bool OutOfMemory)
{
    public static TargetRead Again => new(0, More: true, OutOfMemory: false);

    public static TargetRead Full => new(0, More: true, OutOfMemory: true);
}

/// <summary>Which of a target's files is read next (invariant I2: one to its end before the next one).</summary>
internal sealed class TargetReading(TailContext context, SliceReader reader, BatchEmitter emitter, GenerationFinder finder)
{
    // After a rename writers may hold the old file for some time (logrotate tells them afterwards).
    private static readonly TimeSpan s_lateWriters = TimeSpan.FromSeconds(30);

    /// <summary>
    /// For plain text, what must be on disk before this pass hands anything out: that a new day begins, that a line is
    /// shipped in parts. True where the checkpoint is to be written first.
    /// </summary>
    public bool Prepare(TailedTarget target)
    {
        if (target.IsDocker)
        {
            return false;
        }

        bool write = false;
        for (int i = 0; i < target.Files.Count; i++)
        {
            TailedFile file = target.Files[i];
            if (file.DoneReading)
            {
                continue;
            }

            bool unfinished = file.Size == file.StalledSize && file.ReadOffset < file.Size
                && (target.IsRemoved || context.HasPassed(file.StalledSince, context.Options.UnfinishedLineAfter));
            if (unfinished)
            {
                long end = target.Target.Encoding == TextEncoding.Utf16 ? file.Size & ~1L : file.Size;
                if (end > file.ReadOffset && !file.Splits.Contains(end))
                {
                    file.Splits.Add(end);
                    file.StalledSize = -1;
                    target.IsChanged = write = true;
                }
            }

            if (!file.HasUnread || (file.Source is null && !finder.TryReopen(target, file)))
            {
                continue;
            }

            target.Begin(file);

            // What an earlier run may have handed out keeps the last day that it wrote down.
            long from = file.IsRestored ? Math.Max(file.ReadOffset, file.Size) : file.ReadOffset;
            if (Days.Mark(file.Days, from, context.NowNanos))
            {
                target.IsChanged = write = true;
            }

            file.IsRestored = false;
        }

        return write;
    }

    /// <summary>Reads at most a slice.</summary>
    public TargetRead Read(TailedTarget target)
    {
        for (int i = 0; i < target.Files.Count; i++)
        {
            TailedFile file = target.Files[i];
            if (file.Gap is { } gap)
            {
                target.Begin(file);
                if (!emitter.TryEmitGap(target, file, gap))
                {
                    return TargetRead.Full;
                }

                file.Gap = null;
                return TargetRead.Again;
            }

            if (file.DoneReading)
            {
                continue;
            }

            bool ending = (file.Moved && target.IsDocker) || target.IsRemoved;
            if (file.HasUnread || (ending && file.ReadOffset < file.Size))
            {
                if (file.Source is null && !finder.TryReopen(target, file))
                {
                    return default;
                }

                if (!target.IsDocker && file.Days.Count == 0)
                {
                    return TargetRead.Again; // new in this pass: its first day is not on disk yet
                }

                if (Truncation.IsOverwritten(file))
                {
                    finder.LookAgain(target);
                    return TargetRead.Again;
                }

                target.Begin(file);
                switch (reader.Read(target, file, final: ending))
                {
                    case SliceOutcome.OutOfMemory:
                        return TargetRead.Full;
                    case SliceOutcome.Read:
                        target.IsChanged = true;
                        file.TryExtendFingerprint();
                        return new TargetRead(reader.BytesRead, file.HasUnread || file.Moved || ending, OutOfMemory: false);
                    case SliceOutcome.Nothing when file.Gap is not null:
                        return TargetRead.Again;
                    case SliceOutcome.Changed:
                        finder.Truncate(target, file, grownAgain: true);
                        return TargetRead.Again;
                }
            }

            if (!ending && !file.Moved)
            {
                FlushShort(target, file);
                return default;
            }

            // Once more: what was written between the last look and the move counts.
            long size = file.Size;
            file.RefreshSize();
            if (file.Size > size || file.HasUnread)
            {
                return TargetRead.Again;
            }

            if (ending || (context.HasPassed(file.LastRead, s_lateWriters) && file.ReadOffset >= file.Size))
            {
                target.End(file);
            }
        }

        if (target.IsRemoved && target.HasPending && target.Files.Count > 0)
        {
            return emitter.TryFlush(target, target.Files[^1], onlyShort: false) ? TargetRead.Again : TargetRead.Full;
        }

        return default;
    }

    private void FlushShort(TailedTarget target, TailedFile file)
    {
        if (target.HasPending && Array.Exists(target.Pending, p => p.IsActive && p.IsShort && context.HasPassed(p.Since, context.Options.UnfinishedLineAfter)))
        {
            emitter.TryFlush(target, file, onlyShort: true);
        }
    }
}
