using LogAgent.IntegrationTests.Support;

namespace LogAgent.IntegrationTests.Package;

/// <summary>Builds the packages by their own scripts.</summary>
internal static class Packages
{
    public static readonly TimeSpan Deadline = TimeSpan.FromMinutes(12);

    public static string Script(params string[] parts) => Path.Combine([Repository.Root, "packaging", .. parts]);

    /// <summary>The directory of the .NET that runs the tests.</summary>
    public static string DotNet => Path.GetDirectoryName(File.ResolveLinkTarget(Repository.DotNet, returnFinalTarget: true)?.FullName ?? Repository.DotNet)!;

    /// <summary>The small variant, of what the tests were built with: no publish.</summary>
    /// <returns>The path of the package.</returns>
    public static Task<string> BuildAsync(string kind, TempFolder folder, params string[] options) =>
        RunAsync(kind, ["--framework-dependent", "--published", Path.GetDirectoryName(Repository.Agent)!, "--out", folder.Path, .. options]);

    /// <summary>The variant that is shipped: one self-contained file, published now where LOGAGENT_TEST_PUBLISHED names no directory with one.</summary>
    public static Task<string> BuildShippedAsync(string kind, TempFolder folder) =>
        RunAsync(kind, ["--out", folder.Path, .. Environment.GetEnvironmentVariable("LOGAGENT_TEST_PUBLISHED") is { Length: > 0 } directory ? (string[])["--published", directory] : []]);

    private static async Task<string> RunAsync(string kind, string[] options) =>
        (await Shell.TryAsync(Script(kind, "build.sh"), options, deadline: Deadline)).Text(kind + "/build.sh");
}
