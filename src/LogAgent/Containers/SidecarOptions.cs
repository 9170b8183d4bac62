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

    /// <summary>A sentence for each mounted file that was named and cannot be read.</summary>
    public IReadOnlyList<string> Problems { get; init; } = [];

    /// <summary>Null where LOGAGENT_FILES is not set: the agent is no sidecar.</summary>
    /// <param name="environment">The value of an environment variable, or null.</param>
    public static SidecarOptions? FromEnvironment(Func<string, string?> environment)
    {
        List<string> problems = [];
        string files = Value("LOGAGENT_FILES");
        return files.Length == 0 && problems.Count == 0 ? null : new SidecarOptions
        {
            Files = [.. PathGlob.SplitList(files)],
            ContainerId = Value("LOGAGENT_CONTAINER_ID"),
            ContainerName = Value("LOGAGENT_CONTAINER_NAME"),
            Image = Value("LOGAGENT_IMAGE"),
            Service = Value("LOGAGENT_SERVICE"),
            Problems = problems,
        };

        string Value(string name)
        {
            if (environment(name) is { Length: > 0 } value)
            {
                return value.Trim();
            }

            if (environment(name + "_FILE") is not { Length: > 0 } path)
            {
                return "";
            }

            try
            {
                return File.ReadAllText(path).Trim();
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                problems.Add($"{name}_FILE: {path} cannot be read ({e.Message.TrimEnd('.')}). Check that the file is mounted and that this user may read it; without it, {name} counts as not set");
                return "";
            }
        }
    }
}
