using System.CommandLine;
using System.Text.RegularExpressions;
using LogAgent.Operations;

namespace LogAgent.Tests.Packaging;

/// <summary>The man page and the completion know the commands and options of the command line, all of them and no others.</summary>
public sealed class CommandLineDocumentsTests
{
    private static readonly RootCommand Root =
        CommandLine.Root(new CommandContext(TextWriter.Null, TextWriter.Null, new Dictionary<string, string>(), TimeProvider.System));

    private static readonly string ManPage = Repository.Read("packaging", "tree", "logagent.1").Replace("\\-", "-", StringComparison.Ordinal);

    public static TheoryData<string> Commands() => [.. Walk(Root, "").Select(found => found.Path)];

    [Theory]
    [MemberData(nameof(Commands))]
    public void The_man_page_has_every_command(string path)
    {
        if (path.Length > 0 && Find(path).Subcommands.Count == 0)
            Assert.Matches($@"(?m)^\.TP\n\.B {Regex.Escape(path)}$", ManPage);
    }

    [Fact]
    public void The_man_page_has_every_option_and_none_that_does_not_exist()
    {
        string[] known = [.. Walk(Root, "").SelectMany(found => found.Command.Options).SelectMany(Names).Where(name => name.StartsWith('-')).Distinct().Order()];
        string options = ManPage[ManPage.IndexOf(".SH OPTIONS", StringComparison.Ordinal)..ManPage.IndexOf(".SH EXIT STATUS", StringComparison.Ordinal)];
        string[] described = [.. Regex.Matches(options, @"(?<=[\s,])--?[a-z?][a-z-]*").Select(match => match.Value).Distinct().Order()];

        Assert.Equal(known, described);
        Assert.All(Regex.Matches(ManPage, "--[a-z-]+"), match => Assert.Contains(match.Value, known));
    }

    [Theory]
    [MemberData(nameof(Commands))]
    public async Task The_completion_offers_a_command_what_it_takes(string path)
    {
        Command command = Find(path);
        string[] expected = [
            .. command.Subcommands.Where(sub => !sub.Hidden).Select(sub => sub.Name),
            .. OptionsOf(path).Select(option => option.Name),
        ];

        Assert.Equal(expected.Distinct().Order(), (await CompleteAsync($"logagent {path}".Trim() + " ")).Order());
    }

    [Fact]
    public async Task The_completion_offers_the_values_of_an_option_that_has_a_few()
    {
        Assert.Equal(["text", "json"], await CompleteAsync("logagent run --format "));
        Assert.Equal(["json"], await CompleteAsync("logagent run --config x.yaml --format j"));
        Assert.Equal(["--ready"], await CompleteAsync("logagent health --config run --r"));
    }

    private static IEnumerable<(string Path, Command Command)> Walk(Command command, string path)
    {
        yield return (path, command);
        foreach (Command sub in command.Subcommands.Where(sub => !sub.Hidden))
            foreach ((string, Command) found in Walk(sub, $"{path} {sub.Name}".Trim()))
                yield return found;
    }

    private static Command Find(string path) => Walk(Root, "").Single(found => found.Path == path).Command;

    /// <summary>Its own options, the recursive ones of the commands above it (--help is one), and of the root alone --version.</summary>
    private static IEnumerable<Option> OptionsOf(string path)
    {
        IEnumerable<Option> options = Find(path).Options;
        for (string above = path; above.Length > 0;)
        {
            above = above.Contains(' ') ? above[..above.LastIndexOf(' ')] : "";
            options = options.Concat(Find(above).Options.Where(option => option.Recursive));
        }

        return options.Where(option => !option.Hidden).DistinctBy(option => option.Name);
    }

    private static IEnumerable<string> Names(Option option) => [option.Name, .. option.Aliases];

    private static async Task<string[]> CompleteAsync(string line)
    {
        string script = $$"""
            source '{{Repository.PathOf("packaging", "tree", "logagent.bash-completion")}}'
            COMP_WORDS=({{line}}{{(line.EndsWith(' ') ? "''" : "")}})
            COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
            _logagent
            [ ${#COMPREPLY[@]} -eq 0 ] || printf '%s\n' "${COMPREPLY[@]}"
            """;
        (int exitCode, string output) = await Tool.RunAsync("bash", ["--norc", "-c", script]);
        Assert.True(exitCode == 0, output);
        return output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }
}
