using LogAgent.Tailing.Linux;

namespace LogAgent.Tailing;

/// <summary>The bytes of one file, by offset. Owns its handle.</summary>
internal interface IByteSource : IDisposable
{
    /// <summary>Fills as much of <paramref name="destination"/> as there is; less than its length means the end for now.</summary>
    /// <exception cref="IOException">The file cannot be read.</exception>
    /// <exception cref="InvalidDataException">A compressed file is damaged.</exception>
    int Read(Span<byte> destination, long offset);

    /// <summary>Of the file itself: for a compressed one, its compressed size.</summary>
    FileStat Stat();

    /// <summary>Whether its content is final and its size is known only at the end.</summary>
    bool IsCompressed { get; }

    /// <summary>The first offset at or after this one that is not in a hole.</summary>
    long NextData(long offset, long size);
}
