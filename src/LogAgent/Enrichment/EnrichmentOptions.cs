namespace LogAgent.Enrichment;

/// <summary>What goes onto every record.</summary>
internal sealed record EnrichmentOptions
{
    /// <summary>host.name; empty is left out.</summary>
    public string Host { get; init; } = "";

    /// <summary>orchestrator.cluster.name; empty is left out.</summary>
    public string Cluster { get; init; } = "";

    /// <summary>Static fields by canonical name, dots for nesting. One whose name the record itself uses is refused: see <see cref="LogAgent.Configuration.StaticFields"/>.</summary>
    public IReadOnlyDictionary<string, string> Fields { get; init; } = new Dictionary<string, string>();

    /// <summary>True for schema: flat.</summary>
    public bool Flat { get; init; }

    public IReadOnlyList<string> LabelsAllow { get; init; } = ["*"];

    public IReadOnlyList<string> LabelsDeny { get; init; } = [];
}
