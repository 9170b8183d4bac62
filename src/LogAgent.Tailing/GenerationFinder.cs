using System.Buffers.Binary;
using LogAgent.Tailing.Checkpoints;
using LogAgent.Tailing.Linux;

namespace LogAgent.Tailing;

/// <summary>
/// Finds out what became of a target's files: which of those on disk are known whatever their name is now, which are new,
/// which are gone. Used on the tail loop's thread only.
/// </summary>
internal sealed class GenerationFinder(TailContext context)
{
    /// <summary>Which target reads an inode: one target at most does.</summary>
    private readonly Dictionary<(ulong Device, ulong Inode), TailedTarget> _owners = [];

    /// <summary>Looks at the path: size, rotation, truncation. Opens what is new. Reads no content but fingerprints.</summary>
    public void Look(TailedTarget target)
    {
        bool exists = Native.TryStat(target.Target.Path, out FileStat stat, out int error);
        if (!exists && error is not (Native.NoSuchFile or Native.NotADirectory))
        {
            target.Say(TailNoticeKind.Unreadable, Native.ErrorText(error));
            return;
        }

        if (exists && !stat.IsRegular)
        {
            target.Say(TailNoticeKind.NotAFile, stat.IsDirectory ? "It is a directory." : "It is a FIFO, a socket or a device; those are not read.");
            exists = false;
        }

        TailedFile? live = target.Live;
        bool same = exists && live is not null && live.Identity.Inode == stat.Inode && live.Identity.Device == stat.Device;
        if (same && target.IsScanned)
        {
            LookAtLive(target, live!, stat);
        }
        else if (!target.IsScanned || live is not null || target.MayTryAgain(stat))
        {
            Scan(target);
        }

        foreach (TailedFile file in target.Files)
        {
            if (file.Moved && !file.DoneReading)
            {
                file.RefreshSize();
            }
        }
    }

    /// <summary>The content before the read offset is not what it was, or the file is shorter: what was there is a generation of its own, and a new one begins at 0.</summary>
    public void Truncate(TailedTarget target, TailedFile file, bool grownAgain)
    {
        Split(target, file, grownAgain);
        Scan(target);
    }

    private void Split(TailedTarget target, TailedFile file, bool grownAgain)
    {
        long lost = Math.Max(0, file.VerifiedSize - file.ReadOffset);
        context.Notify(new TailNotice(TailNoticeKind.Truncated, target.Target.Id, file.Path, 0, grownAgain ? "It was truncated and has grown again." : "It was truncated."));
        IByteSource? source = file.Source;
        TailedFile next = new(file.Path, file.Identity, 0, default) { Epoch = file.Epoch + 1, Source = source, Moved = file.Moved };
        if (source is not null)
        {
            next.Fingerprint = TailedFile.ReadFingerprint(source);
            next.Size = source.Stat().Size;
            next.VerifiedSize = next.Size;
        }

        file.Source = null;
        file.Moved = true;
        file.Nameless = true;
        file.Identity = default;
        file.Size = Math.Max(file.VerifiedSize, file.ReadOffset);
        file.GapUnlessCopied = new Gap(lost, "truncated", grownAgain ? "the file was truncated and written again, perhaps more than once" : "the file was truncated");
        target.Files.Insert(target.Files.IndexOf(file) + 1, next);
        target.IsChanged = true;
    }

    /// <summary>copytruncate may have left a copy, in which reading goes on; otherwise it is time to say what is lost.</summary>
    private static void SettleTruncated(TailedTarget target)
    {
        foreach (TailedFile file in target.Files)
        {
            if (file.GapUnlessCopied is not { } gap)
            {
                continue;
            }

            file.GapUnlessCopied = null;
            if (file.Source is null)
            {
                target.End(file);
                file.Gap = gap.Bytes > 0 || gap.Words.Contains("again", StringComparison.Ordinal) ? gap : null;
            }
        }
    }

    /// <summary>Before names are compared: a file that was truncated is not the generation any more that its inode stood for.</summary>
    private void SplitTruncated(TailedTarget target)
    {
        for (int i = 0; i < target.Files.Count; i++)
        {
            TailedFile file = target.Files[i];
            if (file.Source is { IsCompressed: false } source && !file.DoneReading)
            {
                long size = source.Stat().Size;
                if (size < file.ReadOffset || !file.HasSameContent(source))
                {
                    Split(target, file, grownAgain: size >= file.ReadOffset);
                    i++;
                }
                else
                {
                    file.Size = size;
                    file.TryExtendFingerprint();
                }
            }
        }
    }

    private void LookAtLive(TailedTarget target, TailedFile file, in FileStat stat)
    {
        if (stat.Size < file.ReadOffset)
        {
            if (file.Source is null && !TryOpen(target, file, file.Path, mustBeginAlike: false))
            {
                return;
            }

            Truncate(target, file, grownAgain: false);
            return;
        }

        bool rewritten = stat.ModifyNanos != file.LastModify && stat.Size == file.Size && stat.Size == file.ReadOffset && file.ReadOffset > 0;
        if (stat.Size < file.Size && file.ReadOffset < file.Size)
        {
            rewritten = true;
        }

        file.LastModify = stat.ModifyNanos;
        if (rewritten && file.Source is not null && (stat.Size < file.Size || !file.HasSameTail(file.Source)))
        {
            Truncate(target, file, grownAgain: true);
            return;
        }

        if (stat.Size > file.Size)
        {
            if (file.Size == 0)
            {
                // All that is known of it is that it was empty: it may have been copied away and truncated since.
                Scan(target);
                return;
            }

            file.Size = stat.Size;
            if (file.Source is not null && (file.ReadOffset == 0 ? !file.HasSameContent(file.Source) : !file.TryExtendFingerprint()))
            {
                Truncate(target, file, grownAgain: true);
                return;
            }

            file.TryExtendFingerprint();
        }
    }

    /// <summary>Opens a file that was closed, at the path where it was last seen. False where another file stands there: all is to be looked at again.</summary>
    public bool TryReopen(TailedTarget target, TailedFile file)
    {
        if (TryOpen(target, file, file.Path, mustBeginAlike: true))
        {
            return true;
        }

        Scan(target);
        return file.Source is not null;
    }

    /// <summary>Finds all generations on disk, recognises those that are known, opens those that are not.</summary>
    private void Scan(TailedTarget target)
    {
        List<FoundFile> found = [];
        Dictionary<FoundFile, TailedFile?> matched = [];
        SplitTruncated(target);
        TailedFile? live = target.Live;
        HashSet<TailedFile> known = [.. target.Files];
        for (int attempt = 0; attempt < 5; attempt++)
        {
            found = RotatedFiles.List(target.Target.Path);
            matched.Clear();

            // All that are known by their inode first: only what is left of the known ones may have been copied.
            foreach (FoundFile one in found)
            {
                matched[one] = Recognise(target, one);
            }

            foreach (FoundFile one in found)
            {
                matched[one] ??= RecogniseCopy(target, one, matched) ?? Adopt(target, one);
            }

            // A rotation in between may have moved a file past us: only two equal listings count.
            if (found.SequenceEqual(RotatedFiles.List(target.Target.Path), SameFile.Instance))
            {
                break;
            }
        }

        SettleTruncated(target);
        bool areNew = target.IsScanned && matched.Values.All(f => f is not null && !known.Contains(f));
        Arrange(target, found, matched);
        if (LostGenerations.Between(live, found, areNew) is { } gap)
        {
            matched[found[0]]!.Gap = gap;
        }

        ForgetAndLose(target, found.Count > 0 || target.IsRemoved);
        target.Scanned(found.Count > 0);
    }

    /// <summary>Brings the files into the order of their names, those without one after the file that they stood behind.</summary>
    private static void Arrange(TailedTarget target, List<FoundFile> found, Dictionary<FoundFile, TailedFile?> matched)
    {
        List<TailedFile> before = [.. target.Files];
        foreach (TailedFile file in before)
        {
            file.Moved = true;
            file.Nameless = true;
        }

        target.Files.Clear();
        foreach (FoundFile one in found)
        {
            if (matched[one] is not { } file || target.Files.Contains(file))
            {
                continue;
            }

            target.Files.Add(file);
            file.Path = one.Path;
            file.Nameless = false;
            if (one.IsLive)
            {
                file.Moved = false;
                file.Size = file.Source is { IsCompressed: false } source ? source.Stat().Size : file.Size;
            }
        }

        for (int i = 0; i < before.Count; i++)
        {
            if (before[i].Nameless)
            {
                target.Files.Insert(i == 0 ? 0 : target.Files.IndexOf(before[i - 1]) + 1, before[i]);
            }
        }
    }

    /// <summary>The target is done with: its files may be read by another one.</summary>
    public void Release(TailedTarget target)
    {
        foreach ((ulong Device, ulong Inode) inode in _owners.Where(o => o.Value == target).Select(o => o.Key).ToList())
        {
            _owners.Remove(inode);
        }
    }

    private static void ForgetAndLose(TailedTarget target, bool certain)
    {
        for (int i = target.Files.Count - 1; i >= 0; i--)
        {
            TailedFile file = target.Files[i];
            if (!file.Nameless || file.Source is not null || file.Gap is not null)
            {
                continue;
            }

            if (target.IsFinished(file))
            {
                // The last one stays: it says that the target is known.
                if (target.Files.Count > 1)
                {
                    target.Files.RemoveAt(i);
                }
            }
            else if (!file.DoneReading && certain)
            {
                long lost = Math.Max(0, file.Size - file.ReadOffset);
                target.End(file);
                if (lost > 0 || (target.IsDocker && file.Identity.Inode != 0))
                {
                    file.Gap = new Gap(lost, "rotated_away", "rotated away or deleted while it was not open");
                }
            }
        }
    }

    private TailedFile? Recognise(TailedTarget target, in FoundFile found)
    {
        FileIdentity identity = FileIdentity.Of(found.Stat);
        for (int i = target.Files.Count - 1; i >= 0; i--)
        {
            TailedFile file = target.Files[i];
            if (file.Identity.Inode == 0 || !file.Identity.MayBe(identity))
            {
                continue;
            }

            if (file.Source is not null || (file.DoneReading && identity.BirthNanos != 0) || TryOpen(target, file, found.Path, mustBeginAlike: true))
            {
                return file;
            }
        }

        return null;
    }

    /// <summary>A new inode with the content of a generation that has no name any more: compressed, copied, or written anew in its place.</summary>
    private TailedFile? RecogniseCopy(TailedTarget target, in FoundFile found, Dictionary<FoundFile, TailedFile?> matched)
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
            if (!same)
            {
                return false;
            }

            file.Identity = FileIdentity.Of(stat);
            file.Path = found.Path;
            if (file.Source is null && !file.DoneReading)
            {
                file.Source = source;
                file.EndSeen = false;
                file.Size = source.IsCompressed ? file.Size : stat.Size;
                file.VerifiedSize = file.Size;
                context.OpenFiles++;
                keep = true;
            }

            Own(target, file);
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
    private static uint CompressedSize(in FoundFile found)
    {
        using Microsoft.Win32.SafeHandles.SafeFileHandle? handle = Native.TryOpen(found.Path, out _);
        Span<byte> trailer = stackalloc byte[4];
        return handle is not null && found.Stat.Size > 4 && RandomAccess.Read(handle, trailer, found.Stat.Size - 4) == 4
            ? BinaryPrimitives.ReadUInt32LittleEndian(trailer)
            : 0;
    }

    /// <summary>Opens the file at the path where it is the same that is known.</summary>
    private bool TryOpen(TailedTarget target, TailedFile file, string path, bool mustBeginAlike)
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

        Own(target, file);
        return true;
    }

    private TailedFile? Adopt(TailedTarget target, in FoundFile found)
    {
        if (_owners.TryGetValue((found.Stat.Device, found.Stat.Inode), out TailedTarget? owner) && owner != target && owner.Reads(FileIdentity.Of(found.Stat)))
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
                file.Size = source.IsCompressed ? CompressedSize(found) : stat.Size;
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
        Own(target, file);
        target.Said(null);
        context.Notify(new TailNotice(TailNoticeKind.Opened, target.Target.Id, found.Path, stat.Size, ""));
        return file;
    }

    private void Own(TailedTarget target, TailedFile file) => _owners[(file.Identity.Device, file.Identity.Inode)] = target;

    /// <summary>Reading from the end begins at the start of a line.</summary>
    private static long LastLineEnd(TailedTarget target, IByteSource source, long size)
    {
        byte[] buffer = new byte[(int)Math.Min(size, 256 * 1024)];
        int read = source.Read(buffer, size - buffer.Length);
        return size - buffer.Length + target.Parser.LastEnd(buffer.AsSpan(0, read));
    }

    private sealed class SameFile : IEqualityComparer<FoundFile>
    {
        public static readonly SameFile Instance = new();

        public bool Equals(FoundFile a, FoundFile b) => a.Path == b.Path && a.Stat.Inode == b.Stat.Inode && a.Stat.Device == b.Stat.Device;

        public int GetHashCode(FoundFile found) => found.Path.GetHashCode(StringComparison.Ordinal);
    }
}
