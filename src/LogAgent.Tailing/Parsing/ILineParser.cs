namespace LogAgent.Tailing.Parsing;

/// <summary>One file format: where a line ends, and what stands in it. One instance a target, used on the tail loop's thread only.</summary>
internal interface ILineParser
{
    /// <summary>Whether the last piece that was parsed is shorter than what dockerd cuts, which only the end of a process makes.</summary>
    bool PieceIsShort { get; }

    /// <summary>Stands for the line that the last piece belongs to, its last one too; 0 where the format has only the time to tell.</summary>
    ulong PieceGroup { get; }

    /// <summary>Before a slice of this file is read.</summary>
    void Begin(TailedFile file);

    /// <summary>Length of the first line in <paramref name="data"/> with its ending, or -1 where its end is not there yet.</summary>
    /// <param name="offset">Offset of the data in the file.</param>
    int FindEnd(ReadOnlySpan<byte> data, long offset);

    /// <summary>End of the last whole line in what a file ends with, or 0.</summary>
    int LastEnd(ReadOnlySpan<byte> data);

    /// <summary>
    /// Looks at the line that stands in the batch's buffer and fills message, time, stream and flags of
    /// <paramref name="record"/>, as positions in that buffer. Its offset is filled already.
    /// </summary>
    /// <param name="length">With its ending; the last line of a file may have none.</param>
    LineKind Parse(BatchBuffer batch, int start, int length, ref LogRecord record);
}
