using LogAgent.Tailing;

namespace LogAgent.Configuration;

/// <summary>How containers are found.</summary>
internal enum Discovery
{
    /// <summary>Through the Docker engine's API.</summary>
    Engine,

    /// <summary>From the engine's files under its data root, without a socket.</summary>
    Files,

    /// <summary>Not at all.</summary>
    None,
}

/// <summary>The section docker of the configuration.</summary>
internal sealed record DockerOptions
{
    public const string DefaultEndpoint = "unix:///var/run/docker.sock";

    public const string DefaultDataRoot = "/var/lib/docker";

    /// <summary>unix:///path or tcp://host:port, as the file has it.</summary>
    public string Endpoint { get; init; } = DefaultEndpoint;

    /// <summary>False where the file has no endpoint: DOCKER_HOST, DOCKER_CERT_PATH and DOCKER_TLS_VERIFY then have their say.</summary>
    public bool EndpointIsSet { get; init; }

    /// <summary>Directory of ca.pem, cert.pem and key.pem for tcp with TLS; empty: DOCKER_CERT_PATH, or no TLS.</summary>
    public string CertPath { get; init; } = "";

    /// <summary>Whether the engine's certificate must be signed by ca.pem and bear the endpoint's name.</summary>
    public bool TlsVerify { get; init; } = true;

    public Discovery Discovery { get; init; } = Discovery.Engine;

    /// <summary>False where the file has no discovery: an agent that was only given LOGAGENT_FILES then does not insist on Docker.</summary>
    public bool DiscoveryIsSet { get; init; }

    /// <summary>The engine's data root; empty: what the engine says, else /var/lib/docker.</summary>
    public string DataRoot { get; init; } = "";

    /// <summary>Where the host's root directory is mounted when the agent runs in a container; empty: host paths are opened as they are.</summary>
    public string HostRoot { get; init; } = "";

    public ContainerMatch Include { get; init; } = new();

    public ContainerMatch Exclude { get; init; } = new();

    public StartAt StartAt { get; init; } = StartAt.Beginning;

    /// <summary>Globs of the label names that records carry.</summary>
    public IReadOnlyList<string> LabelsAllow { get; init; } = ["*"];

    /// <summary>Globs of the label names that records do not carry; it wins over allow.</summary>
    public IReadOnlyList<string> LabelsDeny { get; init; } = [];

    /// <summary>Log files inside containers, besides those that a label logagent.files names.</summary>
    public IReadOnlyList<ContainerFilesRule> Files { get; init; } = [];

    public static DockerOptions Read(SectionReader section)
    {
        SectionReader labels = section.Section("labels");
        DockerOptions options = new()
        {
            Endpoint = section.Text("endpoint", DefaultEndpoint),
            EndpointIsSet = section.Has("endpoint"),
            CertPath = section.Text("cert_path", ""),
            TlsVerify = section.Flag("tls_verify", true),
            Discovery = section.OneOf("discovery", Discovery.Engine),
            DiscoveryIsSet = section.Has("discovery"),
            DataRoot = section.Text("data_root", ""),
            HostRoot = section.Text("host_root", ""),
            Include = ContainerMatch.Read(section.Section("include")),
            Exclude = ContainerMatch.Read(section.Section("exclude")),
            StartAt = section.OneOf("start_at", StartAt.Beginning),
            LabelsAllow = labels.TextList("allow", "*"),
            LabelsDeny = labels.TextList("deny"),
            Files = [.. section.Sections("files").Select(ContainerFilesRule.Read)],
        };
        if (options.Endpoint.Length > 0 && !options.Endpoint.StartsWith("unix://", StringComparison.Ordinal)
            && !options.Endpoint.StartsWith("tcp://", StringComparison.Ordinal))
        {
            section.Error("endpoint", "allowed are unix:///path/of/docker.sock and tcp://host:port");
        }

        if (options.DataRoot.Length > 0 && options.DataRoot[0] != '/')
        {
            section.Error("data_root", "an absolute path is needed, such as /var/lib/docker");
        }

        if (options.HostRoot.Length > 0 && options.HostRoot[0] != '/')
        {
            section.Error("host_root", "an absolute path is needed, such as /host");
        }

        return options;
    }
}
