namespace LogAgent.Tailing.Checkpoints;

/// <summary>
/// Acknowledgements of one file in read order (invariant I1): the offset moves on only over a run of slots that are all done,
/// in whatever order they were. Not thread-safe: the tail loop holds its gate around every call.
/// </summary>
internal sealed class AckWindow(long offset, ContentMark tail)
{
    private readonly Queue<Slot> _slots = new();

    /// <summary>Reading may begin here after a crash: everything before is done.</summary>
    public long Offset { get; private set; } = offset;

    /// <summary>The bytes before <see cref="Offset"/>.</summary>
    public ContentMark Tail { get; private set; } = tail;

    /// <summary>How many slots are not done or wait for an earlier one.</summary>
    public int Waiting => _slots.Count;

    /// <summary>A stretch of the file that was read. When it and all before it are done, the offset becomes <paramref name="resumeAt"/>.</summary>
    public Slot Add(long resumeAt, ContentMark tail)
    {
        Slot slot = new(resumeAt, tail);
        _slots.Enqueue(slot);
        return slot;
    }

    /// <summary>True where the offset moved.</summary>
    public bool Complete(Slot slot)
    {
        slot.Done = true;
        long before = Offset;
        while (_slots.TryPeek(out Slot? first) && first.Done)
        {
            Offset = first.ResumeAt;
            Tail = first.Tail;
            _slots.Dequeue();
            first.Releases?.Release();
        }

        return Offset != before;
    }

    internal sealed class Slot(long resumeAt, ContentMark tail)
    {
        public long ResumeAt => resumeAt;

        public ContentMark Tail => tail;

        public bool Done { get; set; }

        /// <summary>Set before the batch is emitted: what was held back in earlier files until the offset has passed this slot.</summary>
        public HeldSlots? Releases { get; set; }
    }

    /// <summary>Slots of earlier files that wait for one of a later file: a record that began there ended here.</summary>
    internal sealed class HeldSlots
    {
        private readonly List<(AckWindow Window, Slot Slot)> _held = [];

        public void Add(AckWindow window, Slot slot) => _held.Add((window, slot));

        public void Release()
        {
            foreach ((AckWindow window, Slot slot) in _held)
            {
                window.Complete(slot);
            }
        }
    }
}
