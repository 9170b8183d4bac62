using System.CommandLine;
using LogAgent.Configuration;

namespace LogAgent.Operations;

/// <summary>logagent run</summary>
internal static class RunCommand
{
    public static Command Create(CommandContext context)
    {
        Option<string?> config = CommandLine.ConfigOption();
        Option<string?> format = new("--format")
        {
            Description = "Format of the console output: text or json (one document a line). Without it: as configured.",
            HelpName = "FORMAT",
        };
        format.AcceptOnlyFromAmong("text", "json");
        Command command = new("run",
            "Reads and ships until it is stopped. SIGTERM or Ctrl+C: delivers what was read within the drain time (drain: 20s), then ends. "
            + "SIGHUP: reads the configuration again; one with errors is refused as a whole. Its own log goes to standard error.")
        {
            config,
            format,
        };
        command.SetAction(async (parsed, _) => (int)await RunAsync(context, parsed.GetValue(config), parsed.GetValue(format)).ConfigureAwait(false));
        return command;
    }

    private static async Task<ExitCode> RunAsync(CommandContext context, string? path, string? format)
    {
        using HangUp hangUp = new();
        AgentConfiguration Load() => AgentConfiguration.Load(path, context.Environment, OutputFactory.ReadOptions, format);
        AgentConfiguration configuration = Load();
        if (!CommandLine.IsGood(configuration, context))
        {
            return ExitCode.Usage;
        }

        using OwnLog log = new(configuration.Options.Log, context.Environment);
        Agent agent = new(configuration.Options, context.Environment, log.Loggers, context.Time);
        SystemdNotify notify = new(context.Environment);
        AgentService service = new(agent.RunAsync, () =>
        {
            notify.Reloading();
            notify.Ready(Reload(agent, log, Load()));
        }, hangUp, log.Loggers.CreateLogger("LogAgent.Run"));
        log.Loggers.CreateLogger("LogAgent.Run").LogInformation("LogAgent {Version} starts with {Source}.", VersionCommand.Version, configuration.Source);
        return await AgentHost.RunAsync(service, log.Loggers, configuration.Options.Drain).ConfigureAwait(false);
    }

    /// <returns>What came of it, for the status line of the service.</returns>
    private static string Reload(Agent agent, OwnLog log, AgentConfiguration changed)
    {
        ILogger logger = log.Loggers.CreateLogger("LogAgent.Reload");
        if (changed.Errors.Count > 0)
        {
            logger.LogError("The changed configuration is refused, the old one stays in force: {Errors}", string.Join(" | ", changed.Errors));
            return "The changed configuration is refused, the old one stays in force; see the log.";
        }

        if (agent.Reload(changed.Options) is { } refused)
        {
            logger.LogError("The changed configuration is refused, the old one stays in force: {Reason}", refused);
            return $"The changed configuration is refused: {refused}";
        }

        log.SetLevel(changed.Options.Log.Level);
        logger.LogInformation("The configuration was read again from {Source}.", changed.Source);
        return "The configuration was read again.";
    }
}
