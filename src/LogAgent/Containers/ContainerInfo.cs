namespace LogAgent.Containers;

/// <summary>What the agent knows of a container, however it was found. Paths are the host's.</summary>
internal sealed record ContainerInfo
{
    public required string Id { get; init; }

    /// <summary>Without the slash that Docker puts before it.</summary>
    public required string Name { get; init; }

    /// <summary>The reference that the container was created with; an image id that was looked up is its first tag.</summary>
    public string Image { get; init; } = "";

    public IReadOnlyDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>();

    public IReadOnlyList<ContainerMount> Mounts { get; init; } = [];

    /// <summary>created, running, exited ...</summary>
    public string State { get; init; } = "";

    /// <summary>Its first process in the host's numbering; 0 where it does not run.</summary>
    public int Pid { get; init; }

    /// <summary>json-file, local, journald ...; empty where unknown.</summary>
    public string LogDriver { get; init; } = "";

    /// <summary>The live log file of the drivers json-file and local; empty for others.</summary>
    public string LogPath { get; init; } = "";

    public DateTimeOffset Created { get; init; }

    /// <summary>Its writable layer on the host; empty where unknown.</summary>
    public string UpperDirectory { get; init; } = "";

    /// <summary>Its whole file system on the host while it runs; empty where unknown.</summary>
    public string MergedDirectory { get; init; } = "";

    /// <summary>Containers (id or name, with :ro or :rw perhaps) whose volumes it was given.</summary>
    public IReadOnlyList<string> VolumesFrom { get; init; } = [];

    public bool IsRunning => Pid > 0;

    /// <summary>Where the driver keeps the log of a container, or an empty text for a driver that leaves no file there.</summary>
    public static string DefaultLogPath(string driver, string dataRoot, string id) => driver switch
    {
        "json-file" => $"{dataRoot}/containers/{id}/{id}-json.log",
        "local" => $"{dataRoot}/containers/{id}/local-logs/container.log",
        _ => "",
    };
}
