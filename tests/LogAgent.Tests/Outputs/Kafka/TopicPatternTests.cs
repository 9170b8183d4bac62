using LogAgent.Outputs.Kafka;
using LogAgent.Tailing;

namespace LogAgent.Tests.Outputs.Kafka;

public class TopicPatternTests
{
    [Fact]
    public void A_fixed_name_is_the_topic_of_every_record() => Assert.Equal("logs", TopicPattern.Parse("logs").Resolve(FieldSet.Empty));

    [Fact]
    public void Fields_fill_their_places_and_an_absent_one_is_unknown() =>
        Assert.Equal("logs.blue.unknown", Resolve("logs.%{cluster}.%{service}", ("orchestrator.cluster.name", "blue")));

    [Fact]
    public void A_value_can_neither_add_a_level_nor_use_letters_that_kafka_refuses() =>
        Assert.Equal("logs.registry-5000-team-app----x", Resolve("logs.%{image}", ("container.image.name", "registry:5000/team/app/../x")));

    [Fact]
    public void A_long_value_is_cut_and_stays_distinct()
    {
        string one = Resolve("logs.%{service}.%{host}", ("service.name", new string('a', 400) + "1"), ("host.name", new string('b', 400)));
        string two = Resolve("logs.%{service}.%{host}", ("service.name", new string('a', 400) + "2"), ("host.name", new string('b', 400)));
        Assert.InRange(one.Length, 200, 249);
        Assert.NotEqual(one, two);
        Assert.StartsWith("logs.aaa", one, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("logs/%{service}", "'/' cannot stand")]
    [InlineData("logs-%{password}", "allowed are cluster")]
    [InlineData("logs-%{service", "no closing brace")]
    [InlineData("", "no name")]
    [InlineData("..", "no name")]
    public void What_cannot_be_a_topic_is_an_error_in_words(string pattern, string problem)
    {
        Assert.False(TopicPattern.TryParse(pattern, out _, out string actual));
        Assert.Contains(problem, actual, StringComparison.Ordinal);
    }

    [Fact]
    public void A_name_over_249_letters_is_an_error() => Assert.False(TopicPattern.TryParse(new string('a', 250), out _, out _));

    private static string Resolve(string pattern, params (string Name, string Value)[] fields) =>
        TopicPattern.Parse(pattern).Resolve(new(fields.Select(field => KeyValuePair.Create(field.Name, field.Value)), []));
}
