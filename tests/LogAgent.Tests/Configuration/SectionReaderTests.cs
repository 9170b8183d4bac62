using LogAgent.Configuration;

namespace LogAgent.Tests.Configuration;

public class SectionReaderTests
{
    private enum WhenDown
    {
        Block,
        SkipAfter,
    }

    [Fact]
    public void Each_kind_of_value_is_read()
    {
        ConfigurationFile file = ConfigurationFile.Parse("""
            name: web
            on: true
            count: 7
            size: 64KiB
            wait: 1.5s
            when: skip_after
            list: [a, "b c"]
            one: a, b
            map: { team: search, size: 3 }
            tls:
              ca: x
            items:
              - a: 1
              - a: 2
            """);
        SectionReader root = file.Root;
        Assert.Equal("web", root.Text("name", ""));
        Assert.True(root.Flag("on", false));
        Assert.Equal(7, root.Number("count", 1, 0, 10));
        Assert.Equal(65536, root.Size("size", 1, 0, 1 << 20));
        Assert.Equal(TimeSpan.FromMilliseconds(1500), root.Duration("wait", TimeSpan.Zero, TimeSpan.Zero, TimeSpan.FromDays(1)));
        Assert.Equal(WhenDown.SkipAfter, root.OneOf("when", WhenDown.Block));
        Assert.Equal(["a", "b c"], root.TextList("list"));
        Assert.Equal(["a", "b"], root.TextList("one"));
        Assert.Equal("3", root.TextMap("map")["size"]);
        Assert.Equal("x", root.Section("tls").RequiredText("ca"));
        Assert.Equal([1, 2], root.Sections("items").Select(item => item.Number("a", 0, 0, 9)));
        Assert.Empty(file.Errors);
    }

    [Fact]
    public void An_absent_or_empty_key_and_section_gives_the_defaults()
    {
        ConfigurationFile file = ConfigurationFile.Parse("tls:\ncount: ~\nitems:\n");
        Assert.Equal(5, file.Root.Number("count", 5, 0, 9));
        Assert.Equal("d", file.Root.Section("tls").Text("ca", "d"));
        Assert.Equal("d", file.Root.Section("absent").Section("deeper").Text("ca", "d"));
        Assert.Equal(["x"], file.Root.TextList("list", "x"));
        Assert.Empty(file.Root.Sections("items"));
        Assert.Empty(file.Errors);
        Assert.Empty(ConfigurationFile.Parse("").Errors);
        Assert.Empty(ConfigurationFile.Parse("# only a comment\n").Errors);
    }

    [Fact]
    public void All_errors_are_reported_at_once_with_line_and_key_and_what_is_allowed()
    {
        ConfigurationFile file = ConfigurationFile.Parse("""
            count: seven
            wait: 5 parsecs
            tls:
              when: drop
              huge: 99GiB
            nmae: x
            list: {a: b}
            count: 8
            """);
        Assert.Equal(3, file.Root.Number("count", 3, 0, 9));
        file.Root.Duration("wait", TimeSpan.Zero, TimeSpan.Zero, TimeSpan.MaxValue);
        file.Root.Section("tls").OneOf("when", WhenDown.Block);
        file.Root.Section("tls").Size("huge", 1, 1, 1L << 30);
        file.Root.Text("name", "");
        file.Root.TextList("list");
        Assert.Equal(
        [
            "logagent.yaml:1: count: 'seven' is not allowed: this must be a whole number.",
            "logagent.yaml:2: wait: '5 parsecs' is not allowed: this must be a time such as 500ms, 30s, 5m, 1h or 7d.",
            "logagent.yaml:4: tls.when: 'drop' is not allowed: this must be one of: block, skip_after.",
            "logagent.yaml:5: tls.huge: '99GiB' is not allowed: this must be from 1 to 1GiB.",
            "logagent.yaml:6: nmae: There is no such key. Did you mean 'name'?",
            "logagent.yaml:7: list: This must be a list such as [a, b], but is a section (key: value lines).",
            "logagent.yaml:8: count: The key stands here a second time; the first is in line 1. Keep one of them.",
        ], file.Errors.Select(error => error.ToString()));
    }

    [Fact]
    public void An_unknown_key_with_no_near_one_lists_what_is_allowed()
    {
        ConfigurationFile file = ConfigurationFile.Parse("outputs:\n  - bogus: 1\n");
        SectionReader output = file.Root.Sections("outputs")[0];
        output.Text("type", "");
        output.Text("name", "");
        Assert.Equal("logagent.yaml:2: outputs[0].bogus: There is no such key. Allowed here: name, type.", Assert.Single(file.Errors).ToString());
    }

    [Fact]
    public void A_file_that_is_no_yaml_gives_one_error_with_its_line()
    {
        ConfigurationFile file = ConfigurationFile.Parse("a: 1\nb: [1, 2\nc: 3\n");
        file.Root.RequiredText("z");
        ConfigurationError error = Assert.Single(file.Errors);
        Assert.InRange(error.Line, 2, 4);
        Assert.Contains("not valid YAML", error.Problem, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_that_is_not_there_is_an_error_and_not_an_exception() =>
        Assert.Contains("no such file", Assert.Single(ConfigurationFile.Load("/nonexistent/logagent.yaml", _ => null).Errors).Problem, StringComparison.Ordinal);

    [Fact]
    public void A_required_text_that_is_absent_or_empty_is_an_error()
    {
        ConfigurationFile file = ConfigurationFile.Parse("a: \"\"\n");
        file.Root.RequiredText("a");
        file.Root.RequiredText("b");
        Assert.Equal(["a", "b"], file.Errors.Select(error => error.Key).Order());
    }

    [Fact]
    public void A_secret_is_not_shown_when_its_key_or_its_type_is_wrong()
    {
        ConfigurationFile file = ConfigurationFile.Parse("password: [hunter2]\npasswrd: hunter2\nport: ${PORT}\n", name => name == "PORT" ? "hunter2" : null);
        file.Root.Secret("password");
        file.Root.Number("port", 1, 1, 9);
        Assert.Equal(3, file.Errors.Count);
        Assert.DoesNotContain(file.Errors, error => error.ToString().Contains("hunter2", StringComparison.Ordinal));
    }

    [Fact]
    public void A_root_that_is_no_section_and_a_second_document_are_errors()
    {
        Assert.Contains("is a list", Assert.Single(ConfigurationFile.Parse("- a\n").Errors).Problem, StringComparison.Ordinal);
        ConfigurationFile file = ConfigurationFile.Parse("a: 1\n---\na: 2\n");
        file.Root.Text("a", "");
        Assert.Equal(2, Assert.Single(file.Errors).Line);
    }

    [Fact]
    public void The_keys_that_were_asked_for_are_kept_with_their_defaults()
    {
        ConfigurationFile file = ConfigurationFile.Parse("size: 64MiB\nwait: 20s\n");
        file.Root.Size("size", 64 << 20, 0, long.MaxValue);
        file.Root.Duration("wait", TimeSpan.FromSeconds(30), TimeSpan.Zero, TimeSpan.MaxValue);
        file.Root.Flag("flag", true);
        Assert.Equal(
        [
            new KeyUse("", "size", "64MiB", true, true),
            new KeyUse("", "wait", "30s", true, false),
            new KeyUse("", "flag", "true", false, true),
        ], file.Uses);
    }
}
