namespace LogAgent.Tests;

public class HandleLimitTests
{
    private const string Text = """
        Limit                     Soft Limit           Hard Limit           Units
        Max processes             96314                96314                processes
        Max open files            {0}                 {0}               files
        Max locked memory         8388608              8388608              bytes

        """;

    [Theory]
    [InlineData("256", 64)]
    [InlineData("1024", 832)]
    [InlineData("524288", 1024)]
    [InlineData("100", 16)]
    [InlineData("unlimited", 1024)]
    public void The_limit_of_the_process_bounds_the_log_files_that_are_open(string limit, int files) =>
        Assert.Equal(files, HandleLimit.LogFiles(1024, string.Format(System.Globalization.CultureInfo.InvariantCulture, Text, limit)));

    [Fact]
    public void Without_a_known_limit_the_configuration_counts() => Assert.Equal(1024, HandleLimit.LogFiles(1024, ""));

    [Fact]
    public void The_process_says_its_limit() => Assert.Contains("Max open files", HandleLimit.Read(), StringComparison.Ordinal);
}
