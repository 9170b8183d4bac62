using LogAgent.Configuration;

namespace LogAgent.Tests.Configuration;

public class PlaceholdersTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("logagent-").FullName;
    private readonly List<string> _problems = [];

    [Theory]
    [InlineData("plain", "plain")]
    [InlineData("${A}", "one")]
    [InlineData("x-${A}-${A}", "x-one-one")]
    [InlineData("${NONE:-d}", "d")]
    [InlineData("${NONE:-}", "")]
    [InlineData("${EMPTY:-d}", "d")]
    [InlineData("${EMPTY}", "")]
    [InlineData("$${A}", "${A}")]
    [InlineData("a$${A}${A}", "a${A}one")]
    [InlineData("${A}$", "one$")]
    [InlineData("pa$$word$", "pa$$word$")]
    [InlineData("${NESTED}", "${A}")]
    public void A_placeholder_is_replaced_once(string text, string expected)
    {
        Assert.Equal(expected, Replace(text));
        Assert.Empty(_problems);
    }

    [Theory]
    [InlineData("${NONE}", "NONE is not set")]
    [InlineData("${A", "no closing")]
    [InlineData("${a b}", "is no placeholder")]
    [InlineData("${file:/nonexistent/secret}", "/nonexistent/secret cannot be read")]
    [InlineData("${credential:api}", "LoadCredential=api")]
    public void One_that_cannot_be_replaced_is_a_problem_that_names_it(string text, string part)
    {
        Assert.Equal("", Replace(text));
        Assert.Contains(part, Assert.Single(_problems), StringComparison.Ordinal);
    }

    [Fact]
    public void A_secret_from_a_file_loses_its_last_line_ending_only()
    {
        string path = Path.Combine(_directory, "secret");
        File.WriteAllText(path, " two\nlines \n");
        Assert.Equal(" two\nlines ", Replace($"${{file:{path}}}"));
    }

    [Fact]
    public void A_credential_is_read_from_the_directory_that_systemd_names()
    {
        File.WriteAllText(Path.Combine(_directory, "api"), "key\n");
        Placeholders placeholders = new(name => name == "CREDENTIALS_DIRECTORY" ? _directory : null);
        Assert.Equal("key", placeholders.Replace("${credential:api}", _problems.Add));
        Assert.Equal("", placeholders.Replace("${credential:../api}", _problems.Add));
        Assert.Single(_problems);
    }

    public void Dispose() => Directory.Delete(_directory, true);

    private string Replace(string text) => new Placeholders(name => name switch
    {
        "A" => "one",
        "EMPTY" => "",
        "NESTED" => "${A}",
        _ => null,
    }).Replace(text, _problems.Add);
}
