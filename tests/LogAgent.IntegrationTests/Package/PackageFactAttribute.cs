namespace LogAgent.IntegrationTests.Package;

/// <summary>A test of a package that needs programs of the machine, and is skipped, naming the first that is missing, where it lacks them.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class PackageFactAttribute : FactAttribute
{
    public PackageFactAttribute(params string[] tools)
    {
        Skip = WhyNot(tools);
        if (Skip is null)
            Timeout = (int)TimeSpan.FromMinutes(15).TotalMilliseconds;
    }

    /// <summary>True for what only root can do.</summary>
    public bool AsRoot
    {
        get => false;
        set => Skip ??= value && !Environment.IsPrivilegedProcess ? "only root can install into another root" : null;
    }

    internal static string? WhyNot(params string[] tools)
    {
        string[] path = $"{Environment.GetEnvironmentVariable("PATH")}:/usr/sbin:/sbin".Split(':');
        return tools.FirstOrDefault(tool => !path.Any(folder => File.Exists(Path.Combine(folder, tool)))) is { } missing ? $"{missing} is not installed" : null;
    }
}
