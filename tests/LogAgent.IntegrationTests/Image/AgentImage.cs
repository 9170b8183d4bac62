using LogAgent.IntegrationTests.Support;

namespace LogAgent.IntegrationTests.Image;

/// <summary>
/// The agent's image, made once for all tests by packaging/docker/from-scratch.sh. Publishing takes a minute or two: LOGAGENT_TEST_PUBLISHED
/// may name a directory with a published agent. The image is left for the next run.
/// </summary>
internal static class AgentImage
{
    public const string Name = "logagent-test/agent:local";

    private static readonly Lazy<Task> Made = new(MakeAsync);

    public static Task EnsureAsync() => Made.Value;

    private static async Task MakeAsync()
    {
        string script = Path.Combine(Repository.Root, "packaging", "docker", "from-scratch.sh");
        string[] published = Environment.GetEnvironmentVariable("LOGAGENT_TEST_PUBLISHED") is { Length: > 0 } directory ? ["--published", directory] : [];
        (await Shell.TryAsync(script, ["--tag", Name, .. published], deadline: TimeSpan.FromMinutes(10))).Text(script);
    }
}
