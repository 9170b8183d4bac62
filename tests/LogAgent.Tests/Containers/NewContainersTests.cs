using LogAgent.Containers;
using Microsoft.Extensions.Logging.Abstractions;

namespace LogAgent.Tests.Containers;

/// <summary>Each look is made by hand; inotify has been told of what the test did by then.</summary>
public sealed class NewContainersTests : IDisposable
{
    private readonly TempDirectory _directory = new();
    private readonly List<string> _held = [];
    private readonly List<string> _missed = [];
    private readonly NewContainers _containers;

    public NewContainersTests()
    {
        Directory.CreateDirectory(_directory.Path + "/containers");
        Add("old");
        _containers = new NewContainers(new ContainerDirectory(_directory.Path, ""), Hold, static _ => { }, static _ => { }, _missed.Add, NullLogger<NewContainers>.Instance);
        _containers.PollOnce();
    }

    public void Dispose()
    {
        _containers.Dispose();
        _directory.Dispose();
    }

    [Fact]
    public void A_log_is_opened_as_it_appears_and_the_metadata_is_what_was_read_before()
    {
        Add("abc");
        _containers.PollOnce();
        ContainerInfo found = Found();
        Assert.Equal(("abc", "web", "team/web:1", "y"), (found.Id, found.Name, found.Image, found.Labels["x"]));
        Assert.False(_containers.IsCaught("abc"));
        Log("abc");
        _containers.PollOnce();
        Assert.Equal([$"{_directory.Path}/containers/abc/abc-json.log"], _held);
        Assert.True(_containers.IsCaught("abc"));
        Delete("abc");
        _containers.PollOnce();
        Assert.Equal("abc", Gone());
        Assert.Empty(_missed);
    }

    [Fact]
    public void The_log_may_be_there_before_the_metadata_is_complete()
    {
        Log("abc");
        _containers.PollOnce();
        Assert.Single(_held);
        Assert.False(_containers.TryTakeReport(out _));
        Add("abc");
        _containers.PollOnce();
        Assert.Equal("web", Found().Name);
        Assert.Single(_held);
    }

    [Fact]
    public void A_log_whose_metadata_could_never_be_read_is_reported_without_a_name()
    {
        Log("abc");
        _containers.PollOnce();
        Delete("abc");
        _containers.PollOnce();
        ContainerInfo found = Found();
        Assert.Equal(("abc", "", $"{_directory.Path}/containers/abc/abc-json.log"), (found.Id, found.Name, found.LogPath));
        Assert.Equal("abc", Gone());
    }

    [Fact]
    public void The_local_drivers_log_is_opened_too()
    {
        Add("abc", "local");
        _containers.PollOnce();
        Directory.CreateDirectory(_directory.Path + "/containers/abc/local-logs");
        _containers.PollOnce();
        _directory.File("containers/abc/local-logs/container.log", "");
        _containers.PollOnce();
        Assert.Equal([$"{_directory.Path}/containers/abc/local-logs/container.log"], _held);
    }

    [Fact]
    public void What_came_and_went_between_two_looks_is_counted()
    {
        Add("abc");
        Log("abc");
        Delete("abc");
        _containers.PollOnce();
        Assert.Equal(["abc"], _missed);
        Assert.False(_containers.TryTakeReport(out _));
    }

    [Fact]
    public void A_log_that_appeared_and_could_not_be_opened_is_counted()
    {
        Add("abc");
        _containers.PollOnce();
        Found();
        Log("abc");
        Delete("abc");
        _containers.PollOnce();
        Assert.Equal(["abc"], _missed);
        Assert.Equal("abc", Gone());
    }

    [Fact]
    public void One_that_was_removed_before_it_was_started_is_not_missed()
    {
        Add("abc");
        _containers.PollOnce();
        Delete("abc");
        _containers.PollOnce();
        Assert.Empty(_missed);
        Assert.Equal("abc", Found().Id);
        Assert.Equal("abc", Gone());
    }

    [Fact]
    public void Those_that_were_there_before_are_left_to_whoever_lists_them()
    {
        Log("old");
        Delete("old");
        _containers.PollOnce();
        Assert.False(_containers.TryTakeReport(out _));
        Assert.Empty(_held);
    }

    [Fact]
    public void A_containers_directory_that_comes_later_is_watched_then()
    {
        using TempDirectory empty = new();
        using NewContainers late = new(new ContainerDirectory(empty.Path, ""), Hold, static _ => { }, static _ => { }, _missed.Add, NullLogger<NewContainers>.Instance);
        late.PollOnce();
        Directory.CreateDirectory(empty.Path + "/containers");
        late.PollOnce();
        Directory.CreateDirectory(empty.Path + "/containers/abc");
        File.WriteAllText(empty.Path + "/containers/abc/abc-json.log", "");
        late.PollOnce();
        Assert.Single(_held);
    }

    private ContainerInfo Found()
    {
        Assert.True(_containers.TryTakeReport(out (ContainerInfo? Info, string Id) report));
        Assert.NotNull(report.Info);
        return report.Info;
    }

    private string Gone()
    {
        Assert.True(_containers.TryTakeReport(out (ContainerInfo? Info, string Id) report));
        Assert.Null(report.Info);
        return report.Id;
    }

    private bool Hold(string path)
    {
        if (!File.Exists(path))
        {
            return false;
        }

        _held.Add(path);
        return true;
    }

    private void Log(string id) => _directory.File($"containers/{id}/{id}-json.log", "");

    private void Delete(string id) => Directory.Delete($"{_directory.Path}/containers/{id}", recursive: true);

    private void Add(string id, string driver = "json-file")
    {
        _directory.File($"containers/{id}/config.v2.json", $$$"""{"ID":"{{{id}}}","Name":"/web","State":{"Running":false},"Config":{"Image":"team/web:1","Labels":{"x":"y"} } }""");
        _directory.File($"containers/{id}/hostconfig.json", $$$"""{"LogConfig":{"Type":"{{{driver}}}","Config":{} } }""");
    }
}
