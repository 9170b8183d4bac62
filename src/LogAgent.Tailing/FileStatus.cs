namespace LogAgent.Tailing;

/// <summary>Where the reading of one file stands. For a compressed file all offsets count decompressed bytes, and the size is that of what is known.</summary>
/// <param name="Size">Bytes when it was last looked at.</param>
/// <param name="ReadOffset">The next byte to be read.</param>
/// <param name="AcknowledgedOffset">Everything before it is done with by each output.</param>
/// <param name="Open">Whether its handle is open.</param>
/// <param name="Waits">For how long, at least, the oldest byte that is not yet acknowledged has been there.</param>
public readonly record struct FileStatus(string TargetId, string Path, long Size, long ReadOffset, long AcknowledgedOffset, bool Open, TimeSpan Waits)
{
    /// <summary>Bytes that are not yet acknowledged.</summary>
    public long Lag => Math.Max(0, Size - AcknowledgedOffset);
}
