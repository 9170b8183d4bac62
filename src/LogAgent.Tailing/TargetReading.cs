namespace LogAgent.Tailing;

/// <summary>What one target gave in one pass.</summary>
internal readonly record struct TargetRead(long Bytes, bool More, bool OutOfMemory);

/// <summary>Which of a target's files is read next (invariant I2: one to its end before the next one).</summary>
internal static class TargetReading
{
    /// <summary>Reads at most a slice.</summary>
    public static TargetRead Read(TailedTarget target, SliceReader reader, TailContext context)
    {
        for (int i = 0; i < target.Files.Count; i++)
        {
            TailedFile file = target.Files[i];
            if (file.DoneReading || file.Source is null)
            {
                continue;
            }

            bool ending = file.Moved || target.IsRemoved;
            if (file.HasUnread || (ending && file.ReadOffset < file.Size))
            {
                target.Begin(file);
                switch (reader.Read(target, file, final: ending))
                {
                    case SliceOutcome.OutOfMemory:
                        return new TargetRead(0, More: true, OutOfMemory: true);
                    case SliceOutcome.Read:
                        target.IsChanged = true;
                        return new TargetRead(reader.BytesRead, file.HasUnread || ending, OutOfMemory: false);
                }
            }

            if (!ending)
            {
                FlushShort(target, file, reader, context);
                return default;
            }

            // Once more: what was written between the last look and the move counts.
            file.RefreshSize();
            if (file.ReadOffset < file.Size)
            {
                return new TargetRead(0, More: true, OutOfMemory: false);
            }

            target.End(file);
        }

        if (target.IsRemoved && target.HasPending && target.Files.Count > 0)
        {
            return new TargetRead(0, More: true, OutOfMemory: !reader.TryFlush(target, target.Files[^1], onlyShort: false));
        }

        return default;
    }

    private static void FlushShort(TailedTarget target, TailedFile file, SliceReader reader, TailContext context)
    {
        if (target.HasPending && Array.Exists(target.Pending, p => p.IsActive && p.IsShort && context.HasPassed(p.Since, context.Options.UnfinishedLineAfter)))
        {
            reader.TryFlush(target, file, onlyShort: true);
        }
    }
}
