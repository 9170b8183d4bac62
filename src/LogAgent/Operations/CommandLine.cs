using System.CommandLine;
using System.CommandLine.Parsing;

namespace LogAgent.Operations;

/// <summary>The commands of logagent.</summary>
internal static class CommandLine
{
    public static async Task<ExitCode> RunAsync(IReadOnlyList<string> arguments, CommandContext context)
    {
        RootCommand root = Root(context);
        ParseResult parsed = root.Parse(arguments.Count == 0 ? ["--help"] : arguments);
        if (parsed.Errors.Count > 0)
        {
            foreach (string problem in Problems(parsed))
            {
                context.Error.WriteLine(problem);
            }

            context.Error.WriteLine($"'{string.Join(' ', Path(parsed.CommandResult, root).Reverse())} --help' shows what is allowed.");
            return ExitCode.Usage;
        }

        InvocationConfiguration invocation = new()
        {
            Output = context.Output,
            Error = context.Error,
            EnableDefaultExceptionHandler = false,
            ProcessTerminationTimeout = null, // signals are the host's
        };
        try
        {
            int code = await parsed.InvokeAsync(invocation).ConfigureAwait(false);
            return arguments.Count == 0 ? ExitCode.Usage : (ExitCode)code;
        }
        catch (Exception e)
        {
            context.Error.WriteLine($"logagent failed unexpectedly: {e}");
            return ExitCode.Failed;
        }
    }

    internal static RootCommand Root(CommandContext context) => new(
        "LogAgent reads the logs of this host's containers and files and ships every line to the configured outputs. "
        + "Exit codes: 0 done; 1 failed, or a check failed; 2 wrong usage or wrong configuration.")
    {
        RunCommand.Create(context),
        CheckCommand.Create(context),
        DeadLettersCommand.Create(context),
        HealthCommand.Create(context),
        VersionCommand.Create(context),
    };

    /// <summary>What is wrong, for a person. That a command is missing is said only where nothing else explains it.</summary>
    private static IEnumerable<string> Problems(ParseResult parsed)
    {
        string[] problems = [.. parsed.Errors.Select(error => error.Message.Replace(" as expected type 'System.Int32'", ": it takes a whole number", StringComparison.Ordinal)).Distinct()];
        return parsed.UnmatchedTokens.Count > 0 ? problems.Where(problem => problem.Contains('\'')) : problems;
    }

    /// <summary>The names of the command and of those above it, innermost first.</summary>
    private static IEnumerable<string> Path(CommandResult result, RootCommand root)
    {
        for (CommandResult? command = result; command is not null; command = command.Parent as CommandResult)
        {
            yield return command.Command == root ? "logagent" : command.Command.Name;
        }
    }

    internal static Option<string?> ConfigOption() => new("--config", "-c")
    {
        Description = "The configuration file. Without it: $LOGAGENT_CONFIG, else /etc/logagent/logagent.yaml if it is there, else the defaults and what LOGAGENT_... variables set.",
        HelpName = "FILE",
    };

    /// <summary>Writes all errors of a configuration.</summary>
    /// <returns>True where there are none.</returns>
    internal static bool IsGood(Configuration.AgentConfiguration configuration, CommandContext context)
    {
        foreach (Configuration.ConfigurationError error in configuration.Errors)
        {
            context.Error.WriteLine(error.ToString());
        }

        if (configuration.Errors.Count > 0)
        {
            context.Error.WriteLine($"The configuration has {configuration.Errors.Count} error{(configuration.Errors.Count == 1 ? "" : "s")}. logagent.yaml.example shows every key.");
        }

        return configuration.Errors.Count == 0;
    }
}
