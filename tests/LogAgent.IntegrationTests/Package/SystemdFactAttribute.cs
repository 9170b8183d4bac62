namespace LogAgent.IntegrationTests.Package;

/// <summary>
/// A test that boots a Debian with systemd. LOGAGENT_TEST_ROOT names the debootstrapped Debian (tests/run.sh makes one; made where it is
/// not there yet), LOGAGENT_TEST_NO_SYSTEMD says why none could be made.
/// </summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class SystemdFactAttribute : FactAttribute
{
    public SystemdFactAttribute()
    {
        Skip = WhyNot();
        if (Skip is null)
            Timeout = (int)TimeSpan.FromMinutes(15).TotalMilliseconds;
    }

    /// <summary>True where the package as it is shipped is tried, one self-contained file: a second boot, which the default run does without.</summary>
    public bool Shipped
    {
        get => false;
        set => Skip ??= value && Environment.GetEnvironmentVariable("LOGAGENT_TEST_PACKAGE") != "1"
            ? "publishing the self-contained package and booting it takes two minutes more: only with LOGAGENT_TEST_PACKAGE=1"
            : null;
    }

    private static string? WhyNot()
    {
        if (Environment.GetEnvironmentVariable("LOGAGENT_TEST_NO_SYSTEMD") is { Length: > 0 } reason)
            return reason;
        if (Environment.GetEnvironmentVariable("LOGAGENT_TEST_ROOT") is not { Length: > 0 })
            return "LOGAGENT_TEST_ROOT names no directory for a debootstrapped Debian";
        if (!Environment.IsPrivilegedProcess)
            return "only root can boot a Debian";
        return PackageFactAttribute.WhyNot("dpkg-deb", "debootstrap", "systemd-nspawn");
    }
}
