namespace LogAgent.Tailing;

/// <summary>What one pass of the tail loop came to.</summary>
/// <param name="BytesRead">Bytes of files that were read into batches.</param>
/// <param name="More">More is there to be read at once: another pass is worth while now.</param>
/// <param name="OutOfMemory">Reading stopped because the memory budget had nothing left; go on when it is released.</param>
public readonly record struct PollResult(long BytesRead, bool More, bool OutOfMemory);
