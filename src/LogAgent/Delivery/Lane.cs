namespace LogAgent.Delivery;

/// <summary>
/// One way through an output: what goes to one topic; everything, where the output names no ways. Records of different lanes
/// never share a group, so that a lane that takes nothing holds up what goes the same way and nothing else. The tail loop's
/// thread asks for room and adds, the worker's loop takes away.
/// </summary>
internal sealed class Lane
{
    /// <summary>Batches that may wait to be cut into groups.</summary>
    private const int MostBatches = 4096;

    /// <summary>
    /// Bytes of messages that may wait, where two groups are less: more would only be read earlier, and be in the way of the
    /// processor's caches.
    /// </summary>
    private const long FewestBytes = 4 << 20;

    private readonly OutputLanes _lanes;
    private int _queued;
    private long _queuedBytes;
    private long _held;
    private volatile bool _refused;

    public Lane(OutputLanes lanes, TimeProvider time)
    {
        _lanes = lanes;
        Cutter = new(time);
    }

    /// <summary>The batches that wait to be cut. The worker's loop alone uses it.</summary>
    public GroupCutter Cutter { get; }

    /// <summary>Sends under way. The worker's loop alone uses it.</summary>
    public int Sending { get; set; }

    /// <summary>Nothing more of it is sent in this look at the queue: an earlier group waits. The worker's loop alone uses it.</summary>
    public bool IsHeldUp { get; set; }

    /// <summary>Bytes of the memory budget that its batches hold.</summary>
    public long Held => Volatile.Read(ref _held);

    /// <summary>False: <see cref="OutputLanes.RoomMade"/> tells when it is worth to ask again.</summary>
    /// <param name="share">Bytes of the memory budget that its batches may hold for now.</param>
    public bool HasRoom(SendLimits limits, long share)
    {
        if (Fits(limits, share))
        {
            return true;
        }

        // Set before the second look: what is taken away after that look tells.
        _refused = true;
        return Fits(limits, share);
    }

    /// <summary>A batch is on its way to the worker.</summary>
    /// <param name="bytes">Of messages.</param>
    /// <param name="charge">Of the memory budget.</param>
    public void Enter(long bytes, int charge)
    {
        Interlocked.Increment(ref _queued);
        Interlocked.Add(ref _queuedBytes, bytes);
        Interlocked.Add(ref _held, charge);
    }

    /// <summary>Batches, and bytes of messages, that are in groups now.</summary>
    public void Cut(int batches, long bytes)
    {
        Interlocked.Add(ref _queued, -batches);
        Interlocked.Add(ref _queuedBytes, -bytes);
        Tell();
    }

    /// <summary>The output is done with a batch.</summary>
    public void Leave(int charge)
    {
        Interlocked.Add(ref _held, -charge);
        Tell();
    }

    private bool Fits(SendLimits limits, long share) =>
        Volatile.Read(ref _queued) < MostBatches
        && Volatile.Read(ref _queuedBytes) < Math.Max(FewestBytes, 2 * limits.GroupBytes)
        && Volatile.Read(ref _held) <= share;

    private void Tell()
    {
        if (_refused)
        {
            _refused = false;
            _lanes.RoomMade = true;
        }
    }
}
