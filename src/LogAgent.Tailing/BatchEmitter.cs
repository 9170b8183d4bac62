using System.Globalization;
using LogAgent.Tailing.Checkpoints;
using LogAgent.Tailing.Parsing;

namespace LogAgent.Tailing;

/// <summary>
/// Hands out batches: what a slice gave, what is pending, a gap record. Each opens a slot in the window of its file, so that the
/// checkpoint moves with its acknowledgement. Used by the tail loop's thread only.
/// </summary>
internal sealed class BatchEmitter(TailContext context, BatchBuffer batch, RecordMaker maker)
{
    /// <summary>Moves the read offset, opens the slot of the window and hands the batch out.</summary>
    /// <param name="offset">Where reading goes on in the file, behind these bytes.</param>
    /// <param name="bytes">So many of the file were read for it.</param>
    public void Emit(TailedTarget target, TailedFile file, long offset, ContentMark tail, byte[] idPrefix, long bytes)
    {
        (long at, ContentMark before) = ResumeAt(target, file, offset, tail);
        file.ReadOffset = offset;
        file.Tail = tail;
        file.MarkOffset();
        file.LastRead = context.Timestamp;
        file.LastCount = Math.Clamp(batch.Count + 8, 64, 8192);
        AckWindow.Slot slot;
        lock (context.Gate)
        {
            slot = file.Window.Add(at, before);
            slot.Releases = target.TakeReleased();
        }

        BatchTag tag = new(target, file, slot);
        context.Emit(batch.Build(target.Target, idPrefix, bytes, offset, tag, context.Completed));
    }

    /// <summary>Emits what is pending as it stands, in a batch of its own. False where the budget has no room.</summary>
    public bool TryFlush(TailedTarget target, TailedFile file, bool onlyShort)
    {
        target.Parser.Begin(file);
        if (!batch.TryStart(4096, 16))
        {
            return false;
        }

        maker.Start(target, file, long.MaxValue / 2, 0);
        foreach (PendingRecord pending in target.Pending)
        {
            if (pending.IsActive && (!onlyShort || pending.IsShort) && !maker.TryComplete(pending, default))
            {
                break;
            }
        }

        if (batch.Count == 0)
        {
            batch.DiscardUnlessBuilt();
            return false;
        }

        Emit(target, file, file.ReadOffset, file.Tail, file.IdPrefix, bytes: 0);
        return true;
    }

    /// <summary>Emits a gap record and says what is lost. False where the budget has no room.</summary>
    public bool TryEmitGap(TailedTarget target, TailedFile file, Gap gap)
    {
        target.Parser.Begin(file);
        if (!batch.TryStart(512, 16))
        {
            return false;
        }

        maker.Start(target, file, 0, 0);
        string path = target.Target.ShownPath ?? target.Target.Path;
        string count = gap.Bytes > 0 ? gap.Bytes.ToString(CultureInfo.InvariantCulture) + " bytes" : "Some lines";
        string sure = gap.Bytes > 0 ? "were" : "may be";
        string words = $"logagent: {count} of {path} {sure} gone before they could be read ({gap.Words})";
        if (!maker.TryTakeWords(words, file.ReadOffset, RecordFlags.Gap))
        {
            batch.DiscardUnlessBuilt();
            return false;
        }

        context.Notify(new TailNotice(TailNoticeKind.Lost, target.Target.Id, file.Path, gap.Bytes, gap.Reason));
        Emit(target, file, file.ReadOffset, file.Tail, RecordId.Prefix(file.Key ^ Hash64.OfText(words)), bytes: 0);
        return true;
    }

    /// <summary>Where reading has to begin again after a crash once this batch is acknowledged: not behind the start of a record that is not complete.</summary>
    private static (long Offset, ContentMark Tail) ResumeAt(TailedTarget target, TailedFile file, long offset, ContentMark tail)
    {
        if (file.SkipFrom >= 0 && file.SkipFrom < offset)
        {
            (offset, tail) = (file.SkipFrom, file.SkipTail);
        }

        foreach (PendingRecord pending in target.Pending)
        {
            if (!pending.IsActive)
            {
                continue;
            }

            (long at, ContentMark before) = pending.File == file ? (pending.Offset, pending.TailBefore) : (file.HoldAt, file.HoldTail);
            if (at >= 0 && at < offset)
            {
                (offset, tail) = (at, before);
            }
        }

        return (offset, tail);
    }
}
