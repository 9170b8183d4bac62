namespace LogAgent.Containers;

/// <summary>A mount of a container.</summary>
/// <param name="Type">volume, bind, tmpfs ...</param>
/// <param name="Source">Path on the host; empty for tmpfs.</param>
/// <param name="Destination">Path in the container, without a final slash.</param>
internal sealed record ContainerMount(string Type, string Source, string Destination);
