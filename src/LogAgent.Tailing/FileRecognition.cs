using System.Buffers.Binary;
using LogAgent.Tailing.Checkpoints;
using LogAgent.Tailing.Linux;

namespace LogAgent.Tailing;

/// <summary>Tells whether a file on disk is one that is known already: by its inode, or by its content where that was copied or compressed. Opens it then, where it is still to be read.</summary>
internal sealed class FileRecognition(TailContext context, InodeOwners owners)
{
    /// <summary>The file of the target that has this inode and still begins alike; null where there is none.</summary>
    public TailedFile? Recognise(TailedTarget target, in FoundFile found)
    {
        FileIdentity identity = FileIdentity.Of(found.Stat);
        for (int i = target.Files.Count - 1; i >= 0; i--)
        {
            TailedFile file = target.Files[i];
            if (file.Identity.Inode == 0 || !file.Identity.MayBe(identity))
            {
                continue;
            }

            // An earlier run may have read more than its checkpoint says.
            bool hadNothing = file.IsBlank && (file.DoneReading || (file.Source is null && !file.IsRestored));
            if (hadNothing && found is { IsLive: false, IsCompressed: false, Stat.Size: > 0 })
            {
                return null;
            }

            // The last one with this inode is the one, or none is: what stood in it before has made way for good.
            return (!file.DoneReading && IsHeld(file, found)) || IsAsItWas(file, found) || TryOpen(target, file, found.Path, mustBeginAlike: true) ? file : null;
        }

        return null;
    }

    /// <summary>An open handle leads to it; or one leads to what was compressed into it.</summary>
    private static bool IsHeld(TailedFile file, in FoundFile found) =>
        file.Source is { } source && (found.IsCompressed || (source.Stat() is { } held && held.Inode == found.Stat.Inode && held.Device == found.Stat.Device));

    /// <summary>One that is done with, and was not written since it was last compared: a copy may have been made over it.</summary>
    private static bool IsAsItWas(TailedFile file, in FoundFile found)
    {
        if (!file.DoneReading || file.Identity.BirthNanos == 0)
        {
            return false;
        }

        bool same = found.IsCompressed || (found.Stat.ModifyNanos == file.LastModify && found.Stat.Size == file.Size);
        if (!same && file.Size < file.ReadOffset)
        {
            // A copy that lacks what was read last.
            using IByteSource? source = TailedFile.TryOpen(found.Path, out FileStat stat, out _);
            same = source is not null && stat.Size == file.Size && file.BeginsLike(source);
        }

        file.LastModify = same ? found.Stat.ModifyNanos : file.LastModify;
        return same;
    }

    /// <summary>A new inode with the content of a generation that has no name any more: compressed, copied, or written anew in its place.</summary>
    public TailedFile? RecogniseCopy(TailedTarget target, in FoundFile found, Dictionary<FoundFile, TailedFile?> matched)
    {
        foreach (TailedFile file in target.Files)
        {
            file.TryExtendFingerprint();

            // One that is done with has no future: the live file does, however alike it begins. What was lost has no copy.
            bool mayHave = !file.DoneReading || (!found.IsLive && file.ReadOffset >= file.Size);
            if (mayHave && file.Fingerprint.Length > 0 && !matched.ContainsValue(file) && TryTakeCopy(target, file, found))
            {
                return file;
            }
        }

        return null;
    }

    private bool TryTakeCopy(TailedTarget target, TailedFile file, in FoundFile found)
    {
        IByteSource? source = TailedFile.TryOpen(found.Path, out FileStat stat, out _);
        if (source is null)
        {
            return false;
        }

        bool keep = false;
        try
        {
            // Its end tells the size of a compressed file; where all was read before, that is proof enough.
            long size = source.IsCompressed ? CompressedSize(found) : stat.Size;
            bool same = size >= (source.IsCompressed ? (uint)file.Size : file.Size)
                && file.BeginsLike(source)
                && (!file.DoneReading || size == (source.IsCompressed ? (uint)file.Size : file.Size))
                && ((source.IsCompressed && file.DoneReading) || file.HasSameTail(source));

            // What a writer appended after the copy was made stands behind the open handle alone. A live file that begins alike is a new one.
            same |= !found.IsLive && file.Source is { IsCompressed: false } held && size > 0 && size < file.Size && CopiedFiles.AreAlikeTo(held, source, size);

            // copytruncate: what was written, and perhaps read, between the copy and the truncation is not in the copy.
            same |= file.GapUnlessCopied is not null && file.WasReadFrom(source, size);
            if (!same)
            {
                return false;
            }

            if (file.Source is null && size < file.ReadOffset)
            {
                // What was read behind its end stands nowhere any more: by what it has it is known again when it is compressed.
                file.Size = size;
                file.Fingerprint = TailedFile.ReadFingerprint(source);
            }

            file.Identity = FileIdentity.Of(stat);
            file.Path = found.Path;
            if (found.IsLive && file.IsRestored)
            {
                // An earlier run may have shipped other lines from behind its last checkpoint: these must not have their ids.
                file.Key = 0;
            }

            // Where more was read than the copy has, nothing of it is left to be read.
            if (file.Source is null && !file.DoneReading && size >= file.ReadOffset)
            {
                file.Source = source;
                file.EndSeen = false;
                file.Size = source.IsCompressed ? file.Size : stat.Size;
                file.VerifiedSize = file.Size;
                context.OpenFiles++;
                keep = true;
            }

            owners.Own(target, file);
            target.IsChanged = true;
            return true;
        }
        catch (InvalidDataException)
        {
            return false; // compression is still under way, or it is no gzip file
        }
        finally
        {
            if (!keep)
            {
                source.Dispose();
            }
        }
    }

    /// <summary>The last four bytes of a gzip file: its decompressed size modulo 2^32.</summary>
    public static uint CompressedSize(in FoundFile found)
    {
        using Microsoft.Win32.SafeHandles.SafeFileHandle? handle = Native.TryOpen(found.Path, out _);
        Span<byte> trailer = stackalloc byte[4];
        return handle is not null && found.Stat.Size > 4 && RandomAccess.Read(handle, trailer, found.Stat.Size - 4) == 4
            ? BinaryPrimitives.ReadUInt32LittleEndian(trailer)
            : 0;
    }

    /// <summary>Opens the file at the path where it is the same that is known.</summary>
    public bool TryOpen(TailedTarget target, TailedFile file, string path, bool mustBeginAlike)
    {
        IByteSource? source = TailedFile.TryOpen(path, out FileStat stat, out int error);
        if (source is null)
        {
            if (error is not (0 or Native.NoSuchFile or Native.NotADirectory))
            {
                target.Say(TailNoticeKind.Unreadable, Native.ErrorText(error));
            }

            return false;
        }

        if (!file.Identity.MayBe(FileIdentity.Of(stat)) || (mustBeginAlike && !file.HasSameContent(source)))
        {
            source.Dispose();
            return false;
        }

        file.Path = path;
        if (file.DoneReading)
        {
            file.LastModify = stat.ModifyNanos;
            source.Dispose();
            return true;
        }

        file.Source = source;
        context.OpenFiles++;
        file.EndSeen = false;
        if (!source.IsCompressed && stat.Size >= file.ReadOffset)
        {
            file.Size = stat.Size;
            file.TryExtendFingerprint();
        }

        owners.Own(target, file);
        return true;
    }
}
