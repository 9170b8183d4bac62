using System.Globalization;

namespace LogAgent.Containers;

/// <summary>Turns what the engine says, or writes to its files, into a <see cref="ContainerInfo"/>.</summary>
internal static class ContainerReading
{
    public static ContainerInfo From(DockerJson.Inspection found, string image, string dataRoot)
    {
        string driver = found.HostConfig?.LogConfig?.Type ?? "";
        return new ContainerInfo
        {
            Id = found.Id,
            Name = (found.Name ?? "").TrimStart('/'),
            Image = image,
            Labels = found.Config?.Labels ?? [],
            Mounts = [.. (found.Mounts ?? []).Where(m => m.Destination is { Length: > 0 }).Select(m => Mount(m, dataRoot)), .. Tmpfs(found.HostConfig)],
            State = found.State?.Status ?? "",
            Pid = found.State?.Pid ?? 0,
            LogDriver = driver,
            LogPath = LogPath(found.LogPath, driver, dataRoot, found.Id),
            Created = Time(found.Created),
            UpperDirectory = found.GraphDriver?.Data?.GetValueOrDefault("UpperDir") ?? "",
            MergedDirectory = found.GraphDriver?.Data?.GetValueOrDefault("MergedDir") ?? "",
            VolumesFrom = found.HostConfig?.VolumesFrom ?? [],
        };
    }

    public static ContainerInfo From(DockerJson.Config config, DockerJson.HostConfig host, string id, string image, string dataRoot, string layer)
    {
        string driver = host.LogConfig?.Type ?? "";
        DockerJson.StateOf? state = config.State;
        return new ContainerInfo
        {
            Id = id,
            Name = (config.Name ?? "").TrimStart('/'),
            Image = image,
            Labels = config.Settings?.Labels ?? [],
            Mounts = [.. (config.MountPoints ?? []).Values.Where(m => m.Destination is { Length: > 0 }).Select(m => Mount(m, dataRoot)), .. Tmpfs(host)],
            State = state is { Running: true } ? "running" : "exited",
            Pid = state is { Running: true } ? state.Pid : 0,
            LogDriver = driver,
            LogPath = LogPath(config.LogPath, driver, dataRoot, id),
            Created = Time(config.Created),
            UpperDirectory = layer.Length > 0 ? layer + "/diff" : "",
            MergedDirectory = layer.Length > 0 ? layer + "/merged" : "",
            VolumesFrom = host.VolumesFrom ?? [],
        };
    }

    /// <summary>
    /// A container that was gone before it could be inspected: an event carries its name, image and labels among its attributes.
    /// The driver is taken to be json-file, for whose file the caller looks.
    /// </summary>
    public static ContainerInfo From(DockerJson.ActorOf actor, string dataRoot, DateTimeOffset now)
    {
        Dictionary<string, string> labels = new(actor.Attributes ?? []);
        labels.Remove("name", out string? name);
        labels.Remove("image", out string? image);
        labels.Remove("exitCode");
        labels.Remove("execDuration");
        labels.Remove("oldName");
        return new ContainerInfo
        {
            Id = actor.ID ?? "",
            Name = name ?? "",
            Image = image ?? "",
            Labels = labels,
            State = "exited",
            LogDriver = "json-file",
            LogPath = ContainerInfo.DefaultLogPath("json-file", dataRoot, actor.ID ?? ""),
            Created = now,
        };
    }

    private static string LogPath(string? said, string driver, string dataRoot, string id)
    {
        // Before its first start a container has no LogPath yet; the local driver never says one.
        return driver == "json-file" && !string.IsNullOrEmpty(said) ? said : ContainerInfo.DefaultLogPath(driver, dataRoot, id);
    }

    private static ContainerMount Mount(DockerJson.Mount mount, string dataRoot)
    {
        string source = mount.Source ?? "";
        string type = mount.Type is { Length: > 0 } said ? said : mount.Name is { Length: > 0 } ? "volume" : "bind";
        if (source.Length == 0 && type == "volume" && mount.Name is { Length: > 0 } name)
        {
            source = $"{dataRoot}/volumes/{name}/_data";
        }

        return new ContainerMount(type, source, Trim(mount.Destination!));
    }

    /// <summary>Mounts of tmpfs stand in the host configuration alone.</summary>
    private static IEnumerable<ContainerMount> Tmpfs(DockerJson.HostConfig? host) =>
        (host?.Tmpfs ?? []).Keys
            .Concat((host?.Mounts ?? []).Where(m => m.Type == "tmpfs" && m.Target is not null).Select(m => m.Target!))
            .Select(destination => new ContainerMount("tmpfs", "", Trim(destination)));

    private static string Trim(string path) => path.Length > 1 ? path.TrimEnd('/') : path;

    private static DateTimeOffset Time(string? text) =>
        DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out DateTimeOffset time) ? time : default;
}
