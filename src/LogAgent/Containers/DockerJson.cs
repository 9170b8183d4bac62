using System.Text.Json.Serialization;

namespace LogAgent.Containers;

/// <summary>
/// The parts of the engine's JSON that the agent reads, by API path; what is not named here is skipped.
/// <code>
/// GET /containers/json?all=true   [ListItem]            GET /images/{ref}/json   Image
/// GET /containers/{id}/json       Inspection            GET /info                Info
/// GET /events                     Event, one a line     any error                Problem
/// containers/{id}/config.v2.json  Config                containers/{id}/hostconfig.json   HostConfig
/// image/overlay2/repositories.json  Repositories
/// </code>
/// </summary>
internal static class DockerJson
{
    internal sealed record ListItem(string Id, string[]? Names, string? Image, string? ImageID, string? State, long Created);

    internal sealed record Inspection(
        string Id,
        string? Created,
        string? Name,
        string? Image,
        string? LogPath,
        StateOf? State,
        ConfigOf? Config,
        HostConfig? HostConfig,
        Mount[]? Mounts,
        GraphDriverOf? GraphDriver);

    internal sealed record StateOf(string? Status, bool Running, int Pid);

    internal sealed record ConfigOf(string? Image, Dictionary<string, string>? Labels);

    internal sealed record HostConfig(LogConfigOf? LogConfig, Dictionary<string, string>? Tmpfs, string[]? VolumesFrom, MountSpec[]? Mounts);

    internal sealed record LogConfigOf(string? Type);

    internal sealed record MountSpec(string? Type, string? Target);

    internal sealed record Mount(string? Type, string? Name, string? Source, string? Destination, bool RW);

    internal sealed record GraphDriverOf(string? Name, Dictionary<string, string>? Data);

    internal sealed record Event(string? Type, string? Action, ActorOf? Actor);

    internal sealed record ActorOf(string? ID, Dictionary<string, string>? Attributes);

    internal sealed record Info(string? DockerRootDir, string? Driver, string? ServerVersion);

    internal sealed record Image(string? Id, string[]? RepoTags);

    internal sealed record Problem([property: JsonPropertyName("message")] string? Text);

    internal sealed record Config(
        string? ID,
        string? Created,
        string? Name,
        string? Image,
        string? LogPath,
        StateOf? State,
        [property: JsonPropertyName("Config")] ConfigOf? Settings,
        Dictionary<string, Mount>? MountPoints);

    /// <summary>Per repository: reference (name:tag or name@digest) to image id.</summary>
    internal sealed record RepositoriesFile(Dictionary<string, Dictionary<string, string>>? Repositories);
}

/// <summary>The generated readers of <see cref="DockerJson"/>.</summary>
[JsonSerializable(typeof(DockerJson.ListItem[]))]
[JsonSerializable(typeof(DockerJson.Inspection))]
[JsonSerializable(typeof(DockerJson.Event))]
[JsonSerializable(typeof(DockerJson.Info))]
[JsonSerializable(typeof(DockerJson.Image))]
[JsonSerializable(typeof(DockerJson.Problem))]
[JsonSerializable(typeof(DockerJson.Config))]
[JsonSerializable(typeof(DockerJson.HostConfig))]
[JsonSerializable(typeof(DockerJson.RepositoriesFile))]
internal sealed partial class DockerJsonContext : JsonSerializerContext;
