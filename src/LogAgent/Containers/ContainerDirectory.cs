using System.Text.Json;

namespace LogAgent.Containers;

/// <summary>
/// Reads containers from the engine's own files under its data root; read permission is all that is needed.
/// <code>
/// containers/{id}/config.v2.json     ID, Name, Created, Image, LogPath, State, Config{Image, Labels}, MountPoints
/// containers/{id}/hostconfig.json    LogConfig{Type}, Tmpfs, Mounts, VolumesFrom
/// image/overlay2/repositories.json   Repositories{name{reference: image id}}
/// image/overlay2/layerdb/mounts/{id}/mount-id   the layer's directory under overlay2/
/// </code>
/// (config.v2.json is the engine's format since 1.10; read on 20.10.)
/// </summary>
internal sealed class ContainerDirectory(string dataRoot, string hostRoot)
{
    private string Root => hostRoot + dataRoot;

    /// <summary>The engine's data root, as the host has it.</summary>
    public string DataRoot => dataRoot;

    public string ContainersPath => Root + "/containers";

    /// <summary>The id of each container that has a directory.</summary>
    /// <exception cref="DockerException">The directory is not there or may not be read.</exception>
    public HashSet<string> List()
    {
        try
        {
            HashSet<string> ids = [];
            foreach (string path in Directory.EnumerateDirectories(ContainersPath))
            {
                ids.Add(Path.GetFileName(path));
            }

            return ids;
        }
        catch (DirectoryNotFoundException e)
        {
            throw new DockerException($"There is no directory {ContainersPath}: set docker.data_root to the engine's data root (docker info shows it as Docker Root Dir), or mount it into the agent's container.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DockerException($"{ContainersPath} cannot be listed ({e.Message}): the agent needs read permission there; the directory belongs to root.", e);
        }
    }

    public string PathOf(string id) => $"{ContainersPath}/{id}";

    /// <summary>
    /// Where this process finds the container's log; where nothing is known of the container yet, all places where it may be. Empty for
    /// a driver that leaves no file.
    /// </summary>
    public IReadOnlyList<string> LogPaths(string id, ContainerInfo? info)
    {
        if (info is not null)
        {
            return info.LogPath.Length > 0 ? [hostRoot + info.LogPath] : [];
        }

        return [hostRoot + ContainerInfo.DefaultLogPath("json-file", dataRoot, id), hostRoot + ContainerInfo.DefaultLogPath("local", dataRoot, id)];
    }

    /// <summary>The container's own file, which the engine writes anew when anything about it changes.</summary>
    public string ConfigPath(string id) => $"{ContainersPath}/{id}/config.v2.json";

    /// <summary>When a container's own file last changed, or default where it has none (yet).</summary>
    public static DateTime LastChange(string configPath)
    {
        DateTime time = File.GetLastWriteTimeUtc(configPath);
        return time.Year > 1970 ? time : default;
    }

    /// <summary>False where the container's files are not there, not complete (they are being written) or not to be read; <paramref name="problem"/> says why.</summary>
    public bool TryRead(string id, out ContainerInfo? info, out string problem)
    {
        info = null;
        problem = "";
        try
        {
            DockerJson.Config? config = JsonSerializer.Deserialize(File.ReadAllBytes(ConfigPath(id)), DockerJsonContext.Default.Config);
            if (config is null)
            {
                problem = $"{ConfigPath(id)} is empty";
                return false;
            }

            string hostPath = $"{ContainersPath}/{id}/hostconfig.json";
            DockerJson.HostConfig host = (File.Exists(hostPath) ? JsonSerializer.Deserialize(File.ReadAllBytes(hostPath), DockerJsonContext.Default.HostConfig) : null)
                ?? new DockerJson.HostConfig(null, null, null, null);
            if (host.LogConfig?.Type is not { Length: > 0 })
            {
                // Written a moment later than config.v2.json; without it the driver is unknown.
                problem = $"{hostPath} names no log driver";
                return false;
            }

            info = ContainerReading.From(config, host, id, ImageName(config), dataRoot, Layer(id));
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            problem = $"{ConfigPath(id)} cannot be read: {e.Message}";
            return false;
        }
    }

    private string Layer(string id)
    {
        try
        {
            string path = $"{Root}/image/overlay2/layerdb/mounts/{id}/mount-id";
            return File.Exists(path) ? $"{dataRoot}/overlay2/{File.ReadAllText(path).Trim()}" : "";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }

    private string ImageName(DockerJson.Config config)
    {
        string reference = config.Settings?.Image ?? "";
        string imageId = config.Image ?? "";
        if (!ImageReference.IsId(reference) && !ImageReference.IsShortIdOf(reference, imageId))
        {
            return reference;
        }

        try
        {
            string path = $"{Root}/image/overlay2/repositories.json";
            DockerJson.RepositoriesFile? file = File.Exists(path) ? JsonSerializer.Deserialize(File.ReadAllBytes(path), DockerJsonContext.Default.RepositoriesFile) : null;
            return (file?.Repositories ?? []).Values.SelectMany(tags => tags)
                .Where(tag => tag.Value == imageId && !tag.Key.Contains('@', StringComparison.Ordinal))
                .Select(tag => tag.Key)
                .Order(StringComparer.Ordinal)
                .FirstOrDefault(imageId);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            return imageId;
        }
    }
}
