using System.CommandLine;
using System.Reflection;
using System.Runtime.InteropServices;

namespace LogAgent.Operations;

/// <summary>logagent version</summary>
internal static class VersionCommand
{
    public static string Version { get; } =
        typeof(VersionCommand).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "0";

    public static Command Create(CommandContext context)
    {
        Command command = new("version", "Prints the version, the runtime and the platform.");
        command.SetAction(_ =>
        {
            context.Output.WriteLine($"logagent {Version} ({RuntimeInformation.FrameworkDescription}, {RuntimeInformation.RuntimeIdentifier})");
            return (int)ExitCode.Ok;
        });
        return command;
    }
}
