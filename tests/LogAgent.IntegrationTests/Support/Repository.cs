using System.Runtime.InteropServices;

namespace LogAgent.IntegrationTests.Support;

/// <summary>Where the built things are.</summary>
internal static class Repository
{
    public static string Root { get; } = FindRoot();

    /// <summary>The agent as it is shipped, in the configuration of this test assembly.</summary>
    public static string Agent { get; } =
        Path.Combine(Root, "src", "LogAgent", "bin", new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name, "net10.0", "logagent.dll");

    /// <summary>What starts the agent: what was built, or the published program that LOGAGENT_TEST_AGENT names.</summary>
    public static string[] AgentCommand => Environment.GetEnvironmentVariable("LOGAGENT_TEST_AGENT") is { Length: > 0 } published ? [published] : [DotNet, Agent];

    /// <summary>The dotnet that runs the tests runs the agent.</summary>
    public static string DotNet { get; } = FindDotNet();

    private static string FindRoot()
    {
        DirectoryInfo? directory = new(AppContext.BaseDirectory);
        while (directory is not null && !File.Exists(Path.Combine(directory.FullName, "LogAgent.sln")))
        {
            directory = directory.Parent;
        }

        return directory?.FullName ?? throw new InvalidOperationException("LogAgent.sln is not above the test assembly.");
    }

    private static string FindDotNet()
    {
        // <root>/shared/Microsoft.NETCore.App/<version>/
        string? root = Path.GetDirectoryName(RuntimeEnvironment.GetRuntimeDirectory().TrimEnd('/'));
        string candidate = Path.GetFullPath(Path.Combine(root ?? "/", "..", "..", "dotnet"));
        return File.Exists(candidate) ? candidate : "dotnet";
    }
}
