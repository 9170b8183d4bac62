using System.Threading.Channels;
using LogAgent.Configuration;
using LogAgent.Containers;
using LogAgent.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;

namespace LogAgent.Tests.Containers;

public sealed class ContainerWatcherTests : IAsyncLifetime
{
    private readonly TempDirectory _root = new();
    private readonly FakeEngine _engine = new();
    private readonly TestClock _clock = new();
    private readonly CancellationTokenSource _end = new(TimeSpan.FromSeconds(30));
    private readonly Channel<ContainerInfo> _changed = Channel.CreateUnbounded<ContainerInfo>();
    private readonly Channel<string> _destroyed = Channel.CreateUnbounded<string>();
    private readonly DockerClient _client;
    private readonly ContainerWatcher _watcher;
    private readonly List<string> _missed = [];
    private readonly HashSet<string> _caught = [];
    private Func<string, bool> _hold = static _ => false;
    private string _dataRoot = "";
    private Task? _run;

    public ContainerWatcherTests()
    {
        _client = new DockerClient(new DockerEndpoint { SocketPath = _engine.SocketPath }, _clock);
        _watcher = new ContainerWatcher(_client, new DockerOptions { HostRoot = _root.Path }, c => _changed.Writer.TryWrite(c), id => _destroyed.Writer.TryWrite(id), _clock, NullLogger<ContainerWatcher>.Instance)
        {
            Hold = path => _hold(path),
            IsCaught = _caught.Contains,
            Missed = (reason, _) => _missed.Add(reason),
            DataRootKnown = root => _dataRoot = root,
        };
    }

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        await _end.CancelAsync();
        if (_run is not null)
        {
            await _run;
        }

        _client.Dispose();
        _engine.Dispose();
        _end.Dispose();
        _root.Dispose();
    }

    [Fact]
    public async Task What_the_list_holds_is_reported_oldest_first_with_all_that_is_known()
    {
        _engine.AddContainer("b", "second", created: 2);
        _engine.AddContainer("a", "first", created: 1, labels: """{"x":"y"}""");
        Run();
        ContainerInfo first = await NextAsync();
        Assert.Equal(("a", "first", "app:1", "json-file"), (first.Id, first.Name, first.Image, first.LogDriver));
        Assert.Equal("/data/containers/a/a-json.log", first.LogPath);
        Assert.Equal("y", first.Labels["x"]);
        Assert.Equal([new("bind", "/srv", "/logs"), new("tmpfs", "", "/run")], first.Mounts);
        Assert.Equal(("/u", "/m", 7, "running"), (first.UpperDirectory, first.MergedDirectory, first.Pid, first.State));
        Assert.Equal(2026, first.Created.Year);
        Assert.Equal("b", (await NextAsync()).Id);
        Assert.True(_watcher.IsConnected);
    }

    [Fact]
    public async Task Events_are_acted_on_at_once()
    {
        Run();
        await StreamAsync();
        _engine.AddContainer("a", "one", state: "created");
        _engine.Send(Event("create", "a"));
        Assert.Equal("created", (await NextAsync()).State);
        _engine.AddContainer("a", "renamed");
        _engine.Send(Event("rename", "a"));
        Assert.Equal("renamed", (await NextAsync()).Name);
        _engine.Send(Event("exec_start", "a"));
        _engine.Send(Event("destroy", "a"));
        Assert.Equal("a", await _destroyed.Reader.ReadAsync(_end.Token));
        Assert.False(_changed.Reader.TryRead(out _));
    }

    [Fact]
    public async Task A_container_that_is_gone_before_it_is_inspected_is_found_by_its_file()
    {
        Directory.CreateDirectory(_root.Path + "/data/containers/gone");
        await File.WriteAllTextAsync(_root.Path + "/data/containers/gone/gone-json.log", "");
        _engine.Failing.Add("/containers/never/json");
        Run();
        await StreamAsync();
        _engine.Send(Event("start", "never"));
        _engine.Send(Event("start", "gone"));
        ContainerInfo gone = await NextAsync();
        Assert.Equal(("gone", "n-gone", "app:1", "/data/containers/gone/gone-json.log"), (gone.Id, gone.Name, gone.Image, gone.LogPath));
        Assert.Equal(["team"], gone.Labels.Keys);
    }

    [Fact]
    public async Task One_that_is_gone_is_reported_where_its_log_is_held_and_else_counted()
    {
        _hold = path => path == _root.Path + "/data/containers/held/held-json.log";
        _caught.Add("caught");
        _engine.Failing.UnionWith(["/containers/never/json", "/containers/caught/json", "/containers/held/json"]);
        Run();
        await StreamAsync();
        _engine.Send(Event("die", "caught"));
        _engine.Send(Event("start", "never"));
        _engine.Send(Event("die", "never"));
        _engine.Send(Event("start", "held"));
        _engine.Send(Event("die", "held"));
        _engine.Send(Event("destroy", "held"));
        Assert.Equal(("held", "n-held", "app:1"), await NextAsync() is var held ? (held.Id, held.Name, held.Image) : default);
        Assert.Equal("held", await _destroyed.Reader.ReadAsync(_end.Token));
        Assert.Equal(["gone_before_opened"], _missed);
        Assert.Equal("/data", _dataRoot);
    }

    [Fact]
    public async Task After_a_cut_stream_the_list_says_what_was_missed()
    {
        _engine.AddContainer("a", "one");
        Run();
        await NextAsync();
        await StreamAsync();
        _engine.Answers["/containers/json"] = "[]";
        _engine.AddContainer("b", "two");
        _engine.CutStreams();
        Assert.Equal("a", await PassingTimeAsync(_destroyed.Reader));
        Assert.Equal("b", (await NextAsync()).Id);
    }

    [Fact]
    public async Task An_engine_that_is_absent_then_there_then_killed_then_there_again_is_followed()
    {
        _engine.AddContainer("a", "one");
        _run = _watcher.RunAsync(_end.Token);
        _clock.Advance(TimeSpan.FromSeconds(5));
        _engine.Start();
        Assert.Equal("a", (await PassingTimeAsync(_changed.Reader)).Id);
        await StreamAsync();
        _engine.Kill();
        _engine.AddContainer("b", "two");
        _engine.Start();
        Assert.Equal("b", (await PassingTimeAsync(_changed.Reader)).Id);
        Assert.False(_destroyed.Reader.TryRead(out _));
    }

    [Fact]
    public async Task Garbage_among_the_events_begins_the_connection_anew()
    {
        Run();
        await StreamAsync();
        _engine.AddContainer("a", "one");
        _engine.Send("garbage");
        Assert.Equal("a", (await PassingTimeAsync(_changed.Reader)).Id);
    }

    [Fact]
    public async Task Every_half_minute_the_list_is_compared()
    {
        _engine.AddContainer("a", "one");
        Run();
        await NextAsync();
        await StreamAsync();
        _engine.Answers["/containers/json"] = "[]";
        _engine.AddContainer("a", "renamed");
        Assert.Equal("renamed", (await PassingTimeAsync(_changed.Reader, TimeSpan.FromSeconds(10))).Name);
    }

    [Fact]
    public async Task An_image_that_is_named_by_its_id_is_looked_up()
    {
        string id = "sha256:" + new string('a', 64);
        _engine.Answers[$"/images/{Uri.EscapeDataString(id)}/json"] = $$"""{"Id":"{{id}}","RepoTags":["team/app:3"]}""";
        _engine.AddContainer("a", "one", created: 1, image: id);
        _engine.AddContainer("b", "two", created: 2, image: "aaaaaaaaaaaa");
        Run();
        Assert.Equal("team/app:3", (await NextAsync()).Image);
        Assert.Equal("team/app:3", (await NextAsync()).Image);
        Assert.Single(_engine.Requests, r => r.Contains("/images/", StringComparison.Ordinal));
    }

    private static string Event(string action, string id) =>
        $$"""{"Type":"container","Action":"{{action}}","Actor":{"ID":"{{id}}","Attributes":{"image":"app:1","name":"n-{{id}}","team":"t"} } }""";

    private void Run()
    {
        _engine.Start();
        _run = _watcher.RunAsync(_end.Token);
    }

    private async Task<ContainerInfo> NextAsync() => await _changed.Reader.ReadAsync(_end.Token);

    private async Task StreamAsync()
    {
        while (!_engine.HasStream || !_watcher.IsConnected)
        {
            _end.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }

    /// <summary>Lets time pass until something is reported.</summary>
    private async Task<T> PassingTimeAsync<T>(ChannelReader<T> reader, TimeSpan? step = null)
    {
        T? found;
        while (!reader.TryRead(out found))
        {
            _end.Token.ThrowIfCancellationRequested();
            _clock.Advance(step ?? TimeSpan.FromMilliseconds(500));
            await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System);
        }

        return found;
    }
}
