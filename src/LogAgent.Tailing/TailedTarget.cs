using LogAgent.Tailing.Checkpoints;
using LogAgent.Tailing.Linux;
using LogAgent.Tailing.Parsing;

namespace LogAgent.Tailing;

/// <summary>One target with its file generations, oldest first. Owns the files. Used by the tail loop's thread only.</summary>
internal sealed class TailedTarget
{
    // Writers of a renamed plain file may go on for a while; what they append then must not run into the next file's numbers.
    private const long RoomForLateWriters = 1 << 20;

    private readonly TailContext _context;
    private readonly byte[] _idPrefix;
    private (TailNoticeKind Kind, string Detail)? _said;
    private ulong _refusedInode;
    private long _refusedAt;
    private long _held;

    public TailedTarget(TailTarget target, TargetCheckpoint? checkpoint, TailContext context)
    {
        Target = target;
        _context = context;
        _idPrefix = RecordId.Prefix(Hash64.OfText(target.Id));
        LivePaths = [.. RotatedNames.LivePathsOf(target.Path)];
        Parser = target.Format switch
        {
            TailFormat.PlainText => new PlainTextParser(target.Encoding),
            TailFormat.DockerLocal => new DockerLocalParser(),
            _ => new DockerJsonParser(),
        };
        if (checkpoint is null)
        {
            return;
        }

        IsKnown = true;
        foreach (FileCheckpoint file in checkpoint.Files)
        {
            Files.Add(new TailedFile(target.Path, file.Identity, file.Offset, file.Tail)
            {
                Fingerprint = file.Fingerprint,
                Key = file.Key,
                IdPrefix = file.Key == 0 ? [] : PrefixOf(file.Key),
                Epoch = file.Epoch,
                Base = file.Base,
                Size = file.Size,
                VerifiedSize = file.Size,
                DoneReading = file.Finished,
                IsRestored = true,
                Moved = true,
                Days = [.. file.Days],
                Splits = [.. file.Splits],
            });
        }

        if (checkpoint.RemovedAt > 0 && Files.Count > 0 && Files[^1].Identity.Inode != 0)
        {
            // It is there again, and its last file may have grown.
            Files[^1].DoneReading = false;
        }
    }

    /// <summary>As it was last given; its fields may change, not its path.</summary>
    public TailTarget Target { get; set; }

    /// <summary>The paths that this one may be a rotated generation of: while a target reads one of them, this one is not read.</summary>
    public string[] LivePaths { get; }

    public bool IsDocker => Target.Format != TailFormat.PlainText;

    public List<TailedFile> Files { get; } = [];

    public ILineParser Parser { get; }

    /// <summary>Records that wait for more pieces, by stream.</summary>
    public PendingRecord[] Pending { get; } = [new(), new(), new()];

    /// <summary>A checkpoint or an earlier look knows its files: what is new has begun since.</summary>
    public bool IsKnown { get; private set; }

    public bool IsScanned { get; private set; }

    /// <summary>It was removed: what there is is read, then it is done.</summary>
    public bool IsRemoved { get; set; }

    /// <summary>It is to be looked at in the next pass.</summary>
    public bool IsHinted { get; set; } = true;

    /// <summary>It has a place among those that are read.</summary>
    public bool IsQueued { get; set; }

    /// <summary>It was removed and is done with.</summary>
    public bool IsRetired { get; set; }

    /// <summary>Its checkpoint is not what was last encoded. Set by completing threads, too.</summary>
    public volatile bool IsChanged;

    /// <summary>Time of its last record, for those that have none of their own.</summary>
    public long LastTimeNanos { get; set; }

    /// <summary>Bytes of the memory budget that its batches in flight hold.</summary>
    public long Held => Volatile.Read(ref _held);

    public TailedFile? Live => Files.Count > 0 && !Files[^1].Moved ? Files[^1] : null;

    /// <summary>Some file of it has bytes that were not read.</summary>
    public bool HasUnread => Files.Exists(static file => file.HasUnread);

    public bool HasPending => Pending[0].IsActive || Pending[1].IsActive || Pending[2].IsActive;

    /// <summary>A batch of so many bytes is handed out.</summary>
    public void Hold(int bytes) => Interlocked.Add(ref _held, bytes);

    /// <summary>A batch is completed. Called by completing threads.</summary>
    public void Release(int bytes) => Interlocked.Add(ref _held, -bytes);

    public bool IsPendingFrom(TailedFile file)
    {
        foreach (PendingRecord pending in Pending)
        {
            if (pending.IsActive && pending.File == file)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>It was removed and is there again.</summary>
    public void Return()
    {
        if (IsRemoved && Live is { } live)
        {
            live.DoneReading = false;
        }

        IsRemoved = false;
    }

    public bool Reads(FileIdentity identity) => Files.Exists(f => f.Identity == identity);

    public TailedFile? Find(FileIdentity identity) => Files.Find(f => f.Identity == identity);

    public void Scanned(bool foundAny)
    {
        IsScanned = true;
        IsKnown |= foundAny;
        IsChanged = true;
    }

    /// <summary>A file at the path that is not read (not allowed, read elsewhere) is tried again now and then.</summary>
    public bool MayTryAgain(in FileStat stat)
    {
        if (stat.Inode == _refusedInode && !_context.HasPassed(_refusedAt, TimeSpan.FromSeconds(1)))
        {
            return false;
        }

        _refusedInode = stat.Inode;
        _refusedAt = _context.Timestamp;
        return true;
    }

    /// <summary>A notice that is not repeated while the trouble stays the same.</summary>
    public void Say(TailNoticeKind kind, string detail)
    {
        if (_said != (kind, detail))
        {
            _said = (kind, detail);
            _context.Notify(new TailNotice(kind, Target.Id, Target.Path, 0, detail));
        }
    }

    public void Said((TailNoticeKind Kind, string Detail)? said) => _said = said;

    /// <summary>What is to be written of it.</summary>
    public TargetCheckpoint Checkpoint()
    {
        List<FileCheckpoint> files = new(Files.Count);
        lock (_context.Gate)
        {
            foreach (TailedFile file in Files)
            {
                Days.Trim(file.Days, file.Window.Offset);
                file.Splits.RemoveAll(s => s <= file.Window.Offset);
                files.Add(new FileCheckpoint
                {
                    Identity = file.Identity,
                    Fingerprint = file.Fingerprint,
                    Key = file.Key,
                    Epoch = file.Epoch,
                    Base = file.Base,
                    Offset = file.Window.Offset,
                    Tail = file.Window.Tail,
                    Size = file.DoneReading ? file.Size : Math.Max(file.Size, file.ReadOffset),
                    Finished = IsFinishedUnderGate(file),
                    Days = [.. file.Days],
                    Splits = [.. file.Splits],
                });
            }
        }

        return new TargetCheckpoint(Target.Id, files);
    }

    /// <summary>All that was read of it is acknowledged, and nothing more will be read.</summary>
    public bool IsFinished(TailedFile file)
    {
        lock (_context.Gate)
        {
            return IsFinishedUnderGate(file);
        }
    }

    /// <summary>Closes files that are done with. True when all are.</summary>
    public bool CloseFinished()
    {
        bool all = true;
        for (int i = Files.Count - 1; i >= 0; i--)
        {
            TailedFile file = Files[i];
            if (!file.DoneReading)
            {
                all = false;
                continue;
            }

            if (!IsFinished(file))
            {
                all = false;
            }
            else if (file.Source is not null && !HasPending)
            {
                Close(file);
                IsChanged = true;
                _context.Notify(new TailNotice(TailNoticeKind.Finished, Target.Id, file.Path, file.ReadOffset, "Read to its end and acknowledged."));
            }
            else if (file.Source is null && file.Identity.Inode == 0 && Files.Count > 1)
            {
                Files.RemoveAt(i);
                IsChanged = true;
            }
        }

        return all;
    }

    /// <summary>Before a file is read: its place in the sequence and its ids, where it has none yet.</summary>
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

                long room = IsDocker ? 0 : RoomForLateWriters;
                sequence = Math.Max(sequence, Math.Max(0, earlier.Base) + Math.Max(earlier.Size, earlier.ReadOffset) + room);
            }

            file.Base = sequence;
            IsChanged = true;
        }

        if (file.Key == 0)
        {
            Span<byte> start = stackalloc byte[64];
            start = start[..(file.Source is { } source ? TailedFile.TryRead(source, start, 0) : 0)];
            file.IsBigEndian = start is [0xfe, 0xff, ..];
            int line = start.IndexOf((byte)'\n');
            ulong content = Hash64.OfBytes(line < 0 ? start : start[..line]);
            // Of one that is gone there is no content: its place tells it from others that are.
            string place = file.Source is null ? $"{file.Base}/{file.Epoch}" : $"{file.Epoch}";
            file.Key = Hash64.OfText($"{Target.Id}\n{file.Identity.Device}\n{file.Identity.Inode}\n{file.Identity.BirthNanos}\n{place}\n{content}");
            file.IdPrefix = PrefixOf(file.Key);
            IsChanged = true;
        }
        else if (file.IsRestored && Target.Encoding == TextEncoding.Utf16 && file.Source is not null)
        {
            Span<byte> start = stackalloc byte[2];
            file.IsBigEndian = TailedFile.TryRead(file.Source, start, 0) == 2 && start is [0xfe, 0xff];
        }

        if (file.HoldAt < 0 && HasPending && !IsPendingFrom(file))
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
        if (file.Carry is null && IsPendingFrom(file))
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
        AckWindow.HeldSlots? released = null;
        foreach (TailedFile file in Files)
        {
            if (file.Carry is { } carry && !IsPendingFrom(file))
            {
                (released ??= new()).Add(file.Window, carry);
                file.Carry = null;
            }
        }

        return released;
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

    private static bool IsFinishedUnderGate(TailedFile file) => file.DoneReading && file.Gap is null && file.Window.Waiting == 0;

    /// <summary>Records of Docker carry a time in their ids: the target alone makes the rest, so that they are the same without any checkpoint.</summary>
    private byte[] PrefixOf(ulong key) => IsDocker ? _idPrefix : RecordId.Prefix(key);
}
