using LogAgent.Tailing.Checkpoints;
using LogAgent.Tailing.Linux;

namespace LogAgent.Tailing;

/// <summary>Takes files that are new into a target: opened by their path, or held open since before the target was given.</summary>
internal sealed class FileAdoption(TailContext context, InodeOwners owners)
{
    /// <summary>Opens it. Null where it cannot be read, or another target reads it.</summary>
    public TailedFile? Adopt(TailedTarget target, in FoundFile found)
    {
        if (owners.OtherReader(target, found.Stat) is { } owner)
        {
            if (!HasLeft(owner, found))
            {
                target.Say(TailNoticeKind.Warning, $"The same file is read as {owner.Target.Path} of {owner.Target.Id} already; it is read once.");
                return null;
            }

            if (owner.Find(FileIdentity.Of(found.Stat)) is not { } held || !owner.IsFinished(held))
            {
                return null; // it is read to its end there first
            }

            if (TakeOver(target, held, found) is { } takenOver)
            {
                return takenOver;
            }
        }
        else if (!target.IsDocker && owners.LetGoBefore(found.Stat) is { } left && TakeOver(target, left, found) is { } again)
        {
            return again;
        }

        IByteSource? source = TailedFile.TryOpen(found.Path, out FileStat stat, out int error);
        if (source is null)
        {
            if (error is not (0 or Native.NoSuchFile))
            {
                target.Say(TailNoticeKind.Unreadable, Native.ErrorText(error));
            }

            return null;
        }

        return TakeIn(target, found with { Stat = stat }, source);
    }

    /// <summary>A file that was opened as it appeared, whether its name is still there or not. True where it is one more of this target.</summary>
    public bool TakeHeld(TailedTarget target)
    {
        if (context.Held.Count == 0 || context.Held.TryTake(target.Target.Path, out FileStat stat) is not { } source)
        {
            return false;
        }

        if (target.Reads(FileIdentity.Of(stat)) || owners.OtherReader(target, stat) is not null || (!target.IsDocker && owners.LetGoBefore(stat) is not null))
        {
            source.Dispose();
            return false;
        }

        return TakeIn(target, new FoundFile(target.Target.Path, stat, IsLive: true), source) is not null;
    }

    /// <summary>Whether the owner's paths all lead elsewhere by now: the file was renamed, and is not one with two names.</summary>
    private static bool HasLeft(TailedTarget owner, in FoundFile found) =>
        owner.Find(FileIdentity.Of(found.Stat)) is { } held
        && !(Native.TryStat(held.Path, out FileStat there, out _) && there.Inode == found.Stat.Inode && there.Device == found.Stat.Device);

    /// <summary>A file that another target has read is read on from where that one stood, with the same ids. Null where its content is another.</summary>
    private TailedFile? TakeOver(TailedTarget target, TailedFile held, in FoundFile found)
    {
        using IByteSource? source = TailedFile.TryOpen(found.Path, out FileStat stat, out _);
        if (source is null || source.IsCompressed || !held.HasSameContent(source))
        {
            return null;
        }

        TailedFile file;
        lock (context.Gate)
        {
            file = new TailedFile(found.Path, held.Identity, held.Window.Offset, held.Window.Tail)
            {
                Fingerprint = held.Fingerprint,
                Key = held.Key,
                IdPrefix = held.IdPrefix,
                IsBigEndian = held.IsBigEndian,
                Epoch = held.Epoch,
                Base = held.Base,
                Size = stat.Size,
                VerifiedSize = held.Window.Offset,
                LastModify = stat.ModifyNanos,
                Moved = !found.IsLive,
                Days = [.. held.Days],
                Splits = [.. held.Splits],
            };
        }

        target.Files.Add(file);
        owners.Own(target, file);
        target.Said(null);
        return file;
    }

    /// <summary>A file that is new to the target; disposes of the source where it cannot be read.</summary>
    private TailedFile? TakeIn(TailedTarget target, in FoundFile found, IByteSource source)
    {
        FileStat stat = found.Stat;
        TailedFile file;
        try
        {
            bool skip = !target.IsKnown && target.Target.Start == StartAt.End;
            long offset = skip && found.IsLive ? LastLineEnd(target, source, stat.Size) : 0;
            file = new TailedFile(found.Path, FileIdentity.Of(stat), offset, default)
            {
                Source = source,
                Fingerprint = TailedFile.ReadFingerprint(source),
                Size = source.IsCompressed ? 0 : stat.Size,
                VerifiedSize = stat.Size,
                LastModify = stat.ModifyNanos,
                Moved = !found.IsLive,
                Epoch = target.Files.Where(f => f.Identity == FileIdentity.Of(stat)).Select(f => f.Epoch + 1).DefaultIfEmpty().Max(),
            };
            if (skip && !found.IsLive)
            {
                file.Close();
                file.Size = source.IsCompressed ? FileRecognition.CompressedSize(found) : stat.Size;
                file.DoneReading = true;
                context.OpenFiles--;
            }
        }
        catch (Exception e) when (e is IOException or InvalidDataException)
        {
            source.Dispose();
            target.Say(TailNoticeKind.Unreadable, e.Message);
            return null;
        }

        target.Files.Add(file);
        context.OpenFiles++;
        owners.Own(target, file);
        target.Said(null);
        context.Notify(new TailNotice(TailNoticeKind.Opened, target.Target.Id, found.Path, stat.Size, ""));
        return file;
    }

    /// <summary>Reading from the end begins at the start of a line.</summary>
    private static long LastLineEnd(TailedTarget target, IByteSource source, long size)
    {
        byte[] buffer = new byte[(int)Math.Min(size, 256 * 1024)];
        int read = source.Read(buffer, size - buffer.Length);
        return size - buffer.Length + target.Parser.LastEnd(buffer.AsSpan(0, read));
    }
}
