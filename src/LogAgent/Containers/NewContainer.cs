namespace LogAgent.Containers;

/// <summary>A container whose directory has just appeared, as far as it is known.</summary>
internal sealed class NewContainer
{
    /// <summary>Its files were read, and it was reported; null before.</summary>
    public ContainerInfo? Info { get; set; }

    /// <summary>Its log was seen to appear.</summary>
    public bool HasLogged { get; set; }

    /// <summary>Where its log was opened; empty before.</summary>
    public string Held { get; set; } = "";
}
