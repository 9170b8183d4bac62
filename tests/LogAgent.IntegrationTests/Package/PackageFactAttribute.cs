namespace LogAgent.IntegrationTests.Package;

/// <summary>A test of the package; it is run only where that is asked for, and by root.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class PackageFactAttribute : FactAttribute
{
    private static readonly string[] Tools = ["dpkg-deb", "lintian", "debootstrap", "systemd-nspawn"];

    public PackageFactAttribute()
    {
        Skip = WhyNot();
        if (Skip is null)
            Timeout = (int)TimeSpan.FromMinutes(30).TotalMilliseconds;
    }

    private static string? WhyNot()
    {
        if (Environment.GetEnvironmentVariable("LOGAGENT_TEST_PACKAGE") != "1")
            return "it publishes the agent and boots a Debian, which takes minutes: only with LOGAGENT_TEST_PACKAGE=1";
        if (!Environment.IsPrivilegedProcess)
            return "only root can debootstrap and boot";
        string[] path = $"{Environment.GetEnvironmentVariable("PATH")}:/usr/sbin:/sbin".Split(':');
        string? missing = Tools.FirstOrDefault(tool => !path.Any(folder => File.Exists(Path.Combine(folder, tool))));
        return missing is null ? null : $"{missing} is not installed";
    }
}
