using System.Net;
using LogAgent.Configuration;
using LogAgent.Outputs;
using LogAgent.Tailing;

namespace LogAgent.Tests.Configuration;

public class AgentConfigurationTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("logagent-").FullName;
    private readonly Dictionary<string, string> _environment = [];

    public void Dispose() => Directory.Delete(_directory, true);

    [Fact]
    public void Without_file_and_environment_the_defaults_hold_and_the_output_is_the_console()
    {
        AgentConfiguration configuration = Load(null);
        Assert.Empty(configuration.Errors);
        AgentOptions options = configuration.Options;
        Assert.Equal("/var/lib/logagent", options.StateDirectory);
        Assert.Equal(64 << 20, options.Limits.Memory);
        Assert.Equal(new IPEndPoint(IPAddress.Loopback, 9600), options.Metrics.Listen);
        Assert.Equal(TimeSpan.FromSeconds(20), options.Drain);
        Assert.Equal(Schema.Ecs, options.Schema);
        OutputSection output = Assert.Single(options.Outputs);
        Assert.Equal(OutputType.Console, output.Type);
        Assert.Equal("console", output.Name);
        Assert.Null(output.SkipAfter);
        Assert.True(output.Only.TakesAll);
    }

    [Fact]
    public void Every_section_is_read()
    {
        AgentOptions options = Good("""
            cluster: c1
            host: h1
            fields: { team: search }
            schema: flat
            state: { directory: /state }
            limits: { memory: 8MiB, record: 64KiB, open_files: 100 }
            metrics: { listen: "" }
            log: { level: debug, format: json }
            drain: 5s
            outputs:
              - type: console
                name: screen
                skip_after: 10m
                only: { containers: [web*], streams: [stderr, file] }
              - type: console
                when_down: block
                skip_after: 10m
            """);
        Assert.Equal(("c1", "h1", "search", Schema.Flat, "/state"), (options.Cluster, options.Host, options.Fields["team"], options.Schema, options.StateDirectory));
        Assert.Equal(new LimitsOptions { Memory = 8 << 20, Record = 64 << 10, OpenFiles = 100 }, options.Limits);
        Assert.Null(options.Metrics.Listen);
        Assert.Equal(new LogOptions { Level = LogDetail.Debug, Format = LogFormat.Json }, options.Log);
        Assert.Equal(TimeSpan.FromSeconds(5), options.Drain);
        Assert.Equal(["screen", "console"], options.Outputs.Select(output => output.Name));
        Assert.Equal(TimeSpan.FromMinutes(10), options.Outputs[0].SkipAfter);
        Assert.Equal(["web*"], options.Outputs[0].Only.Containers);
        Assert.Equal([LogStream.Stderr, LogStream.None], options.Outputs[0].Only.Streams);
        Assert.Null(options.Outputs[1].SkipAfter);
    }

    [Theory]
    [InlineData("metrics: { listen: 9600 }", "metrics.listen")]
    [InlineData("metrics: { listen: '::1:9600' }", "metrics.listen")]
    [InlineData("state: { directory: relative/path }", "state.directory")]
    [InlineData("outputs: []", "outputs")]
    [InlineData("outputs: [{ type: elastic }]", "outputs[0].type")]
    [InlineData("outputs: [{ name: x }]", "outputs[0].type")]
    [InlineData("outputs: [{ type: console }, { type: console }]", "outputs[1].type")]
    [InlineData("outputs: [{ type: console, only: { streams: [stdin] } }]", "outputs[0].only.streams")]
    [InlineData("drain: 20", "drain")]
    [InlineData("limits: { memory: 10 }", "limits.memory")]
    [InlineData("clutser: x", "clutser")]
    public void What_is_wrong_is_reported_at_its_key(string yaml, string key) =>
        Assert.Equal(key, Assert.Single(Load(yaml).Errors).Key);

    [Theory]
    [InlineData("0.0.0.0:9600", "0.0.0.0:9600")]
    [InlineData(":9601", "0.0.0.0:9601")]
    [InlineData("localhost:0", "127.0.0.1:0")]
    [InlineData("[::1]:9600", "[::1]:9600")]
    public void The_metrics_address_has_these_forms(string text, string address) =>
        Assert.Equal(IPEndPoint.Parse(address), Good($"metrics: {{ listen: '{text}' }}").Metrics.Listen);

    [Fact]
    public void Variables_win_over_the_file_except_those_that_others_set()
    {
        _environment["LOGAGENT_STATE_DIRECTORY"] = "/mine";
        _environment["STATE_DIRECTORY"] = "/systemd:/other";
        _environment["CLUSTER_ID"] = "from-environment";
        _environment["LOGAGENT_DRAIN"] = "3s";
        _environment["LOGAGENT_METRICS_LISTEN"] = "";
        AgentOptions options = Good("cluster: from-file\nstate: { directory: /file }\ndrain: 9s\n");
        Assert.Equal("/mine", options.StateDirectory);
        Assert.Equal("from-file", options.Cluster);
        Assert.Equal(TimeSpan.FromSeconds(3), options.Drain);
        Assert.Null(options.Metrics.Listen);

        _environment.Remove("LOGAGENT_STATE_DIRECTORY");
        options = Good("state:\n");
        Assert.Equal("/systemd", options.StateDirectory);
        Assert.Equal("from-environment", options.Cluster);
        Assert.Equal("from-environment", Good("cluster: ''").Cluster);
    }

    [Fact]
    public void The_cluster_id_may_come_from_a_mounted_file()
    {
        string file = Path.Combine(_directory, "cluster");
        _environment["CLUSTER_ID_FILE"] = file;
        Assert.Equal("cluster", Assert.Single(Load("").Errors).Key);
        File.WriteAllText(file, "blue\n");
        Assert.Equal("blue", Good("").Cluster);
        Assert.Equal("from-file", Good("cluster: from-file").Cluster);
        _environment["CLUSTER_ID"] = "said";
        Assert.Equal("said", Good("").Cluster);
    }

    [Fact]
    public void A_data_stream_in_the_flat_schema_is_refused_at_its_key()
    {
        ConfigurationError error = Assert.Single(LoadAll("schema: flat\noutputs:\n  - type: elasticsearch\n    data_stream: logs-app\n").Errors);
        Assert.Equal(("outputs[0].data_stream", 4), (error.Key, error.Line));
        Assert.Contains("schema: ecs", error.ToString(), StringComparison.Ordinal);
        Assert.Empty(LoadAll("schema: ecs\noutputs: [{ type: elasticsearch, data_stream: logs-app }]").Errors);
    }

    [Fact]
    public void A_wrong_variable_is_an_error_that_names_it()
    {
        _environment["LOGAGENT_DRAIN"] = "soon";
        Assert.StartsWith("LOGAGENT_DRAIN: drain: 'soon' is not allowed", Assert.Single(Load("").Errors).ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void One_output_can_come_from_the_environment_alone()
    {
        string secret = Path.Combine(_directory, "secret");
        File.WriteAllText(secret, "hunter2\n");
        _environment["LOGAGENT_OUTPUT_TYPE"] = "elasticsearch";
        _environment["LOGAGENT_OUTPUT_HOSTS"] = "http://a:9200, http://b:9200";
        _environment["LOGAGENT_OUTPUT_PASSWORD"] = $"${{file:{secret}}}";
        _environment["LOGAGENT_OUTPUT_TLS__CA_FILE"] = "/ca.pem";
        AgentConfiguration configuration = AgentConfiguration.Load(null, _environment, (type, section) =>
            (section.TextList("hosts"), section.Secret("password"), section.Section("tls").Text("ca_file", "")));
        Assert.Empty(configuration.Errors);
        OutputSection output = Assert.Single(configuration.Options.Outputs);
        Assert.Equal(OutputType.Elasticsearch, output.Type);
        (IReadOnlyList<string> hosts, string password, string caFile) = ((IReadOnlyList<string>, string, string))output.Options;
        Assert.Equal(["http://a:9200", "http://b:9200"], hosts);
        Assert.Equal("hunter2", password);
        Assert.Equal("/ca.pem", caFile);
    }

    [Fact]
    public void An_output_in_the_environment_that_lacks_its_type_or_has_an_unknown_key_is_an_error()
    {
        _environment["LOGAGENT_OUTPUT_HOSTS"] = "x";
        Assert.Equal("outputs[0].type", Assert.Single(Load("").Errors).Key);

        _environment["LOGAGENT_OUTPUT_TYPE"] = "console";
        Assert.StartsWith("LOGAGENT_OUTPUT_HOSTS: outputs[0].hosts:", Assert.Single(Load("").Errors).ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Outputs_in_the_file_and_in_the_environment_are_an_error()
    {
        _environment["LOGAGENT_OUTPUT_TYPE"] = "console";
        Assert.Equal("outputs", Assert.Single(Load("outputs: [{ type: console }]").Errors).Key);
    }

    [Fact]
    public void The_format_of_the_command_line_reaches_the_console_output_only()
    {
        static object ReadFormat(OutputType type, SectionReader section) => type == OutputType.Console ? section.Text("format", "text") : "";
        string path = Write("outputs: [{ type: file }, { type: console, format: text }]");
        Assert.Equal(["", "json"], AgentConfiguration.Load(path, _environment, ReadFormat, "json").Options.Outputs.Select(output => output.Options));
        Assert.Equal("json", Assert.Single(AgentConfiguration.Load(Write(""), _environment, ReadFormat, "json").Options.Outputs).Options);
        Assert.Equal("--format", Assert.Single(AgentConfiguration.Load(Write("outputs: [{ type: file }]"), _environment, ReadFormat, "json").Errors).Source);
    }

    [Fact]
    public void The_path_comes_from_the_option_or_else_from_LOGAGENT_CONFIG()
    {
        string option = Write("host: option", "a.yaml");
        _environment["LOGAGENT_CONFIG"] = Write("host: variable", "b.yaml");
        Assert.Equal("option", AgentConfiguration.Load(option, _environment, NoKeys).Options.Host);
        Assert.Equal("variable", AgentConfiguration.Load(null, _environment, NoKeys).Options.Host);
        _environment["LOGAGENT_CONFIG"] = "/nonexistent.yaml";
        Assert.Equal("/nonexistent.yaml", Assert.Single(AgentConfiguration.Load(null, _environment, NoKeys).Errors).Source);
    }

    private static object NoKeys(OutputType type, SectionReader section) => type;

    private AgentOptions Good(string yaml)
    {
        AgentConfiguration configuration = Load(yaml);
        Assert.Empty(configuration.Errors);
        return configuration.Options;
    }

    private AgentConfiguration Load(string? yaml) => AgentConfiguration.Load(yaml is null ? null : Write(yaml), _environment, NoKeys);

    private AgentConfiguration LoadAll(string yaml) => AgentConfiguration.Load(Write(yaml), _environment, OutputFactory.ReadOptions);

    private string Write(string yaml, string name = "logagent.yaml")
    {
        string path = Path.Combine(_directory, name);
        File.WriteAllText(path, yaml);
        return path;
    }
}
