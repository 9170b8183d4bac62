using System.CommandLine;
using System.Net;
using LogAgent.Configuration;

namespace LogAgent.Operations;

/// <summary>logagent health</summary>
internal static class HealthCommand
{
    public static Command Create(CommandContext context)
    {
        Option<string?> config = CommandLine.ConfigOption();
        Option<bool> ready = new("--ready") { Description = "Ask /readyz (the outputs take records) instead of /healthz (the agent works)." };
        Command command = new("health",
            "Asks the running agent on its metrics address whether it is well, and prints its answer. Exit code 0: well; 1: not, or no answer. Made for HEALTHCHECK of an image.")
        {
            config,
            ready,
        };
        command.SetAction(parsed => (int)Run(context, parsed.GetValue(config), parsed.GetValue(ready) ? "/readyz" : "/healthz"));
        return command;
    }

    private static ExitCode Run(CommandContext context, string? path, string page)
    {
        AgentConfiguration configuration = AgentConfiguration.Load(path, context.Environment, OutputFactory.ReadOptions);
        if (!CommandLine.IsGood(configuration, context))
        {
            return ExitCode.Usage;
        }

        if (configuration.Options.Metrics.Listen is not { } listen)
        {
            context.Error.WriteLine("metrics.listen is switched off (\"\"), so there is nobody to ask. Set it to 127.0.0.1:9600.");
            return ExitCode.Failed;
        }

        IPAddress address = listen.Address.Equals(IPAddress.Any) ? IPAddress.Loopback
            : listen.Address.Equals(IPAddress.IPv6Any) ? IPAddress.IPv6Loopback
            : listen.Address;
        HealthProbe.Answer answer = HealthProbe.Ask(new IPEndPoint(address, listen.Port), page, TimeSpan.FromSeconds(5));
        (answer.Status == 200 ? context.Output : context.Error).WriteLine(answer.Body.TrimEnd());
        return answer.Status == 200 ? ExitCode.Ok : ExitCode.Failed;
    }
}
