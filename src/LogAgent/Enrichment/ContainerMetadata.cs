namespace LogAgent.Enrichment;

/// <summary>What is known of a container that goes onto its records; an empty text is left out.</summary>
internal sealed record ContainerMetadata
{
    public string Id { get; init; } = "";

    public string Name { get; init; } = "";

    public string ImageName { get; init; } = "";

    public string ImageTag { get; init; } = "";

    /// <summary>Empty: the compose service of the labels, if there is one.</summary>
    public string Service { get; init; } = "";

    public IReadOnlyDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>();
}
