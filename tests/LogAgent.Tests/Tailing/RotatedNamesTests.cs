using LogAgent.Tailing;

namespace LogAgent.Tests.Tailing;

public class RotatedNamesTests
{
    [Theory]
    [InlineData("/l/app.log.1", "/l/app.log")]
    [InlineData("/l/app.log.12345", "/l/app.log")]
    [InlineData("/l/app.log.2.gz", "/l/app.log")]
    [InlineData("/l/app.log-20261120", "/l/app.log")]
    [InlineData("/l/app.log.2026-11-20T08", "/l/app.log")]
    [InlineData("/l/app.log-20261120.gz", "/l/app.log")]
    [InlineData("/l/app.log-20261120-1", "/l/app.log")]
    [InlineData("/l/app.log.20261120.3", "/l/app.log.20261120,/l/app.log")]
    [InlineData("/l/app.log", "")]
    [InlineData("/l/app.log.123456", "")]
    [InlineData("/l/app.log-123", "")]
    [InlineData("/l/.1", "")]
    [InlineData("/2026-11-20/app", "")]
    [InlineData("/l.1/app.log", "")]
    public void The_live_paths_of_a_name(string path, string live) => Assert.Equal(live, string.Join(',', RotatedNames.LivePathsOf(path)));

    [Theory]
    [InlineData("a.zst", true)]
    [InlineData("a.log.gz", true)]
    [InlineData("a.log", false)]
    public void What_is_compressed(string path, bool compressed) => Assert.Equal(compressed, RotatedNames.IsCompressed(path));
}
