using LogAgent.Delivery;
using LogAgent.IntegrationTests.Support;
using LogAgent.Outputs.Syslog;
using LogAgent.Tailing;
using LogAgent.Tests.Outputs.Kafka;
using LogAgent.Tests.Support;

namespace LogAgent.IntegrationTests.Syslog;

public class RsyslogTests
{
    private const string Id = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    private const long Nanos = 1_763_670_946_685_148_284; // 2025-11-20T20:35:46.685148284Z

    [RsyslogFact]
    public async Task Over_tcp_every_part_of_a_record_is_understood_and_none_is_missing()
    {
        await using RsyslogServer rsyslog = new();
        await rsyslog.StartAsync();
        await using SyslogOutput output = Output(rsyslog, SyslogProtocol.Tcp);
        await SendAsync(output, Builder().Add("one \\\"quoted\\\" \\u00e4", RecordFlags.Escaped, nanos: Nanos).Add("two\nlines", stream: LogStream.Stderr, nanos: Nanos));
        BatchBuilder many = Builder();
        for (int i = 0; i < 5000; i++)
        {
            many.Add(Sequences.Line("web", i, "to rsyslog"), nanos: Nanos);
        }

        await SendAsync(output, many);
        string[] lines = await rsyslog.LinesAsync(5002);
        string data = $"[container@32473 id=\"{Id}\" name=\"web\" image=\"team/app\" tag=\"1.2\" stream=\"stdout\"]";
        Assert.Equal($"daemon.info;2025-11-20T20:35:46.685148Z;node1;web;0123456789ab;{data};one \"quoted\" ä", lines[0].Replace("+00:00", "Z", StringComparison.Ordinal));
        Assert.StartsWith("daemon.err;", lines[1], StringComparison.Ordinal);
        Assert.EndsWith(";two#012lines", lines[1], StringComparison.Ordinal);
        Assert.Equal("0 missing, 0 doubled", Read(lines).Compare(new Dictionary<string, long> { ["web"] = 5000 }));
    }

    [RsyslogFact]
    public async Task Over_udp_and_in_the_old_format_records_are_understood()
    {
        await using RsyslogServer rsyslog = new();
        await rsyslog.StartAsync();
        await using (SyslogOutput udp = Output(rsyslog, SyslogProtocol.Udp))
        {
            await SendAsync(udp, Builder().Add("by datagram", nanos: Nanos));
        }

        Assert.EndsWith(";by datagram", (await rsyslog.LinesAsync(1))[0], StringComparison.Ordinal);
        await using SyslogOutput old = Output(rsyslog, SyslogProtocol.Tcp, SyslogFormat.Rfc3164);
        await SendAsync(old, Builder().Add("as ever", nanos: Nanos));
        string line = (await rsyslog.LinesAsync(2))[1];
        Assert.Contains(";node1;web;0123456789ab;-; as ever", line, StringComparison.Ordinal);
    }

    [RsyslogFact]
    public async Task A_receiver_that_is_killed_and_started_again_gets_what_was_not_taken()
    {
        await using RsyslogServer rsyslog = new();
        await rsyslog.StartAsync();
        await using SyslogOutput output = Output(rsyslog, SyslogProtocol.Tcp);
        await SendAsync(output, Builder().Add(Sequences.Line("web", 0, "first")));
        await rsyslog.LinesAsync(1);

        await rsyslog.KillAsync();
        await Assert.ThrowsAsync<SendException>(() => SendAsync(output, Builder().Add(Sequences.Line("web", 1, "second"))));

        await rsyslog.StartAsync();
        await SendAsync(output, Builder().Add(Sequences.Line("web", 1, "second")));
        Assert.Equal("0 missing, 0 doubled", Read(await rsyslog.LinesAsync(2)).Compare(new Dictionary<string, long> { ["web"] = 2 }));
    }

    [RsyslogFact(tls: true)]
    public async Task Over_tls_records_arrive_and_a_wrong_authority_is_named()
    {
        await using RsyslogServer rsyslog = new(tls: true);
        await rsyslog.StartAsync();
        await using SyslogOutput output = Output(rsyslog, SyslogProtocol.Tls);
        await SendAsync(output, Builder().Add("in private", nanos: Nanos));
        Assert.EndsWith(";in private", (await rsyslog.LinesAsync(1))[0], StringComparison.Ordinal);

        await using SyslogOutput wary = new(
            new() { Targets = [new("localhost", rsyslog.Port)], Protocol = SyslogProtocol.Tls },
            TimeProvider.System,
            new ListLogger());
        CheckResult check = Assert.Single(await wary.CheckAsync(default));
        Assert.False(check.Ok);
        Assert.Contains("tls.ca_file", check.Detail, StringComparison.Ordinal);
    }

    private static SyslogOutput Output(RsyslogServer rsyslog, SyslogProtocol protocol, SyslogFormat format = SyslogFormat.Rfc5424)
    {
        SyslogOptions options = new()
        {
            // The UDP input listens on IPv4 only, and a name may mean both.
            Targets = [new(protocol == SyslogProtocol.Tls ? "localhost" : "127.0.0.1", rsyslog.Port)],
            Protocol = protocol,
            Format = format,
            Tls = new() { CaFile = protocol == SyslogProtocol.Tls ? rsyslog.CaFile : "" },
        };
        return new(options, TimeProvider.System, new ListLogger());
    }

    private static Task SendAsync(SyslogOutput output, BatchBuilder batch) => output.SendAsync(batch.BuildGroup(), default).WaitAsync(Until.Deadline);

    private static Sequences Read(IEnumerable<string> lines)
    {
        Sequences sequences = new();
        foreach (string line in lines)
        {
            sequences.Add(line);
        }

        return sequences;
    }

    private static BatchBuilder Builder() => new()
    {
        Target = new()
        {
            Id = "container:web",
            Path = "/x",
            Format = TailFormat.DockerJson,
            Fields = new(
            [
                new("host.name", "node1"),
                new("container.id", Id),
                new("container.name", "web"),
                new("container.image.name", "team/app"),
                new("container.image.tag", "1.2"),
            ],
            []),
        },
    };
}
