using System.Collections;
using LogAgent.Configuration;
using YamlDotNet.Serialization;

namespace LogAgent.Tests.Packaging;

/// <summary>The demos of packaging/compose: what they mount is there, and the agent takes what they configure.</summary>
public sealed class ComposeTests
{
    public static TheoryData<string> Demos() => [.. Names];

    private static IEnumerable<string> Names =>
        Directory.GetDirectories(Repository.PathOf("packaging", "compose")).Select(folder => Path.GetFileName(folder)).Order();

    [Fact]
    public void There_is_a_demo_of_each_way_to_run_the_agent() =>
        Assert.Equal(["host-agent", "kafka", "sidecar"], Names);

    [Theory]
    [MemberData(nameof(Demos))]
    public void The_configuration_that_the_agent_is_given_has_no_errors(string demo)
    {
        Dictionary<object, object> agent = Services(demo)["logagent"];
        var environment = Map(agent, "environment").ToDictionary(pair => (string)pair.Key, pair => (string)pair.Value);
        string? mounted = Texts(agent, "volumes").FirstOrDefault(volume => volume.Contains(":" + AgentConfiguration.DefaultPath, StringComparison.Ordinal));
        string? file = mounted is null ? null : Path.Combine(Folder(demo), mounted.Split(':')[0]);

        AgentConfiguration configuration = AgentConfiguration.Load(file, environment, OutputFactory.ReadOptions);

        Assert.Empty(configuration.Errors);
        Assert.Equal("demo", configuration.Options.Cluster);
        Assert.NotEmpty(configuration.Options.Outputs);
    }

    [Theory]
    [MemberData(nameof(Demos))]
    public void Every_file_of_the_checkout_that_is_mounted_or_built_from_is_there(string demo)
    {
        foreach (Dictionary<object, object> service in Services(demo).Values)
        {
            Assert.True(service.ContainsKey("image"));
            foreach (string source in Texts(service, "volumes").Select(volume => volume.Split(':')[0]).Where(source => source.StartsWith('.')))
                Assert.True(Path.Exists(Path.Combine(Folder(demo), source)), source);
            if (Map(service, "build") is { Count: > 0 } build)
                Assert.True(File.Exists(Path.Combine(Folder(demo), (string)build["context"], (string)build["dockerfile"])));
        }
    }

    [Theory]
    [MemberData(nameof(Demos))]
    public void Services_wait_for_services_and_use_volumes_that_the_file_declares(string demo)
    {
        Dictionary<string, Dictionary<object, object>> services = Services(demo);
        Dictionary<object, object> volumes = Map(Document(demo), "volumes");
        foreach (Dictionary<object, object> service in services.Values)
        {
            IEnumerable<string> waitsFor = service.GetValueOrDefault("depends_on") is IDictionary conditions
                ? conditions.Keys.Cast<string>()
                : Texts(service, "depends_on");
            Assert.All(waitsFor.Concat(Texts(service, "volumes_from").Select(name => name.Split(':')[0])), name => Assert.Contains(name, services.Keys));
            Assert.All(
                Texts(service, "volumes").Select(volume => volume.Split(':')[0]).Where(source => char.IsLetter(source[0])),
                name => Assert.Contains(name, volumes.Keys));
        }
    }

    [Theory]
    [MemberData(nameof(Demos))]
    public void No_agent_has_more_capabilities_than_to_read_and_is_given_the_time_to_drain(string demo)
    {
        Dictionary<object, object> agent = Services(demo)["logagent"];

        Assert.Equal(["ALL"], Texts(agent, "cap_drop"));
        Assert.All(Texts(agent, "cap_add"), capability => Assert.Equal("DAC_READ_SEARCH", capability));
        Assert.Equal("30s", agent["stop_grace_period"]);
        Assert.All(
            Texts(agent, "volumes").Where(volume => volume.StartsWith("/var/", StringComparison.Ordinal)),
            volume => Assert.EndsWith(":ro", volume, StringComparison.Ordinal));
    }

    /// <summary>Without the two keys that docker-compose 1.29 is too old for.</summary>
    [ToolFact("docker-compose")]
    public async Task Docker_compose_takes_the_files()
    {
        foreach (string demo in Names)
        {
            string file = Path.Combine(Directory.CreateTempSubdirectory("logagent-compose-").FullName, "compose.yaml");
            await File.WriteAllLinesAsync(file, File.ReadLines(Path.Combine(Folder(demo), "compose.yaml")).Where(line => !line.StartsWith("name:", StringComparison.Ordinal) && line.Trim() != "uts: host"));

            (int exitCode, string output) = await Tool.RunAsync("docker-compose", ["--file", file, "--project-name", demo, "config", "--quiet"]);

            Assert.True(exitCode == 0, demo + ": " + output);
            Directory.Delete(Path.GetDirectoryName(file)!, recursive: true);
        }
    }

    [Theory]
    [MemberData(nameof(Demos))]
    public void The_readme_has_three_lines(string demo) =>
        Assert.Equal(3, File.ReadAllLines(Path.Combine(Folder(demo), "README.md")).Length);

    private static string Folder(string demo) => Repository.PathOf("packaging", "compose", demo);

    private static Dictionary<object, object> Document(string demo) =>
        new DeserializerBuilder().Build().Deserialize<Dictionary<object, object>>(File.ReadAllText(Path.Combine(Folder(demo), "compose.yaml")));

    private static Dictionary<string, Dictionary<object, object>> Services(string demo) =>
        Map(Document(demo), "services").ToDictionary(pair => (string)pair.Key, pair => (Dictionary<object, object>)pair.Value);

    private static Dictionary<object, object> Map(Dictionary<object, object> section, string key) =>
        section.GetValueOrDefault(key) as Dictionary<object, object> ?? [];

    private static IEnumerable<string> Texts(Dictionary<object, object> section, string key) =>
        section.GetValueOrDefault(key) is List<object> list ? list.Cast<string>() : [];
}
