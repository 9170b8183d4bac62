namespace LogAgent.Tests.Packaging;

public sealed class ServiceUnitTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("logagent-unit-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [ToolFact("systemd-analyze")]
    public async Task The_unit_passes_systemd_analyze_verify_without_a_word()
    {
        // verify wants the program to exist: the installed one is stood in for by one that does.
        string unit = Path.Combine(_directory, "logagent.service");
        await File.WriteAllTextAsync(unit, Unit().Replace("/usr/bin/logagent", "/bin/true", StringComparison.Ordinal));

        (int exitCode, string output) = await Tool.RunAsync("systemd-analyze", ["verify", "--man=no", unit]);

        Assert.Equal("", output);
        Assert.Equal(0, exitCode);
    }

    [ToolFact("systemd-analyze")]
    public async Task The_exposure_that_systemd_analyze_security_sees_is_at_most_three()
    {
        (int exitCode, string output) = await Tool.RunAsync(
            "systemd-analyze", ["security", "--offline=true", "--no-pager", "--threshold=30", Repository.PathOf("packaging", "systemd", "logagent.service")]);

        Assert.True(exitCode == 0, output);
    }

    [Fact]
    public void The_only_capability_is_to_read_every_file()
    {
        Assert.Equal("CAP_DAC_READ_SEARCH", Value("CapabilityBoundingSet"));
        Assert.Equal("CAP_DAC_READ_SEARCH", Value("AmbientCapabilities"));
    }

    [Fact]
    public void A_stop_is_given_more_time_than_the_agent_takes_to_drain() =>
        Assert.Equal("30s", Value("TimeoutStopSec"));

    [Fact]
    public void The_service_is_started_again_after_every_failure_and_without_end()
    {
        Assert.Equal("on-failure", Value("Restart"));
        Assert.Equal("0", Value("StartLimitIntervalSec"));
    }

    [Fact]
    public void System_calls_that_the_runtime_needs_at_its_start_are_not_filtered_away()
    {
        string[] filters = [.. Unit().Split('\n').Where(line => line.StartsWith("SystemCallFilter=", StringComparison.Ordinal))];

        Assert.Equal(["SystemCallFilter=@system-service", "SystemCallFilter=~@privileged"], filters);
        Assert.Equal("EPERM", Value("SystemCallErrorNumber"));
    }

    private static string Unit() => Repository.Read("packaging", "systemd", "logagent.service");

    private static string Value(string key) =>
        Unit().Split('\n').Single(line => line.StartsWith(key + "=", StringComparison.Ordinal))[(key.Length + 1)..];
}
