namespace LogAgent.Configuration;

/// <summary>
/// Containers by globs (* and ?) of their name, their image (name:tag, or the name alone) or their labels (name, or name=value).
/// Any one of them suffices.
/// </summary>
internal sealed record ContainerMatch
{
    public IReadOnlyList<string> Names { get; init; } = [];

    public IReadOnlyList<string> Images { get; init; } = [];

    public IReadOnlyList<string> Labels { get; init; } = [];

    public bool IsEmpty => Names.Count + Images.Count + Labels.Count == 0;

    public static ContainerMatch Read(SectionReader section) => new()
    {
        Names = section.TextList("names"),
        Images = section.TextList("images"),
        Labels = section.TextList("labels"),
    };
}
