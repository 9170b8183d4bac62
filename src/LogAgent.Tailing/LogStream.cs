namespace LogAgent.Tailing;

/// <summary>The stream of a container that a record was written to; <see cref="None"/> for a record of a plain file.</summary>
public enum LogStream : byte
{
    None = 0,
    Stdout = 1,
    Stderr = 2,
}
