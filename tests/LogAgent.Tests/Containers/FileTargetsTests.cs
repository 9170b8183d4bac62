using LogAgent.Configuration;
using LogAgent.Containers;
using LogAgent.Enrichment;
using LogAgent.Tailing;
using LogAgent.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;

namespace LogAgent.Tests.Containers;

public sealed class FileTargetsTests : IDisposable
{
    private readonly TempDirectory _directory = new();
    private readonly TestClock _clock = new();
    private readonly Dictionary<string, TailTarget> _targets = [];
    private readonly List<string> _removed = [];
    private int _sets;

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void Files_that_match_become_targets_with_the_fields_of_their_path_and_rule()
    {
        _directory.File("cart/a.log");
        _directory.File("cart/b.txt");
        _directory.File("cart/old.log");
        _directory.File("shop/deep/c.log");
        FileTargets files = Make(Rule("{service}/**/*.log") with { Exclude = ["old*"], Fields = new Dictionary<string, string> { ["team"] = "t1" } });
        files.LookOnce();
        Assert.Equal([In("cart/a.log"), In("shop/deep/c.log")], _targets.Keys.Order());
        TailTarget target = _targets[In("cart/a.log")];
        Assert.Equal("file:" + target.Path, target.Id);
        Assert.Equal(TailFormat.PlainText, target.Format);
        Assert.Equal(target.Path, target.ShownPath);
        Assert.Equal("cart", target.Fields["service.name"]);
        Assert.Equal("t1", target.Fields["team"]);
        files.LookOnce();
        Assert.Equal(2, _sets);
    }

    [Fact]
    public void Rotated_generations_and_compressed_files_are_no_targets_of_their_own()
    {
        _directory.File("app.log");
        _directory.File("app.log.1");
        _directory.File("app.log.2.gz");
        _directory.File("app.log-20261120");
        _directory.File("app.log-2026-11-19.gz");
        _directory.File("other.log.1");
        _directory.File("2026-11-20.request.log");
        Make(Rule("*")).LookOnce();
        Assert.Equal([In("2026-11-20.request.log"), In("app.log"), In("other.log.1")], _targets.Keys.Order());
    }

    [Fact]
    public void A_file_between_rename_and_create_stays_a_target_while_its_generations_are_there()
    {
        string path = _directory.File("app.log");
        FileTargets files = Make(Rule("*"));
        files.LookOnce();
        File.Move(path, path + ".1");
        for (int i = 0; i < 30; i++)
        {
            _clock.Advance(TimeSpan.FromSeconds(1));
            files.LookOnce();
        }

        Assert.Equal([path], _targets.Keys);
        Assert.Empty(_removed);
    }

    [Fact]
    public void A_file_that_is_gone_is_removed_after_ten_seconds()
    {
        string path = _directory.File("2026-11-20.request.log");
        FileTargets files = Make(Rule("*.log"));
        files.LookOnce();
        File.Delete(path);
        _clock.Advance(TimeSpan.FromSeconds(9));
        files.LookOnce();
        Assert.Empty(_removed);
        _clock.Advance(TimeSpan.FromSeconds(1));
        files.LookOnce();
        Assert.Equal(["file:" + path], _removed);
        Assert.Equal(0, files.Count);
    }

    [Fact]
    public void A_link_and_the_file_that_it_leads_to_are_one_target()
    {
        string path = _directory.File("real.log");
        File.CreateSymbolicLink(In("current.log"), "real.log");
        Make(Rule("*.log")).LookOnce();
        Assert.Equal([path], _targets.Keys);
        Assert.Equal(path, _targets[path].ShownPath);
    }

    [Fact]
    public void A_link_that_is_turned_to_another_file_gives_a_new_target_and_ends_the_old_one()
    {
        string first = _directory.File("data/1.txt");
        string second = _directory.File("data/2.txt");
        File.CreateSymbolicLink(In("current.log"), first);
        FileTargets files = Make(Rule("*.log"));
        files.LookOnce();
        Assert.Equal(In("current.log"), _targets[first].ShownPath);
        File.Delete(In("current.log"));
        File.CreateSymbolicLink(In("current.log"), second);
        files.LookOnce();
        Assert.Contains(second, _targets.Keys);
        _clock.Advance(TimeSpan.FromSeconds(10));
        files.LookOnce();
        Assert.Equal(["file:" + first], _removed);
    }

    [Fact]
    public void Links_in_a_circle_and_links_to_devices_are_left_alone()
    {
        File.CreateSymbolicLink(In("a.log"), "b.log");
        File.CreateSymbolicLink(In("b.log"), "a.log");
        File.CreateSymbolicLink(In("c.log"), "/dev/stdout");
        Make(Rule("*.log")).LookOnce();
        Assert.Empty(_targets);
    }

    [Fact]
    public void Only_what_is_there_at_the_first_look_begins_at_its_end()
    {
        string old = _directory.File("old.log");
        FileTargets files = Make(firstStart: true, Rule("*.log") with { StartAt = StartAt.End });
        files.LookOnce();
        string young = _directory.File("young.log");
        files.LookOnce();
        Assert.Equal(StartAt.End, _targets[old].Start);
        Assert.Equal(StartAt.Beginning, _targets[young].Start);
    }

    [Fact]
    public void A_file_of_two_containers_is_read_once_for_the_older_one_then_for_the_other()
    {
        string path = _directory.File("app.log");
        FileTargets files = Make(Rule("*.log"));
        files.LookOnce();
        Assert.Null(_targets[path].Fields["container.name"]);
        files.Claim(Claim("young", "/logs", _clock.GetUtcNow()));
        Assert.Equal("young", _targets[path].Fields["container.name"]);
        files.Claim(Claim("old", "/var/log", _clock.GetUtcNow().AddHours(-1)));
        Assert.Equal("old", _targets[path].Fields["container.name"]);
        Assert.Equal("/var/log/app.log", _targets[path].ShownPath);
        files.Release("old");
        _clock.Advance(TimeSpan.FromSeconds(10));
        files.LookOnce();
        Assert.Equal("young", _targets[path].Fields["container.name"]);
        files.Release("young");
        _clock.Advance(TimeSpan.FromSeconds(10));
        files.LookOnce();
        Assert.Null(_targets[path].Fields["container.name"]);
        Assert.Empty(_removed);
        Assert.Single(_targets);
    }

    [Fact]
    public void A_files_of_a_destroyed_container_are_found_at_last_and_given_time()
    {
        FileTargets files = Make();
        files.Claim(Claim("c1", "/logs", default));
        Assert.True(files.LookEagerly());
        string path = _directory.File("late.log");
        files.Release("c1");
        Assert.Contains(path, _targets.Keys);
        _clock.Advance(TimeSpan.FromSeconds(9));
        files.LookOnce();
        Assert.Empty(_removed);
        _clock.Advance(TimeSpan.FromSeconds(1));
        files.LookOnce();
        Assert.Equal(["file:" + path], _removed);
    }

    [Fact]
    public void An_absolute_link_inside_a_container_leads_to_the_containers_file()
    {
        string inside = _directory.File("real/app.log");
        File.CreateSymbolicLink(In("current.log"), "/logs/real/app.log");
        FileTargets files = Make();
        files.Claim(Claim("c1", "/logs", default));
        Assert.Equal([inside], _targets.Keys);
        Assert.Equal("/logs/current.log", _targets[inside].ShownPath);
    }

    [Fact]
    public void New_fields_of_a_claim_reach_its_targets()
    {
        string path = _directory.File("app.log");
        FileTargets files = Make();
        files.Claim(Claim("c1", "/logs", default));
        files.Claim(Claim("c1", "/logs", default) with { Fields = _ => Fields("renamed") });
        Assert.Equal("renamed", _targets[path].Fields["container.name"]);
        Assert.Equal(2, _sets);
    }

    private static FieldSet Fields(string name) => new ContainerFields(new()).ForContainer(new ContainerMetadata { Id = name, Name = name });

    private FileClaim Claim(string name, string destination, DateTimeOffset created)
    {
        Assert.True(PathGlob.TryParse(destination + "/*.log", out PathGlob? glob, out _));
        ContainerInfo container = new() { Id = name, Name = name, Mounts = [new("bind", _directory.Path, destination)] };
        return new FileClaim { Id = name, Order = created, Paths = [glob!], Mounts = MountTable.Of(container, ""), Fields = _ => Fields(name) };
    }

    private FilesOptions Rule(string glob) => new() { Paths = [In(glob)] };

    private string In(string name) => _directory.Path + "/" + name;

    [Fact]
    public void A_changed_rule_follows_the_same_file_on_and_lets_go_of_the_others()
    {
        _directory.File("a.log");
        _directory.File("b.log");
        FileTargets files = Make(Rule("*.log"), Rule("none"));
        files.LookOnce();
        files.Configure([Rule("a.*") with { Fields = new Dictionary<string, string> { ["team"] = "t2" } }], new(new()));
        _clock.Advance(TimeSpan.FromSeconds(11));
        files.LookOnce();
        Assert.Equal("t2", _targets[In("a.log")].Fields["team"]);
        Assert.Equal(["file:" + In("b.log")], _removed);
    }

    private FileTargets Make(params FilesOptions[] rules) => Make(false, rules);

    private FileTargets Make(bool firstStart, params FilesOptions[] rules)
    {
        return new FileTargets(
            rules,
            new ContainerFields(new()),
            firstStart,
            target =>
            {
                _sets++;
                _targets[target.Path] = target;
            },
            _removed.Add,
            _clock,
            NullLogger<FileTargets>.Instance);
    }
}
