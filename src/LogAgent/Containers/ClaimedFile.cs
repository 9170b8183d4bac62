using LogAgent.Tailing;

namespace LogAgent.Containers;

/// <summary>One claim's view of a file.</summary>
internal sealed record ClaimedFile(FoundPath Found, FieldSet Fields, StartAt Start)
{
    /// <summary>When it, or a generation of it, was last there.</summary>
    public DateTimeOffset LastSeen { get; set; }
}
