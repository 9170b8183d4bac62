using LogAgent.Enrichment;
using LogAgent.Tailing;

namespace LogAgent.Containers;

/// <summary>
/// The agent beside one container, reading its files through a volume that both have. Whose files they are is what the environment
/// says; where an engine is at hand, the rest comes from the container that this one was given the volumes of (--volumes-from), else
/// from the one created earliest that mounts the same source at the files. One call at a time.
/// </summary>
internal sealed partial class Sidecar
{
    private const string ClaimId = "LOGAGENT_FILES";

    private readonly SidecarOptions _options;
    private readonly ContainerFields _fields;
    private readonly FileTargets _files;
    private readonly string? _ownContainer;
    private readonly ILogger _logger;
    private readonly List<PathGlob> _paths = [];
    private readonly Dictionary<string, ContainerInfo> _others = [];
    private ContainerInfo? _own;
    private ContainerInfo? _partner;

    /// <summary>Id of the container that --volumes-from named: the engine keeps the name as it was given, also after a rename.</summary>
    private string _giver = "";

    /// <param name="ownContainer">Id of the container that the agent runs in, or null.</param>
    public Sidecar(SidecarOptions options, ContainerFields fields, FileTargets files, string? ownContainer, ILogger<Sidecar> logger)
    {
        _options = options;
        _fields = fields;
        _files = files;
        _ownContainer = ownContainer;
        _logger = logger;
    }

    /// <summary>Claims the files, with what the environment says. Called once, before anything else.</summary>
    public void Begin()
    {
        foreach (string problem in _options.Problems)
        {
            LogProblem(problem);
        }

        foreach (string text in _options.Files)
        {
            if (PathGlob.TryParse(text, out PathGlob? glob, out string problem) && glob!.IsAbsolute)
            {
                _paths.Add(glob);
            }
            else
            {
                LogNoPath(text, problem.Length > 0 ? problem : "it must begin with a slash");
            }
        }

        Claim();
    }

    /// <summary>A container, perhaps this one, is there or has changed.</summary>
    public void Changed(ContainerInfo container)
    {
        if (container.Id == _ownContainer)
        {
            _own = container;
        }
        else
        {
            _others[container.Id] = container;
        }

        FindPartner();
    }

    /// <summary>A container is gone. The partner stays the partner: what it wrote is its own, until another takes its place.</summary>
    public void Destroyed(string id) => _others.Remove(id);

    private void FindPartner()
    {
        ContainerInfo? partner = _own is null ? null : ByVolumesFrom(_own) ?? ByMounts(_own);
        if (partner is null)
        {
            return;
        }

        if (_partner?.Id != partner.Id)
        {
            LogPartner(partner.Name, partner.Id);
        }
        else if (_partner.Name == partner.Name)
        {
            return;
        }

        _partner = partner;
        Claim();
    }

    private ContainerInfo? ByVolumesFrom(ContainerInfo own)
    {
        if (_others.TryGetValue(_giver, out ContainerInfo? known))
        {
            return known;
        }

        foreach (string given in own.VolumesFrom)
        {
            string name = given.Split(':')[0].TrimStart('/');
            ContainerInfo? found = _others.Values.FirstOrDefault(c => c.Name == name)
                ?? _others.Values.FirstOrDefault(c => name.Length >= 12 && c.Id.StartsWith(name, StringComparison.Ordinal));
            if (found is not null)
            {
                _giver = found.Id;
                return found;
            }
        }

        return null;
    }

    private ContainerInfo? ByMounts(ContainerInfo own)
    {
        HashSet<string> sources = [.. own.Mounts.Where(m => m.Source.Length > 0 && _paths.Exists(p => IsAt(p.Text, m.Destination))).Select(m => m.Source)];
        return _others.Values
            .Where(c => c.Mounts.Any(m => sources.Contains(m.Source)))
            .OrderBy(c => c.Created)
            .ThenBy(c => c.Id, StringComparer.Ordinal)
            .FirstOrDefault();
    }

    private static bool IsAt(string path, string destination) =>
        path.StartsWith(destination == "/" ? "/" : destination + "/", StringComparison.Ordinal);

    private void Claim()
    {
        ContainerMetadata metadata = Metadata();
        _files.Claim(new FileClaim
        {
            Id = ClaimId,
            Order = DateTimeOffset.MaxValue,
            Paths = _paths,
            Mounts = MountTable.Host,
            Fields = extra => _fields.ForContainer(metadata, extra),
            Start = StartAt.Beginning,
        });
    }

    private ContainerMetadata Metadata()
    {
        ContainerMetadata found = _partner is null ? new ContainerMetadata() : ContainerTargets.MetadataOf(_partner);
        ImageReference image = _options.Image.Length > 0 ? ImageReference.Parse(_options.Image) : new ImageReference(found.ImageName, found.ImageTag);
        return found with
        {
            Id = _options.ContainerId.Length > 0 ? _options.ContainerId : found.Id,
            Name = _options.ContainerName.Length > 0 ? _options.ContainerName : found.Name,
            ImageName = image.Name,
            ImageTag = image.Tag,
            Service = _options.Service,
        };
    }

    [LoggerMessage(LogLevel.Information, "Sidecar of container {Name} ({Id}): its volumes are shared, its name and image go onto the records")]
    private partial void LogPartner(string name, string id);

    [LoggerMessage(LogLevel.Error, "{Problem}")]
    private partial void LogProblem(string problem);

    [LoggerMessage(LogLevel.Error, "LOGAGENT_FILES: '{Path}' names no files: {Problem}")]
    private partial void LogNoPath(string path, string problem);
}
