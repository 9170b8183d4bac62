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
            target.Say(TailNoticeKind.Warning, $"The same file is read as {owner.Target.Path} of {owner.Target.Id} already; it is read once.");
            return null;
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

        if (target.Reads(FileIdentity.Of(stat)) || owners.OtherReader(target, stat) is not null)
        {
            source.Dispose();
            return false;
        }

        return TakeIn(target, new FoundFile(target.Target.Path, stat, IsLive: true), source) is not null;
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
