namespace LogAgent.Containers;

/// <summary>
/// A sidecar by environment alone: LOGAGENT_FILES names the files, parted by commas, as the sidecar sees them; the others say whose
/// they are. Each may also come from a mounted file, named by the variable with _FILE at its end.
/// </summary>
internal sealed record SidecarOptions
{
    public required IReadOnlyList<string> Files { get; init; }

    /// <summary>LOGAGENT_CONTAINER_ID.</summary>
    public string ContainerId { get; init; } = "";

    /// <summary>LOGAGENT_CONTAINER_NAME.</summary>
    public string ContainerName { get; init; } = "";

    /// <summary>LOGAGENT_IMAGE, as name:tag.</summary>
    public string Image { get; init; } = "";

    /// <summary>LOGAGENT_SERVICE.</summary>
    public string Service { get; init; } = "";

    /// <summary>CLUSTER_ID.</summary>
    public string Cluster { get; init; } = "";

    /// <summary>Null where LOGAGENT_FILES is not set: the agent is no sidecar.</summary>
    /// <param name="environment">The value of an environment variable, or null.</param>
    public static SidecarOptions? FromEnvironment(Func<string, string?> environment)
    {
        string files = Value("LOGAGENT_FILES");
        return files.Length == 0 ? null : new SidecarOptions
        {
            Files = [.. PathGlob.SplitList(files)],
            ContainerId = Value("LOGAGENT_CONTAINER_ID"),
            ContainerName = Value("LOGAGENT_CONTAINER_NAME"),
            Image = Value("LOGAGENT_IMAGE"),
            Service = Value("LOGAGENT_SERVICE"),
            Cluster = Value("CLUSTER_ID"),
        };

        string Value(string name)
        {
            if (environment(name) is { Length: > 0 } value)
            {
                return value.Trim();
            }

            try
            {
                return environment(name + "_FILE") is { Length: > 0 } path && File.Exists(path) ? File.ReadAllText(path).Trim() : "";
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                return "";
            }
        }
    }
}
