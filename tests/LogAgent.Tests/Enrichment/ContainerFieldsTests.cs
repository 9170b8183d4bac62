using System.Text;
using System.Text.Json;
using LogAgent.Configuration;
using LogAgent.Enrichment;
using LogAgent.Tailing;

namespace LogAgent.Tests.Enrichment;

public class ContainerFieldsTests
{
    private static readonly ContainerMetadata Container = new()
    {
        Id = "abc",
        Name = "web",
        ImageName = "registry:5000/team/app",
        ImageTag = "1.2",
        Labels = new Dictionary<string, string>
        {
            ["com.docker.compose.project"] = "shop",
            ["com.docker.compose.service"] = "cart",
            ["a.b"] = "c",
            ["a"] = "\"quoted\"\n",
            ["logagent.files"] = "/x",
        },
    };

    [Fact]
    public void Ecs_fields_are_nested_and_labels_are_one_flat_object()
    {
        FieldSet fields = new ContainerFields(new() { Host = "h1", Cluster = "c1", Fields = new Dictionary<string, string> { ["team"] = "search" } }).ForContainer(Container);
        JsonElement root = Parse(fields);
        Assert.Equal("h1", root.GetProperty("host").GetProperty("name").GetString());
        Assert.Equal("c1", root.GetProperty("orchestrator").GetProperty("cluster").GetProperty("name").GetString());
        JsonElement container = root.GetProperty("container");
        Assert.Equal("abc", container.GetProperty("id").GetString());
        Assert.Equal("web", container.GetProperty("name").GetString());
        Assert.Equal("registry:5000/team/app", container.GetProperty("image").GetProperty("name").GetString());
        Assert.Equal("1.2", container.GetProperty("image").GetProperty("tag").GetString());
        Assert.Equal("c", container.GetProperty("labels").GetProperty("a.b").GetString());
        Assert.Equal("\"quoted\"\n", container.GetProperty("labels").GetProperty("a").GetString());
        Assert.False(container.GetProperty("labels").TryGetProperty("logagent.files", out _));
        Assert.Equal("cart", root.GetProperty("service").GetProperty("name").GetString());
        Assert.Equal("search", root.GetProperty("team").GetString());
        Assert.Equal("web", fields["container.name"]);
        Assert.Equal("c", fields["container.labels.a.b"]);
    }

    [Fact]
    public void Flat_fields_bear_the_names_of_the_fluentd_set_ups()
    {
        FieldSet fields = new ContainerFields(new() { Host = "h1", Cluster = "c1", Flat = true }).ForContainer(Container);
        JsonElement root = Parse(fields);
        Assert.Equal(
            ["hostname", "cluster_id", "container_id", "container_name", "image_name", "image_tag", "service_name", "container_labels"],
            root.EnumerateObject().Select(m => m.Name));
        Assert.Equal("web", fields["container.name"]);
    }

    [Fact]
    public void Deny_wins_over_allow_and_the_compose_project_stays_unless_denied()
    {
        FieldSet allowed = new ContainerFields(new() { LabelsAllow = ["a*"], LabelsDeny = ["a.?"] }).ForContainer(Container);
        Assert.Equal(["a", "com.docker.compose.project"], LabelsOf(allowed).EnumerateObject().Select(l => l.Name));
        FieldSet denied = new ContainerFields(new() { LabelsDeny = ["com.docker.*", "a*"] }).ForContainer(Container);
        Assert.False(Parse(denied).GetProperty("container").TryGetProperty("labels", out _));
        Assert.Equal("cart", denied["service.name"]);
    }

    [Fact]
    public void A_label_of_a_megabyte_is_cut_and_a_thousand_labels_are_bounded()
    {
        Dictionary<string, string> labels = new() { ["big"] = new string('ä', 1 << 20) };
        for (int i = 0; i < 1000; i++)
        {
            labels["label" + i] = new string('x', 500);
        }

        FieldSet fields = new ContainerFields(new()).ForContainer(Container with { Labels = labels });
        Assert.InRange(fields.Json.Length, 1000, 20_000);
        Assert.Equal(new string('ä', 512) + "…", LabelsOf(fields).GetProperty("big").GetString());
        Assert.Equal(1001 - LabelsOf(fields).EnumerateObject().Count() + 1, int.Parse(LabelsOf(fields).GetProperty(LabelRules.LeftOut).GetString()!));
    }

    [Fact]
    public void A_later_field_takes_the_place_of_one_that_it_cannot_stand_beside()
    {
        ContainerFields fields = new(new() { Host = "h1", Fields = new Dictionary<string, string> { ["a.b"] = "1", ["host.name"] = "other" } });
        JsonElement root = Parse(fields.ForFile(new Dictionary<string, string> { ["service.name"] = "s" }, new Dictionary<string, string> { ["a"] = "2", ["log"] = "no" }));
        Assert.Equal("2", root.GetProperty("a").GetString());
        Assert.Equal("other", root.GetProperty("host").GetProperty("name").GetString());
        Assert.Equal("s", root.GetProperty("service").GetProperty("name").GetString());
        Assert.False(root.TryGetProperty("log", out _));
        Assert.NotNull(StaticFields.ProblemOf("log.level"));
        Assert.Null(StaticFields.ProblemOf("labels.team"));
    }

    [Fact]
    public void A_static_field_called_container_takes_the_place_of_the_container()
    {
        JsonElement root = Parse(new ContainerFields(new() { Fields = new Dictionary<string, string> { ["container"] = "x" } }).ForContainer(Container));
        Assert.Equal("x", root.GetProperty("container").GetString());
    }

    [Fact]
    public void Nothing_known_gives_no_members()
    {
        Assert.Equal(0, new ContainerFields(new()).ForFile(new Dictionary<string, string>(), new Dictionary<string, string>()).Json.Length);
    }

    private static JsonElement LabelsOf(FieldSet fields) => Parse(fields).GetProperty("container").GetProperty("labels");

    private static JsonElement Parse(FieldSet fields) => JsonDocument.Parse("{" + Encoding.UTF8.GetString(fields.Json) + "}").RootElement;
}
