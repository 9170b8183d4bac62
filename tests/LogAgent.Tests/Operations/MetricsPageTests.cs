using LogAgent.Operations;

namespace LogAgent.Tests.Operations;

public class MetricsPageTests
{
    [Fact]
    public void Values_of_one_name_stand_together_with_one_help_and_type()
    {
        MetricsPage page = new(
            () => [new("a_total", "How many.", MetricType.Counter, 1, ("output", "es")), new("b_bytes", "Size.", MetricType.Gauge, 0.5)],
            () => [new("a_total", "How many.", MetricType.Counter, 12345678901, ("output", "k\"a\\f\nka"), ("reason", "x"))]);
        Assert.Equal("""
            # HELP a_total How many.
            # TYPE a_total counter
            a_total{output="es"} 1
            a_total{output="k\"a\\f\nka",reason="x"} 12345678901
            # HELP b_bytes Size.
            # TYPE b_bytes gauge
            b_bytes 0.5

            """, page.Render());
    }

    [Fact]
    public void The_process_shows_its_own_memory_and_version()
    {
        string page = new MetricsPage(new ProcessMetrics(DateTimeOffset.UnixEpoch.AddSeconds(5)).Read).Render();
        Assert.Contains($"logagent_build_info{{version=\"{VersionCommand.Version}\"}} 1\n", page, StringComparison.Ordinal);
        Assert.Contains("process_start_time_seconds 5\n", page, StringComparison.Ordinal);
        Assert.Matches(@"process_resident_memory_bytes [1-9]\d{6,}\n", page);
    }
}
