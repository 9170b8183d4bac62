namespace LogAgent.Containers;

/// <summary>A claim, and what was found for it.</summary>
internal sealed class ClaimState(FileClaim claim)
{
    public FileClaim Claim { get; set; } = claim;

    /// <summary>Whether its files were looked for before: what is there at the first look is older than the agent's interest.</summary>
    public bool Looked { get; set; }

    /// <summary>Until then it is looked at every few milliseconds: its container has just changed.</summary>
    public DateTimeOffset EagerUntil { get; set; }

    /// <summary>When its container was destroyed; null while it is there.</summary>
    public DateTimeOffset? Released { get; set; }

    /// <summary>Host paths of its files.</summary>
    public HashSet<string> Paths { get; } = new(StringComparer.Ordinal);

    public HashSet<string> Said { get; } = [];
}
