using System.CommandLine;
using LogAgent.Configuration;
using LogAgent.Delivery;

namespace LogAgent.Operations;

/// <summary>logagent check</summary>
internal static class CheckCommand
{
    public static Command Create(CommandContext context)
    {
        Option<string?> config = CommandLine.ConfigOption();
        Command command = new("check",
            "Checks the configuration, then tries each thing for real: the Docker socket, the log files, the state directory, the metrics address, "
            + "and each output (reachable, authorised). Prints a line for each, with what to do where it fails. It ships nothing and may be run beside a running agent.")
        {
            config,
        };
        command.SetAction(async (parsed, cancel) => (int)await RunAsync(context, parsed.GetValue(config), cancel).ConfigureAwait(false));
        return command;
    }

    private static async Task<ExitCode> RunAsync(CommandContext context, string? path, CancellationToken cancel)
    {
        AgentConfiguration configuration = AgentConfiguration.Load(path, context.Environment, OutputFactory.ReadOptions);
        if (!CommandLine.IsGood(configuration, context))
        {
            return ExitCode.Usage;
        }

        bool good = true;
        void Print(CheckResult result)
        {
            good &= result.Ok;
            context.Output.WriteLine($"{(result.Ok ? "ok    " : "FAILED")}  {result.What}: {result.Detail}");
        }

        Print(new CheckResult(true, "configuration", configuration.Source));
        Print(HostChecks.StateDirectory(configuration.Options.StateDirectory));
        Print(HostChecks.MetricsAddress(configuration.Options.Metrics.Listen));
        using OwnLog log = new(configuration.Options.Log with { Level = LogDetail.Error }, context.Environment);
        Agent agent = new(configuration.Options, context.Environment, log.Loggers, context.Time);
        foreach (CheckResult result in await agent.CheckAsync(cancel).ConfigureAwait(false))
        {
            Print(result);
        }

        return good ? ExitCode.Ok : ExitCode.Failed;
    }
}
