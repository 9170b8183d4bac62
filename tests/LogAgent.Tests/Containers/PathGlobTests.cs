using LogAgent.Containers;

namespace LogAgent.Tests.Containers;

public class PathGlobTests
{
    [Theory]
    [InlineData("/logs/*.log", "/logs/a.log", true)]
    [InlineData("/logs/*.log", "/logs/sub/a.log", false)]
    [InlineData("/logs/**/*.log", "/logs/a.log", true)]
    [InlineData("/logs/**/*.log", "/logs/x/y/a.log", true)]
    [InlineData("/logs/**/*.log", "/logsx/a.log", false)]
    [InlineData("/logs/**", "/logs/x/y/a.txt", true)]
    [InlineData("/logs/a?.{log,txt}", "/logs/ab.txt", true)]
    [InlineData("/logs/a?.{log,txt}", "/logs/a.txt", false)]
    [InlineData("/{a,b/{c,d}}/*.log", "/b/d/x.log", true)]
    [InlineData("/{a,b/{c,d}}/*.log", "/b/x.log", false)]
    [InlineData("/logs/[a-c]1.log", "/logs/b1.log", true)]
    [InlineData("/logs/[!a-c]1.log", "/logs/b1.log", false)]
    [InlineData("/logs/a+(b).log", "/logs/a+(b).log", true)]
    [InlineData("*.tmp", "/logs/deep/a.tmp", true)]
    [InlineData("/logs/{service}/*.log", "/logs/cart/x.log", true)]
    public void A_path_matches_or_not(string glob, string path, bool expected)
    {
        Assert.Equal(expected, Parse(glob).Matches(path));
    }

    [Fact]
    public void Parts_of_a_path_become_fields()
    {
        IReadOnlyDictionary<string, string> fields = Parse("/logs/{service}/{team.name}-*.{log,json}").FieldsOf("/logs/cart/search-1.json");
        Assert.Equal("cart", fields["service.name"]);
        Assert.Equal("search", fields["team.name"]);
        Assert.Empty(Parse("/logs/*.log").FieldsOf("/logs/a.log"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("/logs/{a,b")]
    [InlineData("/logs/{a b}/x")]
    [InlineData("/logs/../etc/*")]
    [InlineData("/{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}/x")]
    [InlineData("/logs/[z-a].log")]
    public void A_glob_that_makes_no_sense_is_refused_with_a_reason(string glob)
    {
        Assert.False(PathGlob.TryParse(glob, out _, out string problem));
        Assert.NotEmpty(problem);
    }

    [Fact]
    public void A_list_is_parted_at_commas_outside_braces()
    {
        Assert.Equal(["/a/*.{log,txt}", "/b/**/*.json"], PathGlob.SplitList(" /a/*.{log,txt}, /b/**/*.json,,"));
    }

    [Fact]
    public void A_hostile_glob_matches_in_linear_time()
    {
        PathGlob glob = Parse("/" + string.Concat(Enumerable.Repeat("*a", 40)) + "b");
        Assert.False(glob.Matches("/" + new string('a', 250)));
    }

    private static PathGlob Parse(string text)
    {
        Assert.True(PathGlob.TryParse(text, out PathGlob? glob, out string problem), problem);
        return glob!;
    }
}
