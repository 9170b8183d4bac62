namespace LogAgent.Tailing;

/// <summary>
/// The targets that have something to be looked at or read, in the order of their turns: each pass, each of them has one slice.
/// Holds the files that are open within their limit. Used under the tail loop's pass.
/// </summary>
internal sealed class ReadQueue
{
    private readonly Queue<TailedTarget> _reads = new();
    private readonly TailContext _context;
    private readonly TargetSet _targets;
    private readonly TargetReading _reading;
    private readonly Func<TailTarget, bool> _hasRoom;
    private readonly Action<TailedTarget> _look;
    private readonly Action<TailedTarget> _prepare;
    private bool _mustWrite;

    /// <param name="hasRoom">False while nothing is to be read of a target.</param>
    public ReadQueue(TailContext context, TargetSet targets, GenerationFinder finder, TargetReading reading, Func<TailTarget, bool> hasRoom)
    {
        _context = context;
        _targets = targets;
        _reading = reading;
        _hasRoom = hasRoom;
        _look = finder.Look;
        _prepare = target => _mustWrite |= reading.Prepare(target);
    }

    /// <summary>Something that waits to be read could be read now.</summary>
    public bool HasRoom()
    {
        if (_context.Budget.Used + (_context.Options.Slice * 2L) > _context.Budget.Limit)
        {
            return false;
        }

        foreach (TailedTarget target in _reads)
        {
            if (HasRoom(target))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>A look at the files of a target, and a place in the queue.</summary>
    public void Look(TailedTarget target)
    {
        target.IsHinted = false;
        if (Array.Find(target.LivePaths, _targets.Reads) is { } live)
        {
            target.Say(TailNoticeKind.Warning, $"It is a rotated generation of {live} and is read with that.");
        }
        else
        {
            Try(target, _look);
        }

        if (!target.IsQueued)
        {
            target.IsQueued = true;
            _reads.Enqueue(target);
        }
    }

    /// <summary>True where the checkpoints must be on disk before this pass hands anything out.</summary>
    public bool Prepare()
    {
        _mustWrite = false;
        foreach (TailedTarget target in _reads)
        {
            if (!target.IsRetired)
            {
                Try(target, _prepare);
            }
        }

        return _mustWrite;
    }

    /// <summary>A slice of each. Adds those that were read to <paramref name="touched"/>.</summary>
    public PollResult Read(List<TailedTarget> touched)
    {
        long bytes = 0;
        bool more = false;
        bool waits = false;
        for (int count = _reads.Count; count > 0; count--)
        {
            TailedTarget target = _reads.Peek();
            if (target.IsRetired)
            {
                _reads.Dequeue(); // another one stands in its place
                continue;
            }

            if (!HasRoom(target))
            {
                waits = true;
                _reads.Enqueue(_reads.Dequeue());
                continue;
            }

            TargetRead read = default;
            try
            {
                read = _reading.Read(target);
            }
            catch (Exception e) when (e is IOException or InvalidDataException)
            {
                Trouble(target, e);
            }

            bytes += read.Bytes;
            more |= read.More;
            if (read.OutOfMemory)
            {
                // Who finds no memory keeps its place before the others: nobody starves while it is short.
                return new PollResult(bytes, more, OutOfMemory: true);
            }

            LimitOpenFiles();
            _reads.Dequeue();
            touched.Add(target);
            target.IsQueued = read.More;
            if (read.More)
            {
                _reads.Enqueue(target);
            }
        }

        return new PollResult(bytes, more || waits, OutOfMemory: waits && !more);
    }

    /// <summary>
    /// False: the target waits, and others go on. One whose records nobody takes (its index is blocked, its partition has no
    /// leader) may hold twice what it leaves free, so that memory is never all taken by those that are stuck.
    /// </summary>
    private bool HasRoom(TailedTarget target) =>
        target.Held <= 2 * Math.Max(0, _context.Budget.Limit - _context.Budget.Used) && _hasRoom(target.Target);

    /// <summary>Trouble with one file must not stop the others: it is said, and tried again at the next pass.</summary>
    private static void Trouble(TailedTarget target, Exception e) => target.Say(TailNoticeKind.Unreadable, e.Message);

    private void Try(TailedTarget target, Action<TailedTarget> step)
    {
        try
        {
            step(target);
            LimitOpenFiles();
        }
        catch (Exception e) when (e is IOException or InvalidDataException)
        {
            Trouble(target, e);
        }
    }

    /// <summary>Closes those that were not read for the longest time; they are found again by identity. What has no name any more stays open.</summary>
    private void LimitOpenFiles()
    {
        // One place stays free for the next file to be opened.
        if (_context.OpenFiles < _context.Options.OpenFiles)
        {
            return;
        }

        int close = _context.OpenFiles - Math.Max(1, _context.Options.OpenFiles * 9 / 10);
        foreach ((TailedTarget target, TailedFile file) in _targets.All
            .SelectMany(t => t.Files.Where(f => f.Source is not null && !f.Nameless && !t.IsRemoved && !t.HasPending).Select(f => (Target: t, File: f)))
            .OrderBy(f => f.File.HasUnread).ThenBy(f => f.File.LastRead).Take(close))
        {
            target.Close(file);
        }
    }
}
