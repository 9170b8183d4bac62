using LogAgent.Tailing.Checkpoints;
using LogAgent.Tailing.Linux;

namespace LogAgent.Tailing;

/// <summary>
/// Finds out what became of a target's files: which of those on disk are known whatever their name is now, which are new,
/// which are gone. Used on the tail loop's thread only.
/// </summary>
internal sealed class GenerationFinder
{
    private readonly DirectoryNames _directories;
    private readonly InodeOwners _owners = new();
    private readonly FileRecognition _recognition;
    private readonly FileAdoption _adoption;
    private readonly Truncation _truncation;

    public GenerationFinder(TailContext context)
    {
        _directories = new DirectoryNames(context);
        _recognition = new FileRecognition(context, _owners);
        _adoption = new FileAdoption(context, _owners);
        _truncation = new Truncation(context);
    }

    /// <summary>How often a directory was listed so far.</summary>
    public int Listed => _directories.Listed;

    /// <summary>The target is done with: its files may be read by another one.</summary>
    public void Release(TailedTarget target) => _owners.Release(target);

    /// <summary>At the end of a pass: what was listed in it is not kept.</summary>
    public void EndPass() => _directories.Forget();

    /// <summary>Looks at the path: size, rotation, truncation. Opens what is new. Reads no content but fingerprints.</summary>
    public void Look(TailedTarget target)
    {
        bool taken = _adoption.TakeHeld(target);
        bool exists = Native.TryStat(target.Target.Path, out FileStat stat, out int error);
        if (!exists && !taken && error is not (Native.NoSuchFile or Native.NotADirectory))
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
        if (same && target.IsScanned && !taken)
        {
            LookAtLive(target, live!, stat);
        }
        else if (taken || !target.IsScanned || live is not null || target.MayTryAgain(stat))
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
        _truncation.Split(target, file, grownAgain);
        Scan(target);
    }

    private void LookAtLive(TailedTarget target, TailedFile file, in FileStat stat)
    {
        if (stat.Size < file.ReadOffset)
        {
            if (file.Source is null && !_recognition.TryOpen(target, file, file.Path, mustBeginAlike: false))
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
        if (_recognition.TryOpen(target, file, file.Path, mustBeginAlike: true))
        {
            return true;
        }

        Scan(target);
        return file.Source is not null;
    }

    /// <summary>What is known of the target's files is not what is on disk.</summary>
    public void LookAgain(TailedTarget target) => Scan(target);

    /// <summary>Finds all generations on disk, recognises those that are known, opens those that are not.</summary>
    private void Scan(TailedTarget target)
    {
        List<FoundFile> found = [];
        Dictionary<FoundFile, TailedFile?> matched = [];
        _truncation.SplitTruncated(target);
        TailedFile? live = target.Live;
        HashSet<TailedFile> known = [.. target.Files];
        for (int attempt = 0; attempt < 5; attempt++)
        {
            found = RotatedFiles.List(target.Target.Path, _directories);
            matched.Clear();

            // All that are known by their inode first: only what is left of the known ones may have been copied.
            foreach (FoundFile one in found)
            {
                matched[one] = _recognition.Recognise(target, one);
            }

            foreach (FoundFile one in found)
            {
                matched[one] ??= _recognition.RecogniseCopy(target, one, matched);
                if (matched[one] is null && !(live is not null && matched.ContainsValue(live) && CopiedFiles.IsUnderWay(live, one)))
                {
                    matched[one] = _adoption.Adopt(target, one);
                }
            }

            // A rotation in between may have moved a file past us: only two equal listings count.
            if (found.SequenceEqual(RotatedFiles.List(target.Target.Path, _directories), SameFile.Instance))
            {
                break;
            }
        }

        Truncation.Settle(target);
        bool areNew = target.IsScanned && matched.Values.All(f => f is not null && !known.Contains(f));
        Arrange(target, found, matched);
        if (LostGenerations.Between(live, found, areNew) is { } gap)
        {
            matched[found[0]]!.Gap = gap;
        }

        ForgetAndLose(target, found, matched);
        target.Scanned(found.Count > 0 || target.Files.Count > 0);
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

    private void ForgetAndLose(TailedTarget target, List<FoundFile> found, Dictionary<FoundFile, TailedFile?> matched)
    {
        bool certain = found.Count > 0 || target.IsRemoved;
        for (int i = target.Files.Count - 1; i >= 0; i--)
        {
            TailedFile file = target.Files[i];
            if (!file.Nameless || file.Source is not null || file.Gap is not null)
            {
                continue;
            }

            if (target.IsFinished(file))
            {
                // The last one stays: it says that the target is known. So does one whose inode nobody reads: what comes to stand there begins another epoch.
                if (target.Files.Count > 1 && !found.Exists(one => matched[one] is null && FileIdentity.Of(one.Stat) == file.Identity))
                {
                    _owners.LetGo(target, file);
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

    private sealed class SameFile : IEqualityComparer<FoundFile>
    {
        public static readonly SameFile Instance = new();

        public bool Equals(FoundFile a, FoundFile b) => a.Path == b.Path && a.Stat.Inode == b.Stat.Inode && a.Stat.Device == b.Stat.Device;

        public int GetHashCode(FoundFile found) => found.Path.GetHashCode(StringComparison.Ordinal);
    }
}
