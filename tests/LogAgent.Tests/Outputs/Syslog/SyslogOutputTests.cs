using System.Net;
using System.Net.Sockets;
using System.Text;
using LogAgent.Delivery;
using LogAgent.Outputs.Syslog;
using LogAgent.Tests.Outputs.Kafka;
using LogAgent.Tests.Support;

namespace LogAgent.Tests.Outputs.Syslog;

public sealed class SyslogOutputTests : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly ListLogger _logger = new();
    private readonly TestClock _clock = new();
    private readonly List<SyslogOutput> _outputs = [];
    private readonly string _directory = Directory.CreateTempSubdirectory("logagent-syslog").FullName;

    [Fact]
    public async Task Records_arrive_in_order_over_tcp()
    {
        using SyslogReceiver receiver = new();
        Assert.Same(SendResult.Delivered, await Send(Output([receiver.Port]), "a", "b\nc", "d"));
        Assert.Equal(["a", "b\nc", "d"], await Receive(receiver, 3));
    }

    [Fact]
    public async Task A_receiver_that_has_closed_is_noticed_before_the_next_send()
    {
        using SyslogReceiver receiver = new();
        SyslogOutput output = Output([receiver.Port]);
        await Send(output, "a");
        await Receive(receiver, 1);
        receiver.CloseConnections();
        await Send(output, "b");
        Assert.Equal(["b"], await Receive(receiver, 1));
    }

    [Fact]
    public async Task A_reset_is_noticed_before_the_next_send()
    {
        using SyslogReceiver receiver = new();
        SyslogOutput output = Output([receiver.Port]);
        await Send(output, "a");
        await Receive(receiver, 1);
        receiver.CloseConnections(reset: true);
        await Send(output, "b");
        Assert.Equal(["b"], await Receive(receiver, 1));
    }

    [Fact]
    public async Task A_receiver_that_is_away_is_a_send_exception_and_works_when_it_is_back()
    {
        using SyslogReceiver receiver = new();
        SyslogOutput output = Output([receiver.Port]);
        receiver.Stop();
        SendException trouble = await Assert.ThrowsAsync<SendException>(() => Send(output, "a"));
        Assert.Equal(SendTrouble.Unreachable, trouble.Trouble);
        Assert.Contains($"localhost:{receiver.Port}", trouble.Message, StringComparison.Ordinal);

        receiver.Start();
        await Send(output, "a");
        Assert.Equal(["a"], await Receive(receiver, 1));
    }

    [Fact]
    public async Task The_next_receiver_takes_over_and_the_first_is_used_again_after_a_while()
    {
        using SyslogReceiver first = new();
        using SyslogReceiver second = new();
        SyslogOutput output = Output([first.Port, second.Port]);
        first.Stop();
        await Send(output, "a");
        Assert.Equal(["a"], await Receive(second, 1));
        Assert.Contains(_logger.Lines, line => line.Contains($"records go to localhost:{second.Port}", StringComparison.Ordinal));

        first.Start();
        await Send(output, "b");
        Assert.Equal(["b"], await Receive(second, 1));

        _clock.Advance(TimeSpan.FromMinutes(6));
        await Send(output, "c");
        Assert.Equal(["c"], await Receive(first, 1));
    }

    [Fact]
    public async Task A_receiver_that_takes_nothing_is_given_up_at_the_timeout()
    {
        using SyslogReceiver receiver = new() { Hangs = true };
        SyslogOutput output = Output([receiver.Port]);
        await Send(output, "taken by the socket");
        Task<SendResult> send = Send(output, Enumerable.Repeat(new string('x', 8000), 3000).ToArray());
        while (!send.IsCompleted)
        {
            _clock.Advance(TimeSpan.FromSeconds(31));
            await Task.Yield();
        }

        SendException trouble = await Assert.ThrowsAsync<SendException>(() => send);
        Assert.Contains("has not taken anything for 30 s", trouble.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_stop_while_sending_is_a_cancellation()
    {
        using SyslogReceiver receiver = new() { Hangs = true };
        using CancellationTokenSource stop = new();
        Task<SendResult> send = Output([receiver.Port]).SendAsync(Group(Enumerable.Repeat(new string('x', 8000), 3000).ToArray()), stop.Token);
        stop.Cancel();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => send.WaitAsync(Patience));
    }

    [Fact]
    public async Task Tls_works_with_the_configured_authority_and_no_other()
    {
        (string authority, var certificate) = SyslogReceiver.MakeCertificates();
        using SyslogReceiver receiver = new(certificate);
        SyslogOutput trusting = Output([receiver.Port], options => options with { Protocol = SyslogProtocol.Tls, Tls = new() { CaFile = File(authority) } });
        await Send(trusting, "a", "b");
        Assert.Equal(["a", "b"], await Receive(receiver, 2));

        (string other, var unused) = SyslogReceiver.MakeCertificates();
        unused.Dispose();
        SyslogOutput wary = Output([receiver.Port], options => options with { Protocol = SyslogProtocol.Tls, Tls = new() { CaFile = File(other) } });
        SendException trouble = await Assert.ThrowsAsync<SendException>(() => Send(wary, "c"));
        Assert.Contains("not signed by", trouble.Message, StringComparison.Ordinal);
        certificate.Dispose();
    }

    [Fact]
    public async Task A_tls_receiver_that_has_closed_is_noticed_before_the_next_send()
    {
        (string authority, var certificate) = SyslogReceiver.MakeCertificates();
        using SyslogReceiver receiver = new(certificate);
        SyslogOutput output = Output([receiver.Port], options => options with { Protocol = SyslogProtocol.Tls, Tls = new() { CaFile = File(authority) } });
        await Send(output, "a");
        await Receive(receiver, 1);
        receiver.CloseConnections();
        await SendUntilTaken(output, "b");
        Assert.Equal(["b"], await Receive(receiver, 1));
        certificate.Dispose();
    }

    [Fact]
    public async Task Over_udp_each_record_is_a_datagram()
    {
        using Socket receiver = new(SocketType.Dgram, ProtocolType.Udp);
        receiver.Bind(new IPEndPoint(IPAddress.IPv6Loopback, 0));
        SyslogOutput output = Output([((IPEndPoint)receiver.LocalEndPoint!).Port], options => options with { Protocol = SyslogProtocol.Udp, Targets = [new("::1", options.Targets[0].Port)] });
        await Send(output, "a", "b");
        byte[] datagram = new byte[2000];
        List<string> messages = [];
        for (int i = 0; i < 2; i++)
        {
            int length = await receiver.ReceiveAsync(datagram).WaitAsync(Patience);
            messages.Add(Encoding.UTF8.GetString(datagram, 0, length));
        }

        Assert.Equal(["a", "b"], messages.Select(Text));
        Assert.All(messages, message => Assert.StartsWith("<30>1 ", message, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_check_names_each_receiver_and_what_is_wrong()
    {
        using SyslogReceiver up = new();
        using SyslogReceiver down = new();
        down.Stop();
        IReadOnlyList<CheckResult> results = await Output([up.Port, down.Port]).CheckAsync(default);
        Assert.Equal([true, false], results.Select(result => result.Ok));
        Assert.Contains($"localhost:{down.Port}", results[1].What, StringComparison.Ordinal);
    }

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        foreach (SyslogOutput output in _outputs)
        {
            await output.DisposeAsync();
        }

        Directory.Delete(_directory, recursive: true);
    }

    private static RecordGroup Group(params string[] messages)
    {
        BatchBuilder builder = new();
        foreach (string message in messages)
        {
            builder.Add(message);
        }

        return builder.BuildGroup();
    }

    private static Task<SendResult> Send(SyslogOutput output, params string[] messages) => output.SendAsync(Group(messages), default).WaitAsync(Patience);

    /// <summary>A close that comes over TLS may be noticed while the send is under way: that is a SendException, and the record is sent again.</summary>
    private static async Task SendUntilTaken(SyslogOutput output, string message)
    {
        try
        {
            await Send(output, message);
        }
        catch (SendException)
        {
            await Send(output, message);
        }
    }

    private static async Task<List<string>> Receive(SyslogReceiver receiver, int count)
    {
        List<string> messages = [];
        while (messages.Count < count)
        {
            messages.Add(Text(await receiver.NextAsync().AsTask().WaitAsync(Patience)));
        }

        return messages;
    }

    private static string Text(string message) => message[(message.IndexOf("] ", StringComparison.Ordinal) + 2)..];

    private string File(string text)
    {
        string path = Path.Combine(_directory, Guid.NewGuid().ToString("N"));
        System.IO.File.WriteAllText(path, text);
        return path;
    }

    private SyslogOutput Output(int[] ports, Func<SyslogOptions, SyslogOptions>? change = null)
    {
        SyslogOptions options = new() { Targets = [.. ports.Select(port => new SyslogTarget("localhost", port))] };
        SyslogOutput output = new(change is null ? options : change(options), _clock, _logger);
        _outputs.Add(output);
        return output;
    }
}
