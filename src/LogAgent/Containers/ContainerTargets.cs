using LogAgent.Configuration;
using LogAgent.Enrichment;
using LogAgent.Tailing;

namespace LogAgent.Containers;

/// <summary>
/// Turns containers into targets: each one's own log, and its claim to log files inside. Says once for each container that is not
/// read why it is not. Thread-safe.
/// </summary>
internal sealed partial class ContainerTargets
{
    /// <summary>Names log files inside the container: globs parted by commas.</summary>
    public const string FilesLabel = "logagent.files";

    private const string TargetPrefix = "container:";

    private readonly string? _ownContainer;
    private DockerOptions _options;
    private ContainerFilter _filter;
    private ContainerFields _fields;
    private readonly FileTargets _files;
    private readonly bool _firstStart;
    private readonly Action<TailTarget> _set;
    private readonly Action<string> _remove;
    private readonly DateTimeOffset _started;
    private readonly ILogger _logger;
    private readonly Lock _gate = new();

    /// <summary>By container: its own target (null where it has none) and what was last said about it.</summary>
    private readonly Dictionary<string, Known> _known = [];

    /// <param name="ownContainer">Id of the container that the agent runs in, which is not read; null on a host.</param>
    /// <param name="firstStart">No checkpoint is there: docker.start_at applies to the containers that exist already.</param>
    /// <param name="set">A target is there or its fields changed: the tail loop's Set.</param>
    /// <param name="remove">A target is gone: read to its end, then forgotten: the tail loop's Remove.</param>
    public ContainerTargets(
        DockerOptions options,
        ContainerFields fields,
        FileTargets files,
        string? ownContainer,
        bool firstStart,
        Action<TailTarget> set,
        Action<string> remove,
        TimeProvider time,
        ILogger<ContainerTargets> logger)
    {
        _options = options;
        _ownContainer = ownContainer;
        _filter = new ContainerFilter(options, ownContainer);
        _fields = fields;
        _files = files;
        _firstStart = firstStart;
        _set = set;
        _remove = remove;
        _started = time.GetUtcNow();
        _logger = logger;
    }

    /// <summary>Containers that are read; for the status page. Any thread may ask.</summary>
    public int Count { get; private set; }

    public static string TargetId(string containerId) => TargetPrefix + containerId;

    /// <summary>Whether the container of a target is there, read or not.</summary>
    public bool IsThere(string targetId)
    {
        lock (_gate)
        {
            return targetId.StartsWith(TargetPrefix, StringComparison.Ordinal) && _known.ContainsKey(targetId[TargetPrefix.Length..]);
        }
    }

    /// <summary>A container is there, or is no longer as it was.</summary>
    public void Changed(ContainerInfo container)
    {
        lock (_gate)
        {
            if (!_known.TryGetValue(container.Id, out Known? known))
            {
                _known[container.Id] = known = new Known();
            }

            known.Container = container;
            Apply(container, known);
            Recount();
        }
    }

    /// <summary>A container is gone for good; what it has written is still read to its end.</summary>
    public void Destroyed(string id)
    {
        lock (_gate)
        {
            if (_known.Remove(id, out Known? known))
            {
                Withdraw(id, known);
                Recount();
            }
        }
    }

    /// <summary>Takes over changed choices and fields: a container that is still read is read on from where it stands.</summary>
    public void Configure(DockerOptions options, ContainerFields fields)
    {
        lock (_gate)
        {
            _options = options;
            _fields = fields;
            _filter = new ContainerFilter(options, _ownContainer);
            foreach (Known known in _known.Values)
            {
                Apply(known.Container!, known);
            }

            Recount();
        }
    }

    internal static ContainerMetadata MetadataOf(ContainerInfo container)
    {
        ImageReference image = ImageReference.Parse(container.Image);
        return new ContainerMetadata
        {
            Id = container.Id,
            Name = container.Name,
            ImageName = image.Name,
            ImageTag = image.Tag,
            Labels = container.Labels,
        };
    }

    private void Apply(ContainerInfo container, Known known)
    {
        if (_filter.ReasonToSkip(container) is { } reason)
        {
            Say(known, $"Container {container.Name} ({Short(container.Id)}) is not read: {reason}");
            Withdraw(container.Id, known);
            return;
        }

        SetOwnLog(container, known, FieldsOf(container, null));
        ClaimFiles(container, known);
    }

    private void Recount() => Count = _known.Values.Count(known => known.Target is not null || known.Claims);

    private FieldSet FieldsOf(ContainerInfo container, IReadOnlyDictionary<string, string>? extra) =>
        _fields.ForContainer(MetadataOf(container), extra);

    private void SetOwnLog(ContainerInfo container, Known known, FieldSet fields)
    {
        if (container.LogPath.Length == 0)
        {
            Say(known, $"Container {container.Name} ({Short(container.Id)}) has the log driver '{container.LogDriver}', which leaves no file to read: use json-file or local for it. Files that it names by {FilesLabel} are read");
            return;
        }

        string path = _options.HostRoot + container.LogPath;
        if (known.Target is { } before && before.Path == path && before.Fields.Json.SequenceEqual(fields.Json))
        {
            return;
        }

        known.Target = new TailTarget
        {
            Id = TargetId(container.Id),
            Path = path,
            Format = container.LogDriver == "local" ? TailFormat.DockerLocal : TailFormat.DockerJson,
            Fields = fields,
            Start = StartOf(container),
        };
        _set(known.Target);
    }

    private void ClaimFiles(ContainerInfo container, Known known)
    {
        (List<PathGlob> paths, List<PathGlob> exclude) = PathsOf(container, known);
        if (paths.Count == 0)
        {
            if (known.Claims)
            {
                _files.Release(container.Id);
                known.Claims = false;
            }

            return;
        }

        known.Claims = true;
        _files.Claim(new FileClaim
        {
            Id = container.Id,
            Name = $"container {container.Name} ({Short(container.Id)})",
            Order = container.Created,
            Paths = paths,
            Exclude = exclude,
            Mounts = MountTable.Of(container, _options.HostRoot),
            Fields = extra => FieldsOf(container, extra),
            Start = StartOf(container),
        });
    }

    private (List<PathGlob> Paths, List<PathGlob> Exclude) PathsOf(ContainerInfo container, Known known)
    {
        List<PathGlob> paths = [];
        List<PathGlob> exclude = [];
        if (container.Labels.TryGetValue(FilesLabel, out string? label))
        {
            foreach (string text in PathGlob.SplitList(label))
            {
                Add(text, paths, absolute: true);
            }
        }

        foreach (ContainerFilesRule rule in _options.Files)
        {
            if (rule.Match.IsEmpty || ContainerFilter.Matches(rule.Match, container))
            {
                foreach (string text in rule.Paths)
                {
                    Add(text, paths, absolute: true);
                }

                foreach (string text in rule.Exclude)
                {
                    Add(text, exclude, absolute: false);
                }
            }
        }

        return (paths, exclude);

        void Add(string text, List<PathGlob> to, bool absolute)
        {
            if (PathGlob.TryParse(text, out PathGlob? glob, out string problem) && (!absolute || glob!.IsAbsolute))
            {
                to.Add(glob!);
            }
            else
            {
                string why = problem.Length > 0 ? problem : "it must begin with a slash";
                Say(known, $"Container {container.Name} ({Short(container.Id)}): '{(text.Length > 200 ? text[..200] : text)}' names no files: {why}");
            }
        }
    }

    private StartAt StartOf(ContainerInfo container) =>
        _firstStart && container.Created < _started ? _options.StartAt : StartAt.Beginning;

    private void Withdraw(string id, Known known)
    {
        if (known.Target is { } target)
        {
            _remove(target.Id);
            known.Target = null;
        }

        if (known.Claims)
        {
            _files.Release(id);
            known.Claims = false;
        }
    }

    private void Say(Known known, string text)
    {
        if (known.Said != text)
        {
            known.Said = text;
            LogNotRead(text);
        }
    }

    private static string Short(string id) => id.Length > 12 ? id[..12] : id;

    [LoggerMessage(LogLevel.Information, "{Text}")]
    private partial void LogNotRead(string text);

    private sealed class Known
    {
        public ContainerInfo? Container { get; set; }

        public TailTarget? Target { get; set; }

        public bool Claims { get; set; }

        public string Said { get; set; } = "";
    }
}
