using System.Globalization;
using System.Net.Sockets;
using System.Text;
using LogAgent.Operations;

namespace LogAgent.Tests.Operations;

public class ServiceLoopTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("logagent-").FullName;
    private readonly Socket _systemd = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
    private readonly Dictionary<string, string> _environment = [];
    private readonly HandClock _clock = new();

    public ServiceLoopTests()
    {
        _environment["NOTIFY_SOCKET"] = Path.Combine(_directory, "notify");
        _systemd.Bind(new UnixDomainSocketEndPoint(_environment["NOTIFY_SOCKET"]));
    }

    public void Dispose()
    {
        _systemd.Dispose();
        Directory.Delete(_directory, true);
    }

    [Fact]
    public void Systemd_is_told_how_the_service_does()
    {
        SystemdNotify notify = new(_environment);
        notify.Ready("reads 3 files");
        Assert.Equal("READY=1\nSTATUS=reads 3 files", Received());
        notify.Stopping("drains\nnow");
        Assert.Equal("STOPPING=1\nSTATUS=drains now", Received());
        notify.Reloading();
        Assert.Matches(@"^RELOADING=1\nMONOTONIC_USEC=\d+$", Received());
    }

    [Fact]
    public void An_abstract_socket_is_reached()
    {
        string name = $"logagent-test-{Guid.NewGuid():N}";
        using Socket hidden = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        hidden.Bind(new UnixDomainSocketEndPoint("\0" + name));
        new SystemdNotify(new Dictionary<string, string> { ["NOTIFY_SOCKET"] = "@" + name }).KeepAlive();
        byte[] buffer = new byte[100];
        Assert.Equal("WATCHDOG=1", Encoding.UTF8.GetString(buffer, 0, hidden.Receive(buffer)));
    }

    [Fact]
    public void Without_systemd_or_with_a_dead_socket_nothing_happens()
    {
        new SystemdNotify(new Dictionary<string, string>()).Ready("x");
        new SystemdNotify(new Dictionary<string, string> { ["NOTIFY_SOCKET"] = "/nonexistent" }).Ready("x");
        Assert.False(new SystemdNotify(new Dictionary<string, string>()).IsPresent);
    }

    [Fact]
    public void The_watchdog_gets_no_sign_of_life_from_a_wedged_pipeline()
    {
        _environment["WATCHDOG_USEC"] = "8000000";
        bool progressing = true;
        ServiceLoop loop = new(new SystemdNotify(_environment), () => "s", () => progressing, _clock);
        loop.Beat();
        Assert.Equal(["WATCHDOG=1", "STATUS=s"], [Received(), Received()]);
        progressing = false;
        _clock.Now += TimeSpan.FromSeconds(4);
        loop.Beat();
        Assert.Equal(0, _systemd.Available);
        progressing = true;
        loop.Beat();
        Assert.Equal("WATCHDOG=1", Received());
    }

    [Fact]
    public void The_status_is_sent_each_10_s_where_it_has_changed()
    {
        string status = "a";
        ServiceLoop loop = new(new SystemdNotify(_environment), () => status, () => true, _clock);
        loop.Beat();
        Assert.Equal("STATUS=a", Received());
        status = "b";
        loop.Beat();
        Assert.Equal(0, _systemd.Available);
        _clock.Now += TimeSpan.FromSeconds(10);
        loop.Beat();
        Assert.Equal("STATUS=b", Received());
        _clock.Now += TimeSpan.FromSeconds(10);
        loop.Beat();
        Assert.Equal(0, _systemd.Available);
    }

    [Fact]
    public void A_watchdog_of_another_process_is_not_ours()
    {
        _environment["WATCHDOG_USEC"] = "8000000";
        _environment["WATCHDOG_PID"] = "1";
        Assert.Null(new SystemdNotify(_environment).Watchdog);
        _environment["WATCHDOG_PID"] = Environment.ProcessId.ToString(CultureInfo.InvariantCulture);
        Assert.Equal(TimeSpan.FromSeconds(8), new SystemdNotify(_environment).Watchdog);
    }

    private string Received()
    {
        byte[] buffer = new byte[1000];
        _systemd.ReceiveTimeout = 5000;
        return Encoding.UTF8.GetString(buffer, 0, _systemd.Receive(buffer));
    }

    private sealed class HandClock : TimeProvider
    {
        public TimeSpan Now { get; set; }

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Now.Ticks;
    }
}
