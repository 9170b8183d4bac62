using LogAgent.Configuration;
using LogAgent.Containers;
using LogAgent.Enrichment;
using LogAgent.Tailing;
using LogAgent.Tests.Support;

namespace LogAgent.Tests.Containers;

public sealed class ContainerTargetsTests : IDisposable
{
    private readonly TempDirectory _directory = new();
    private readonly TestClock _clock = new();
    private readonly List<TailTarget> _set = [];
    private readonly List<string> _removed = [];
    private readonly List<string> _said = [];

    private ContainerInfo Container => new()
    {
        Id = "abc",
        Name = "web",
        Image = "team/web:1.2",
        LogDriver = "json-file",
        LogPath = "/data/containers/abc/abc-json.log",
        Created = _clock.GetUtcNow().AddHours(-1),
    };

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void A_container_is_a_target_once_and_again_when_it_is_renamed()
    {
        ContainerTargets targets = Make(new());
        targets.Changed(Container);
        targets.Changed(Container with { State = "exited" });
        TailTarget target = Assert.Single(_set);
        Assert.Equal(("container:abc", "/data/containers/abc/abc-json.log", TailFormat.DockerJson), (target.Id, target.Path, target.Format));
        Assert.Null(target.ShownPath);
        Assert.Equal("1.2", target.Fields["container.image.tag"]);
        targets.Changed(Container with { Name = "web2" });
        Assert.Equal("web2", _set[1].Fields["container.name"]);
        Assert.Equal(1, targets.Count);
        targets.Destroyed("abc");
        targets.Destroyed("abc");
        Assert.Equal(["container:abc"], _removed);
    }

    [Fact]
    public void The_local_driver_has_a_format_of_its_own_and_the_host_root_stands_before_the_path()
    {
        Make(new DockerOptions { HostRoot = "/host" }).Changed(Container with { LogDriver = "local", LogPath = ContainerInfo.DefaultLogPath("local", "/data", "abc") });
        Assert.Equal(("/host/data/containers/abc/local-logs/container.log", TailFormat.DockerLocal), (_set[0].Path, _set[0].Format));
    }

    [Fact]
    public void A_driver_that_leaves_no_file_is_said_once()
    {
        ContainerTargets targets = Make(new());
        targets.Changed(Container with { LogDriver = "journald", LogPath = "" });
        targets.Changed(Container with { LogDriver = "journald", LogPath = "" });
        Assert.Empty(_set);
        Assert.Contains("journald", Assert.Single(_said));
    }

    [Fact]
    public void The_agents_own_container_is_not_read_and_the_reason_is_said()
    {
        ContainerTargets targets = Make(new(), own: "abc");
        targets.Changed(Container);
        Assert.Empty(_set);
        Assert.Contains("the agent's own", Assert.Single(_said));
    }

    [Theory]
    [InlineData("w*", "", "", true)]
    [InlineData("x*", "", "", false)]
    [InlineData("", "team/web", "", true)]
    [InlineData("", "team/*:1.*", "", true)]
    [InlineData("", "web", "", false)]
    [InlineData("", "", "tier", true)]
    [InlineData("", "", "tier=fr*", true)]
    [InlineData("", "", "tier=back", false)]
    public void Include_and_exclude_go_by_globs_of_name_image_and_label(string name, string image, string label, bool matches)
    {
        ContainerMatch match = new() { Names = List(name), Images = List(image), Labels = List(label) };
        ContainerInfo container = Container with { Labels = new Dictionary<string, string> { ["tier"] = "front" } };
        Assert.Equal(matches, new ContainerFilter(new DockerOptions { Include = match }, null).ReasonToSkip(container) is null);
        Assert.Equal(matches, new ContainerFilter(new DockerOptions { Exclude = match }, null).ReasonToSkip(container) is not null);
    }

    [Fact]
    public void The_label_logagent_enabled_switches_a_container_off()
    {
        Make(new()).Changed(Container with { Labels = new Dictionary<string, string> { ["logagent.enabled"] = "False" } });
        Assert.Empty(_set);
        Assert.Contains("logagent.enabled", Assert.Single(_said));
    }

    [Fact]
    public void Start_at_the_end_is_for_containers_that_were_there_before_the_first_start()
    {
        DockerOptions options = new() { StartAt = StartAt.End };
        ContainerTargets first = Make(options, firstStart: true);
        first.Changed(Container);
        first.Changed(Container with { Id = "new", Created = _clock.GetUtcNow().AddSeconds(1) });
        Make(options).Changed(Container);
        Assert.Equal([StartAt.End, StartAt.Beginning, StartAt.Beginning], _set.Select(t => t.Start));
    }

    [Fact]
    public void A_label_and_a_rule_name_files_inside_the_container()
    {
        string labelled = _directory.File("a.log");
        string ruled = _directory.File("b.txt");
        _directory.File("c.txt");
        DockerOptions options = new()
        {
            Files =
            [
                new() { Match = new() { Images = ["team/*"] }, Paths = ["/logs/*.txt"], Exclude = ["c*"] },
                new() { Match = new() { Images = ["other/*"] }, Paths = ["/logs/c.txt"] },
            ],
        };
        ContainerInfo container = Container with
        {
            LogDriver = "none",
            LogPath = "",
            Labels = new Dictionary<string, string> { ["logagent.files"] = "/logs/*.log, relative" },
            Mounts = [new("volume", _directory.Path, "/logs")],
        };
        ContainerTargets targets = Make(options);
        targets.Changed(container);
        Assert.Equal([labelled, ruled], _set.Select(t => t.Path).Order());
        TailTarget target = _set.Single(t => t.Path == labelled);
        Assert.Equal(("/logs/a.log", "web", TailFormat.PlainText), (target.ShownPath, target.Fields["container.name"], target.Format));
        Assert.Contains(_said, s => s.Contains("'relative'", StringComparison.Ordinal));
        targets.Destroyed("abc");
        Assert.Equal(0, targets.Count);
    }

    private static string[] List(string item) => item.Length > 0 ? [item] : [];

    [Fact]
    public void A_changed_choice_lets_go_of_what_is_excluded_and_takes_what_is_no_longer()
    {
        ContainerTargets targets = Make(new());
        targets.Changed(Container);
        targets.Changed(Container with { Id = "def", Name = "db", LogPath = "/data/containers/def/def-json.log" });
        targets.Configure(new() { Exclude = new() { Names = ["web"] } }, new(new()));
        Assert.Equal(["container:abc"], _removed);
        Assert.Equal(2, _set.Count);
        targets.Configure(new(), new(new()));
        Assert.Equal("container:abc", _set[2].Id);
        Assert.Equal(3, _set.Count);
    }

    [Fact]
    public void Changed_fields_reach_each_container_that_is_read()
    {
        ContainerTargets targets = Make(new());
        targets.Changed(Container);
        targets.Configure(new(), new(new() { Cluster = "c2" }));
        Assert.Equal("c2", _set[1].Fields["orchestrator.cluster.name"]);
        Assert.Empty(_removed);
    }

    private ContainerTargets Make(DockerOptions options, string? own = null, bool firstStart = false)
    {
        ContainerFields fields = new(new());
        FileTargets files = new([], fields, firstStart, _set.Add, _removed.Add, _clock, new SaidLines<FileTargets>(_said));
        return new ContainerTargets(options, fields, files, own, firstStart, _set.Add, _removed.Add, _clock, new SaidLines<ContainerTargets>(_said));
    }
}
