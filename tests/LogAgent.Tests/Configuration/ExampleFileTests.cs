using LogAgent.Configuration;

namespace LogAgent.Tests.Configuration;

/// <summary>logagent.yaml.example shows every key of the code with its default, and no other.</summary>
public class ExampleFileTests
{
    /// <summary>Keys that have no sensible default, or whose section has: the example shows a value.</summary>
    private static readonly string[] Shown = ["docker.files[0].paths", "files[0].paths"];

    private static readonly string Example = File.ReadAllText(Path.Combine(RepositoryRoot(), "logagent.yaml.example"));

    [Fact]
    public void As_it_stands_it_is_a_good_configuration_that_changes_nothing()
    {
        ConfigurationFile file = ConfigurationFile.Parse(Example, source: "logagent.yaml.example");
        AgentOptions.Read(file.Root, OutputFactory.ReadOptions);
        Assert.Empty(file.Errors);
        Assert.DoesNotContain(file.Uses, use => use.Present && !use.IsDefault);
    }

    [Fact]
    public void With_everything_switched_on_it_has_every_key_with_its_default()
    {
        ConfigurationFile file = ConfigurationFile.Parse(SwitchedOn(), source: "logagent.yaml.example");
        AgentOptions options = AgentOptions.Read(file.Root, OutputFactory.ReadOptions);

        // A machine without librdkafka has no use for the Kafka output, but the example is as good.
        Assert.DoesNotContain(file.Errors, error => !error.Problem.Contains("librdkafka", StringComparison.Ordinal));
        Assert.Equal(Enum.GetValues<OutputType>(), options.Outputs.Select(output => output.Type).Order());
        Assert.Empty(file.Uses.Where(use => !use.Present).Select(use => $"{Name(use)} is missing; its default is {use.Default}"));
        Assert.Empty(file.Uses.Where(use => !use.IsDefault && !Shown.Contains(Name(use))).Select(use => $"{Name(use)}: the default is {use.Default}"));
    }

    [Fact]
    public void Each_key_has_a_line_on_it_where_it_first_stands()
    {
        HashSet<string> seen = [];
        List<string> bare = [];
        foreach (string line in SwitchedOn().Split('\n').Where(line => line.Length > 0 && line[0] != '#'))
        {
            string key = line.Split(':')[0].TrimStart(' ', '-');
            bool isSection = line.TrimEnd().EndsWith(':');
            if (seen.Add(key) && !isSection && !line.Contains(" # ", StringComparison.Ordinal))
            {
                bare.Add(line);
            }
        }

        Assert.True(bare.Count <= 10, "Lines without a word on them: " + string.Join('\n', bare));
    }

    private static string Name(KeyUse use) => use.Section.Length > 0 ? $"{use.Section}.{use.Key}" : use.Key;

    /// <summary>The example without the # of what is switched off: a # with no single space after it.</summary>
    private static string SwitchedOn() =>
        string.Join('\n', Example.Split('\n').Select(line => line.StartsWith('#') && !(line.Length > 2 && line[1] == ' ' && line[2] != ' ') ? line[1..] : line));

    private static string RepositoryRoot()
    {
        DirectoryInfo directory = new(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(directory.FullName, "LogAgent.sln")))
        {
            directory = directory.Parent ?? throw new InvalidOperationException("LogAgent.sln is not above the tests.");
        }

        return directory.FullName;
    }
}
