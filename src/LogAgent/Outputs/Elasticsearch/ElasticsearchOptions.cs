using LogAgent.Configuration;

namespace LogAgent.Outputs.Elasticsearch;

/// <summary>What makes the <c>_id</c> of a document.</summary>
internal enum DocumentId
{
    /// <summary>The record's position in its source: what is sent twice is stored once.</summary>
    Position,

    /// <summary>The server: a little faster there; a record that is sent again after a cut connection is stored twice.</summary>
    None,
}

internal enum Compression
{
    Gzip,
    None,
}

/// <summary>The section of an output of type elasticsearch (Elasticsearch 8 and 9, OpenSearch 2).</summary>
internal sealed record ElasticsearchOptions
{
    public string Name { get; init; } = "elasticsearch";

    public IReadOnlyList<Uri> Hosts { get; init; } = [new("http://127.0.0.1:9200")];

    /// <summary>The index, or the data stream's fixed name.</summary>
    public required IndexName Index { get; init; }

    public bool IsDataStream { get; init; }

    public DocumentId Id { get; init; } = DocumentId.Position;

    public Credentials? Credentials { get; init; }

    public TlsOptions Tls { get; init; } = new();

    /// <summary>1 to 9, or 0 for no compression. It holds for answers, too.</summary>
    public int GzipLevel { get; init; } = 1;

    /// <summary>For a whole request, from the first byte sent to the last one received.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>
    /// Bytes of a request's body before compression. 5 MiB: the fixed cost of a request is then under 2 % of it, and the server
    /// spreads it over its shards in one go.
    /// </summary>
    public long BatchBytes { get; init; } = 5 << 20;

    /// <summary>Most records of a request. So many that short records, too, fill it by their bytes.</summary>
    public int BatchRecords { get; init; } = 20_000;

    public TimeSpan BatchAge { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Most requests under way at once.</summary>
    public int Concurrency { get; init; } = 8;

    public bool InstallTemplate { get; init; } = true;

    public static ElasticsearchOptions Read(SectionReader section)
    {
        SectionReader batch = section.Section("batch");
        Compression compression = section.OneOf("compression", Compression.Gzip);
        int level = section.Number("compression_level", 1, 1, 9);
        return new()
        {
            Name = section.Text("name", "elasticsearch"),
            Hosts = ReadHosts(section),
            Index = ReadIndex(section),
            IsDataStream = section.Text("data_stream", "").Length > 0,
            Id = section.OneOf("id", DocumentId.Position),
            Credentials = ReadCredentials(section),
            Tls = TlsOptions.Read(section.Section("tls")),
            GzipLevel = compression == Compression.Gzip ? level : 0,
            Timeout = section.Duration("timeout", TimeSpan.FromSeconds(60), TimeSpan.FromSeconds(1), TimeSpan.FromHours(1)),
            BatchBytes = batch.Size("bytes", 5 << 20, 64 << 10, 95 << 20),
            BatchRecords = batch.Number("records", 20_000, 1, 200_000),
            BatchAge = batch.Duration("age", TimeSpan.FromSeconds(1), TimeSpan.FromMilliseconds(10), TimeSpan.FromMinutes(5)),
            Concurrency = section.Number("concurrency", 8, 1, 64),
            InstallTemplate = section.Section("template").Flag("install", true),
        };
    }

    private static List<Uri> ReadHosts(SectionReader section)
    {
        List<Uri> hosts = [];
        foreach (string text in section.TextList("hosts", "http://127.0.0.1:9200"))
        {
            if (!Uri.TryCreate(text, UriKind.Absolute, out Uri? host) || host.Scheme is not ("http" or "https") || host.Query.Length > 0 || host.Fragment.Length > 0)
            {
                section.Error("hosts", $"{(text.Contains('@', StringComparison.Ordinal) ? "an address" : $"'{text}'")} is no address of a node: use http://HOST:PORT or https://HOST:PORT");
            }
            else if (host.UserInfo.Length > 0)
            {
                section.Error("hosts", $"{host.Scheme}://{host.Authority} carries credentials: give them as username and password");
            }
            else if (!hosts.Contains(host))
            {
                hosts.Add(host);
            }
        }

        if (hosts.Count == 0)
        {
            if (section.TextList("hosts", "http://127.0.0.1:9200").Count == 0)
            {
                section.Error("hosts", "is empty: give at least one address, as http://127.0.0.1:9200");
            }

            hosts.Add(new("http://127.0.0.1:9200"));
        }

        return hosts;
    }

    private static IndexName ReadIndex(SectionReader section)
    {
        string stream = section.Text("data_stream", "");
        string key = stream.Length > 0 ? "data_stream" : "index";
        string pattern = section.Text("index", "logagent-%{yyyy.MM.dd}");
        if (stream.Length > 0 && section.Has("index"))
        {
            section.Error("data_stream", "index and data_stream exclude each other: give one of them");
        }

        if (!IndexName.TryParse(stream.Length > 0 ? stream : pattern, out IndexName name, out string problem))
        {
            section.Error(key, problem);
            IndexName.TryParse("logagent", out name, out _);
        }
        else if (stream.Length > 0 && !name.IsFixed)
        {
            section.Error(key, "the name of a data stream has no date: Elasticsearch makes its indices itself");
        }

        return name;
    }

    private static Credentials? ReadCredentials(SectionReader section)
    {
        string apiKey = section.Secret("api_key");
        string username = section.Text("username", "");
        string password = section.Secret("password");
        string bearer = section.Secret("bearer");
        string[] given = [.. new[] { (apiKey, "api_key"), (username, "username"), (bearer, "bearer") }.Where(pair => pair.Item1.Length > 0).Select(pair => pair.Item2)];
        if (given.Length > 1)
        {
            section.Error(given[1], $"{string.Join(" and ", given)} exclude each other: give one of api_key, username with password, or bearer");
        }

        if (username.Length > 0 != password.Length > 0)
        {
            section.Error(username.Length > 0 ? "password" : "username", "username and password belong together: give both or none");
        }

        foreach ((string value, string key) in new[] { (apiKey, "api_key"), (bearer, "bearer") })
        {
            if (value.Any(c => c is < ' ' or > '~'))
            {
                section.Error(key, "has a character that no HTTP header can carry (a line ending inside?)");
                return null;
            }
        }

        return apiKey.Length > 0 ? Credentials.ApiKey(apiKey.Trim())
            : username.Length > 0 ? Credentials.Basic(username, password)
            : bearer.Length > 0 ? Credentials.Bearer(bearer.Trim())
            : null;
    }
}
