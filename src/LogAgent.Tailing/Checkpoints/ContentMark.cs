namespace LogAgent.Tailing.Checkpoints;

/// <summary>
/// A few bytes of a file as a length and a hash, to find out later whether they are still the same: the first bytes of a file
/// (its fingerprint, which grows with a short file), or the last bytes before an offset.
/// </summary>
internal readonly record struct ContentMark(int Length, ulong Hash)
{
    /// <summary>Bytes of a full fingerprint.</summary>
    public const int FingerprintLength = 1024;

    /// <summary>Bytes before an offset that are remembered.</summary>
    public const int TailLength = 64;

    public static ContentMark Of(ReadOnlySpan<byte> bytes) => new(bytes.Length, Hash64.OfBytes(bytes));

    /// <summary>The mark of the last bytes of <paramref name="bytes"/>.</summary>
    public static ContentMark OfTail(ReadOnlySpan<byte> bytes) => Of(bytes[^Math.Min(bytes.Length, TailLength)..]);

    /// <summary>True where the first bytes of <paramref name="bytes"/> are those of this mark.</summary>
    public bool IsStartOf(ReadOnlySpan<byte> bytes) => bytes.Length >= Length && Hash64.OfBytes(bytes[..Length]) == Hash;
}
