using LogAgent.Outputs;
using LogAgent.Outputs.Elasticsearch;

namespace LogAgent.Tests.Outputs.Elasticsearch;

public class IndexNameTests
{
    [Theory]
    [InlineData("logagent-%{yyyy.MM.dd}", "logagent-2026.01.09", "logagent-*", "logagent")]
    [InlineData("logs-%{yyyy-MM}", "logs-2026-01", "logs-*", "logs")]
    [InlineData("a.%{yyyy}-x_%{MM}", "a.2026-x_01", "a.*-x_*", "a.-x")]
    [InlineData("plain", "plain", "plain", "plain")]
    public void A_pattern_gives_the_name_of_a_day(string pattern, string name, string wildcard, string stem)
    {
        Assert.True(IndexName.TryParse(pattern, out IndexName index, out _));
        IndexOfDay day = index.Of(UtcDay.Of(20_462 * UtcDay.Nanos));
        Assert.Equal(name, day.Name);
        Assert.Equal(name, System.Text.Encoding.ASCII.GetString(day.Utf8));
        Assert.Same(day, index.Of(UtcDay.Of(20_462 * UtcDay.Nanos)));
        Assert.Equal(wildcard, index.Wildcard);
        Assert.Equal(stem, index.Stem);
    }

    [Theory]
    [InlineData("Logs", "'L' is not allowed")]
    [InlineData("logs/../other", "'/' is not allowed")]
    [InlineData("logs-%{container.name}", "is no date")]
    [InlineData("logs-%{yyyy.yyyy}", "is no date")]
    [InlineData("logs-%{yyyy", "'%' is not allowed")]
    [InlineData("_logs", "begins with")]
    [InlineData("-logs", "begins with")]
    [InlineData(".logs", "begins with")]
    [InlineData("%{yyyy}", "begins with")]
    [InlineData("", "begins with")]
    [InlineData("a,b", "',' is not allowed")]
    [InlineData("a*", "'*' is not allowed")]
    public void A_name_that_is_none_is_refused_with_what_is_allowed(string pattern, string words)
    {
        Assert.False(IndexName.TryParse(pattern, out _, out string problem));
        Assert.Contains(words, problem);
    }

    [Fact]
    public void Very_many_days_do_not_grow_the_memory()
    {
        Assert.True(IndexName.TryParse("l-%{yyyy.MM.dd}", out IndexName index, out _));
        for (int day = 0; day < 5000; day++)
        {
            index.Of(new UtcDay(day));
        }

        Assert.Equal("l-1970.01.01", index.Of(new UtcDay(0)).Name);
    }
}
