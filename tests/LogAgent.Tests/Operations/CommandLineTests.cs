using LogAgent.Operations;

namespace LogAgent.Tests.Operations;

public class CommandLineTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("logagent-").FullName;
    private readonly StringWriter _output = new();
    private readonly StringWriter _error = new();

    public void Dispose() => Directory.Delete(_directory, true);

    [Theory]
    [InlineData("bogus")]
    [InlineData("run --bogus")]
    [InlineData("run --format xml")]
    [InlineData("dead-letters")]
    [InlineData("run --config /nonexistent/logagent.yaml")]
    [InlineData("check --config /nonexistent/logagent.yaml")]
    [InlineData("health --config /nonexistent/logagent.yaml")]
    public async Task Wrong_usage_and_a_wrong_configuration_exit_with_2_and_say_why(string arguments)
    {
        Assert.Equal(ExitCode.Usage, await Run(arguments.Split(' ')));
        Assert.NotEqual("", _error.ToString());
    }

    [Theory]
    [InlineData("bogus", "Unrecognized command or argument 'bogus'.\n'logagent --help' shows what is allowed.\n")]
    [InlineData("dead-letters", "Required command was not provided.\n'logagent dead-letters --help' shows what is allowed.\n")]
    [InlineData("dead-letters replay --wait soon", "Cannot parse argument 'soon' for option '--wait': it takes a whole number.\n'logagent dead-letters replay --help' shows what is allowed.\n")]
    public async Task Wrong_usage_is_said_once_with_the_help_that_is_of_use(string arguments, string expected)
    {
        await Run(arguments.Split(' '));
        Assert.Equal(expected, _error.ToString());
    }

    [Fact]
    public async Task Without_a_command_the_help_is_shown_and_the_code_is_2()
    {
        Assert.Equal(ExitCode.Usage, await Run());
        Assert.Contains("dead-letters", _output.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--help")]
    [InlineData("run --help")]
    [InlineData("check --help")]
    [InlineData("dead-letters --help")]
    [InlineData("dead-letters list --help")]
    [InlineData("dead-letters replay --help")]
    [InlineData("health --help")]
    [InlineData("version --help")]
    public async Task Each_command_has_help(string arguments)
    {
        Assert.Equal(ExitCode.Ok, await Run(arguments.Split(' ')));
        Assert.Contains("Usage:", _output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_version_is_one_line()
    {
        Assert.Equal(ExitCode.Ok, await Run("version"));
        Assert.Matches(@"^logagent \d+\.\d+\.\d+ \(.*\)\n$", _output.ToString());
    }

    [Fact]
    public async Task All_errors_of_a_configuration_are_shown()
    {
        string path = Path.Combine(_directory, "bad.yaml");
        File.WriteAllText(path, "drain: soon\nlog: { levle: debug }\n");
        Assert.Equal(ExitCode.Usage, await Run("run", "--config", path));
        Assert.Contains($"{path}:1: drain: 'soon' is not allowed", _error.ToString(), StringComparison.Ordinal);
        Assert.Contains($"{path}:2: log.levle: There is no such key. Did you mean 'level'?", _error.ToString(), StringComparison.Ordinal);
        Assert.Contains("2 errors", _error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Health_fails_with_a_reason_when_no_agent_answers()
    {
        string path = Path.Combine(_directory, "health.yaml");
        File.WriteAllText(path, "metrics: { listen: 127.0.0.1:1 }\n");
        Assert.Equal(ExitCode.Failed, await Run("health", "--config", path));
        Assert.Contains("No agent answers on 127.0.0.1:1: Connection refused. Check", _error.ToString(), StringComparison.Ordinal);
    }

    private Task<ExitCode> Run(params string[] arguments) =>
        CommandLine.RunAsync(arguments, new CommandContext(_output, _error, new Dictionary<string, string>(), TimeProvider.System));
}
