namespace LogAgent.IntegrationTests.Syslog;

/// <summary>A test with the distribution's rsyslog, which needs no root here; skipped with the reason where it is missing.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class RsyslogFactAttribute : FactAttribute
{
    /// <param name="tls">True for a test that needs rsyslog-gnutls, too.</param>
    public RsyslogFactAttribute(bool tls = false)
    {
        Skip = !File.Exists(RsyslogServer.Program) ? "rsyslog is not installed"
            : tls && !Directory.GetDirectories("/usr/lib").Any(directory => File.Exists($"{directory}/rsyslog/lmnsd_gtls.so")) ? "rsyslog-gnutls is not installed"
            : null;
        Timeout = Skip is null ? 120_000 : 0;
    }
}
