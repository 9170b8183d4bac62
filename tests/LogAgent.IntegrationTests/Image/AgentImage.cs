using LogAgent.IntegrationTests.Support;

namespace LogAgent.IntegrationTests.Image;

/// <summary>
/// The agent's image, made once for all tests by packaging/docker/from-scratch.sh. What goes in is published as for a release, but not
/// compiled ahead, which takes most of the time and changes nothing of what it does; LOGAGENT_TEST_PUBLISHED may name a directory with
/// a published agent. The image is left for the next run.
/// </summary>
internal static class AgentImage
{
    public const string Name = "logagent-test/agent:local";

    private static readonly Lazy<Task> Made = new(MakeAsync);

    public static Task EnsureAsync() => Made.Value;

    private static async Task MakeAsync()
    {
        using var folder = new TempFolder();
        string? published = Environment.GetEnvironmentVariable("LOGAGENT_TEST_PUBLISHED");
        if (string.IsNullOrEmpty(published))
        {
            published = folder["published"];
            string[] publish = ["publish", Path.Combine(Repository.Root, "src", "LogAgent"), "-p:PublishProfile=linux", "-p:PublishReadyToRun=false", "--artifacts-path", folder["artifacts"], "-o", published, "-v", "q", "-nologo"];
            (await Shell.TryAsync(Repository.DotNet, publish, deadline: TimeSpan.FromMinutes(10))).Text("dotnet publish");
        }

        string script = Path.Combine(Repository.Root, "packaging", "docker", "from-scratch.sh");
        (await Shell.TryAsync(script, ["--tag", Name, "--published", published], deadline: TimeSpan.FromMinutes(5))).Text(script);
    }
}
