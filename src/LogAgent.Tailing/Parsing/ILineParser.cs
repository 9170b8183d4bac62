namespace LogAgent.Tailing.Parsing;

/// <summary>One file format: where a line ends, and what stands in it. Stateless but for caches; used on the tail loop's thread only.</summary>
internal interface ILineParser
{
    /// <summary>Length of the first line in <paramref name="data"/> with its ending, or -1 where its end is not there yet.</summary>
    /// <param name="offset">Offset of the data in the file.</param>
    int FindEnd(ReadOnlySpan<byte> data, long offset);

    /// <summary>
    /// Looks at the line that stands in <paramref name="buffer"/> and fills message, time, stream and flags of
    /// <paramref name="record"/>, as positions in that buffer.
    /// </summary>
    /// <param name="length">With its ending; the last line of a file may have none.</param>
    LineKind Parse(byte[] buffer, int start, int length, ref LogRecord record);
}
