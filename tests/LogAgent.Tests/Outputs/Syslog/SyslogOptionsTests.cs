using LogAgent.Configuration;
using LogAgent.Outputs.Syslog;

namespace LogAgent.Tests.Outputs.Syslog;

public class SyslogOptionsTests
{
    [Fact]
    public void Without_keys_the_defaults_are_those_of_the_type()
    {
        SyslogOptions read = Read("{}", out string[] errors);
        Assert.Empty(errors);
        Assert.Equal(new SyslogOptions { Targets = read.Targets }, read);
        Assert.Equal([new SyslogTarget("127.0.0.1", 514)], read.Targets);
    }

    [Fact]
    public void Every_key_is_read()
    {
        SyslogOptions read = Read("""
            name: siem
            targets: [a:514, '[::1]:6514']
            protocol: tls
            tls: { verify: false }
            format: rfc3164
            facility: local3
            severity: { stdout: notice, stderr: crit, file: debug }
            app_name: service.name
            structured_data: none
            full_time: true
            max_message: 64KiB
            oversize: truncate
            newlines: escape
            timeout: 5s
            fail_back_after: 1m
            """, out string[] errors);
        Assert.Empty(errors);
        Assert.Equal(("siem", SyslogProtocol.Tls, false), (read.Name, read.Protocol, read.Tls.Verify));
        Assert.Equal([new("a", 514), new SyslogTarget("::1", 6514)], read.Targets);
        Assert.Equal((SyslogFormat.Rfc3164, SyslogFacility.Local3), (read.Format, read.Facility));
        Assert.Equal((SyslogSeverity.Notice, SyslogSeverity.Crit, SyslogSeverity.Debug), (read.Stdout, read.Stderr, read.File));
        Assert.Equal(("service.name", "", true, 65536), (read.AppNameField, read.StructuredDataId, read.FullTime, read.MaxMessage));
        Assert.Equal((SyslogOversize.Truncate, SyslogNewlines.Escape), (read.Oversize, read.Newlines));
        Assert.Equal((TimeSpan.FromSeconds(5), TimeSpan.FromMinutes(1)), (read.Timeout, read.FailBackAfter));
    }

    [Theory]
    [InlineData("targets: [logs.example.org]", "HOST:PORT")]
    [InlineData("targets: ['::1:514']", "HOST:PORT")]
    [InlineData("targets: ['a:0']", "HOST:PORT")]
    [InlineData("targets: []", "at least one")]
    [InlineData("structured_data: container", "private enterprise number")]
    [InlineData("{protocol: udp, max_message: 1MiB}", "max_message")]
    [InlineData("{protocol: tls, tls: {ca_file: /no/such/file}}", "/no/such/file")]
    [InlineData("facility: kernel", "facility")]
    public void What_cannot_work_is_an_error_at_its_key(string yaml, string problem)
    {
        Read(yaml, out string[] errors);
        Assert.Contains(problem, Assert.Single(errors), StringComparison.Ordinal);
    }

    private static SyslogOptions Read(string yaml, out string[] errors)
    {
        ConfigurationFile file = ConfigurationFile.Parse(yaml, _ => null);
        SyslogOptions options = SyslogOptions.Read(file.Root);
        errors = [.. file.Errors.Select(error => error.ToString())];
        return options;
    }
}
