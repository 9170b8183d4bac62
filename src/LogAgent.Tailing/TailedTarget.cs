using LogAgent.Tailing.Checkpoints;
using LogAgent.Tailing.Linux;
using LogAgent.Tailing.Parsing;

namespace LogAgent.Tailing;

/// <summary>
/// One target with its file generations, oldest first: finds out what became of them at each look. Owns the files. Used by
/// the tail loop's thread only.
/// </summary>
internal sealed class TailedTarget
{
    private readonly TailContext _context;
    private bool _scanned;
    private bool _known; // a checkpoint or an earlier look knows its files
    private TailNoticeKind? _said;
    private AckWindow.HeldSlots? _released;

    public TailedTarget(TailTarget target, TargetCheckpoint? checkpoint, TailContext context)
    {
        Target = target;
        _context = context;
        Parser = target.Format == TailFormat.DockerJson ? new DockerJsonParser() : new PlainTextParser();
        if (checkpoint is null)
        {
            return;
        }

        _known = true;
        foreach (FileCheckpoint file in checkpoint.Files)
        {
            Files.Add(new TailedFile(target.Path, file.Identity, file.Offset, file.Tail)
            {
                Fingerprint = file.Fingerprint,
                CopyInode = file.CopyInode,
                Key = file.Key,
                IdPrefix = PrefixOf(file.Key),
                Epoch = file.Epoch,
                Base = file.Base,
                Size = file.Size,
                DoneReading = file.Finished,
                Moved = true,
                Days = [.. file.Days],
                Splits = [.. file.Splits],
            });
        }
    }

    /// <summary>As it was last given; its fields may change, not its path.</summary>
    public TailTarget Target { get; set; }

    public bool IsDocker => Target.Format != TailFormat.PlainText;

    public List<TailedFile> Files { get; } = [];

    public ILineParser Parser { get; }

    /// <summary>Records that wait for more pieces, by stream.</summary>
    public PendingRecord[] Pending { get; } = [new(), new(), new()];

    /// <summary>It was removed: what there is is read, then it is done.</summary>
    public bool IsRemoved { get; set; }

    /// <summary>Its checkpoint is not what was last encoded.</summary>
    public bool IsChanged { get; set; }

    public TailedFile? Live => Files.Count > 0 && !Files[^1].Moved ? Files[^1] : null;

    public bool HasPending => Pending[0].IsActive || Pending[1].IsActive || Pending[2].IsActive;

    /// <summary>Looks at the path: sizes, rotation, truncation. Opens what is new. Reads no content but fingerprints.</summary>
    public void Look()
    {
        bool exists = Native.TryStat(Target.Path, out FileStat stat, out int error);
        if (!exists && error is not (Native.NoSuchFile or Native.NotADirectory))
        {
            Say(TailNoticeKind.Unreadable, Native.ErrorText(error));
            return;
        }

        if (exists && !stat.IsRegular)
        {
            Say(TailNoticeKind.NotAFile, stat.IsDirectory ? "It is a directory." : "It is a FIFO, a socket or a device.");
            exists = false;
        }

        TailedFile? live = Live;
        bool same = exists && live is not null && live.Identity.Inode == stat.Inode && live.Identity.Device == stat.Device;
        if (!_scanned || (exists ? !same : live is not null))
        {
            Scan();
        }
        else if (same)
        {
            LookAtLive(live!, stat);
        }

        foreach (TailedFile file in Files)
        {
            if (file.Moved && !file.DoneReading)
            {
                file.RefreshSize();
            }
        }
    }

    /// <summary>What is to be written of it.</summary>
    public TargetCheckpoint Checkpoint()
    {
        List<FileCheckpoint> files = new(Files.Count);
        lock (_context.Gate)
        {
            foreach (TailedFile file in Files)
            {
                files.Add(new FileCheckpoint
                {
                    Identity = file.Identity,
                    Fingerprint = file.Fingerprint,
                    CopyInode = file.CopyInode,
                    Key = file.Key,
                    Epoch = file.Epoch,
                    Base = file.Base,
                    Offset = file.Window.Offset,
                    Tail = file.Window.Tail,
                    Size = file.Size,
                    Finished = IsFinished(file),
                    Days = [.. file.Days],
                    Splits = [.. file.Splits.Where(s => s > file.Window.Offset)],
                });
            }
        }

        return new TargetCheckpoint(Target.Id, files);
    }

    /// <summary>All that was read of it is acknowledged, and nothing more will be read.</summary>
    public static bool IsFinished(TailedFile file) => file.DoneReading && file.Window.Waiting == 0 && file.Window.Offset >= file.ReadOffset;

    /// <summary>Closes files that are done with. True when all are.</summary>
    public bool CloseFinished()
    {
        bool all = true;
        foreach (TailedFile file in Files)
        {
            bool finished;
            lock (_context.Gate)
            {
                finished = IsFinished(file);
            }

            all &= finished;
            if (finished && file.Source is not null && !Array.Exists(Pending, p => p.IsActive))
            {
                Close(file);
                IsChanged = true;
                _context.Notify(new TailNotice(TailNoticeKind.Finished, Target.Id, file.Path, file.ReadOffset, "Read to its end and acknowledged."));
            }
        }

        return all;
    }

    /// <summary>Before a file is first read: its place in the sequence and its ids.</summary>
    public void Begin(TailedFile file)
    {
        if (file.Base < 0)
        {
            long sequence = 0;
            foreach (TailedFile earlier in Files)
            {
                if (earlier == file)
                {
                    break;
                }

                sequence = Math.Max(sequence, Math.Max(0, earlier.Base) + Math.Max(earlier.Size, earlier.ReadOffset));
            }

            file.Base = sequence;
            IsChanged = true;
        }

        if (file.Key == 0)
        {
            file.Key = Target.Format == TailFormat.PlainText
                ? Hash64.OfText($"{Target.Id}\n{file.Identity.Device}\n{file.Identity.Inode}\n{file.Identity.BirthNanos}\n{file.Epoch}")
                : Hash64.OfText(Target.Id);
            file.IdPrefix = PrefixOf(file.Key);
            IsChanged = true;
        }

        if (file.HoldAt < 0 && Array.Exists(Pending, p => p.IsActive && p.File != file))
        {
            lock (_context.Gate)
            {
                (file.HoldAt, file.HoldTail) = (file.Window.Offset, file.Window.Tail);
            }
        }
    }

    /// <summary>Nothing more comes from this file. A record that goes on in the next one holds its checkpoint back.</summary>
    public void End(TailedFile file)
    {
        file.DoneReading = true;
        IsChanged = true;
        if (Array.Exists(Pending, p => p.IsActive && p.File == file))
        {
            lock (_context.Gate)
            {
                file.Carry = file.Window.Add(file.ReadOffset, file.Tail);
            }
        }
    }

    /// <summary>The slots of earlier files that the batch now emitted sets free: no record that began there is pending any more. Call with the gate held.</summary>
    public AckWindow.HeldSlots? TakeReleased()
    {
        _released = null;
        foreach (TailedFile file in Files)
        {
            if (file.Carry is { } carry && !Array.Exists(Pending, p => p.IsActive && p.File == file))
            {
                (_released ??= new()).Add(file.Window, carry);
                file.Carry = null;
            }
        }

        return _released;
    }

    public void Close(TailedFile file)
    {
        if (file.Source is not null)
        {
            file.Close();
            _context.OpenFiles--;
        }
    }

    public void CloseAll()
    {
        foreach (TailedFile file in Files)
        {
            Close(file);
        }
    }

    private static byte[] PrefixOf(ulong key) => key == 0 ? [] : RecordId.Prefix(key);

    private void LookAtLive(TailedFile file, in FileStat stat)
    {
        file.Size = stat.Size;
        file.LastModify = stat.ModifyNanos;
        if (stat.Size < file.ReadOffset)
        {
            return; // truncated: the reader finds out
        }

        if (file.Source is null && file.HasUnread && !TryReopen(file, file.Path))
        {
            file.Moved = true; // another file stands there
            Scan();
        }
    }

    /// <summary>Finds all generations on disk, recognises those that are known, opens those that are not.</summary>
    private void Scan()
    {
        List<FoundFile> found = [];
        for (int attempt = 0; attempt < 4; attempt++)
        {
            found = RotatedFiles.List(Target.Path);
            foreach (FoundFile one in found)
            {
                if (Recognise(one) is null)
                {
                    Adopt(one, atEnd: !_known && Target.Start == StartAt.End);
                }
            }

            // A rotation in between may have moved a file past us: only two equal listings count.
            if (found.SequenceEqual(RotatedFiles.List(Target.Path), SameFile.Instance))
            {
                break;
            }
        }

        foreach (TailedFile file in Files)
        {
            file.Moved = true;
            file.Nameless = true;
        }

        foreach (FoundFile one in found)
        {
            if (Recognise(one) is { } file)
            {
                file.Nameless = false;
                if (one.IsLive)
                {
                    file.Moved = false;
                    file.Size = one.Stat.Size;
                    Files.Remove(file);
                    Files.Add(file);
                }
            }
        }

        // What was acknowledged in full and has no name any more is forgotten.
        for (int i = Files.Count - 1; i >= 0; i--)
        {
            TailedFile file = Files[i];
            if (file.Nameless && file.Source is null && Files.Count > 1)
            {
                bool finished;
                lock (_context.Gate)
                {
                    finished = IsFinished(file);
                }

                if (finished)
                {
                    Files.RemoveAt(i);
                }
            }
        }

        _scanned = true;
        _known |= found.Count > 0;
        IsChanged = true;
    }

    private TailedFile? Recognise(in FoundFile found)
    {
        FileIdentity identity = FileIdentity.Of(found.Stat);
        for (int i = Files.Count - 1; i >= 0; i--)
        {
            TailedFile file = Files[i];
            if (!file.Identity.MayBe(identity))
            {
                continue;
            }

            if (file.Source is not null || (file.DoneReading && identity.BirthNanos != 0))
            {
                file.Path = found.Path;
                return file;
            }

            if (TryReopen(file, found.Path))
            {
                return file;
            }
        }

        return null;
    }

    /// <summary>Opens the file at the path where it is the same that is known.</summary>
    private bool TryReopen(TailedFile file, string path)
    {
        IByteSource? source = TailedFile.TryOpen(path, out FileStat stat, out int error);
        if (source is null)
        {
            if (error != 0)
            {
                Say(TailNoticeKind.Unreadable, Native.ErrorText(error));
            }

            return false;
        }

        if (!file.Identity.MayBe(FileIdentity.Of(stat)) || !file.BeginsLike(source))
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
        _context.OpenFiles++;
        file.Size = source.IsCompressed ? file.Size : stat.Size;
        file.EndSeen = false;
        return true;
    }

    private void Adopt(in FoundFile found, bool atEnd)
    {
        IByteSource? source = TailedFile.TryOpen(found.Path, out FileStat stat, out int error);
        if (source is null)
        {
            if (error is not (0 or Native.NoSuchFile))
            {
                Say(TailNoticeKind.Unreadable, Native.ErrorText(error));
            }

            return;
        }

        TailedFile file = new(found.Path, FileIdentity.Of(stat), 0, default)
        {
            Source = source,
            Fingerprint = TailedFile.ReadFingerprint(source),
            Size = source.IsCompressed ? 0 : stat.Size,
            Moved = !found.IsLive,
        };
        Files.Add(file);
        _context.OpenFiles++;
        _said = null;
        _context.Notify(new TailNotice(TailNoticeKind.Opened, Target.Id, found.Path, stat.Size, ""));
    }

    private void Say(TailNoticeKind kind, string detail)
    {
        if (_said != kind)
        {
            _said = kind;
            _context.Notify(new TailNotice(kind, Target.Id, Target.Path, 0, detail));
        }
    }

    private sealed class SameFile : IEqualityComparer<FoundFile>
    {
        public static readonly SameFile Instance = new();

        public bool Equals(FoundFile a, FoundFile b) => a.Path == b.Path && a.Stat.Inode == b.Stat.Inode && a.Stat.Device == b.Stat.Device;

        public int GetHashCode(FoundFile found) => found.Path.GetHashCode(StringComparison.Ordinal);
    }
}
