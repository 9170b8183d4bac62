using System.Net;
using System.Net.Sockets;
using System.Text;
using LogAgent.Operations;
using Microsoft.Extensions.Logging.Abstractions;

namespace LogAgent.Tests.Operations;

public class HttpResponderTests : IAsyncLifetime
{
    private readonly CancellationTokenSource _stop = new();
    private Task _running = Task.CompletedTask;
    private IPEndPoint _address = new(0, 0);
    private Health _ready = new(true, "all outputs take records");

    public async Task InitializeAsync()
    {
        MetricsPage metrics = new(() => [new("logagent_x_total", "X.", MetricType.Counter, 1)]);
        HttpResponder responder = new(new IPEndPoint(IPAddress.Loopback, 0), OperationsPages.Of(metrics, () => new Health(true, "ok"), () => _ready), TimeProvider.System, NullLogger.Instance);
        _running = responder.RunAsync(_stop.Token);
        _address = await responder.Listening;
    }

    public async Task DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running;
        _stop.Dispose();
    }

    [Fact]
    public async Task A_real_client_gets_the_pages()
    {
        using HttpClient client = new() { BaseAddress = new Uri($"http://{_address}") };
        HttpResponseMessage metrics = await client.GetAsync("/metrics?x=1");
        Assert.Equal("text/plain; version=0.0.4; charset=utf-8", metrics.Content.Headers.ContentType?.ToString());
        Assert.Contains("logagent_x_total 1\n", await metrics.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("/healthz")).StatusCode);
        _ready = new Health(false, "es is down");
        HttpResponseMessage ready = await client.GetAsync("/readyz");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, ready.StatusCode);
        Assert.Equal("es is down\n", await ready.Content.ReadAsStringAsync());
        Assert.Equal(HttpStatusCode.NotFound, (await client.GetAsync("/nope")).StatusCode);
        Assert.Equal(HttpStatusCode.MethodNotAllowed, (await client.PostAsync("/metrics", null)).StatusCode);
        Assert.Equal("", await (await client.SendAsync(new HttpRequestMessage(HttpMethod.Head, "/metrics"))).Content.ReadAsStringAsync());
    }

    [Fact]
    public void The_health_command_understands_the_answer()
    {
        HealthProbe.Answer answer = HealthProbe.Ask(_address, "/healthz", TimeSpan.FromSeconds(5));
        Assert.Equal(new HealthProbe.Answer(200, "LogAgent", "ok\n"), answer);
        _ready = new Health(false, "es is down");
        Assert.Equal(503, HealthProbe.Ask(_address, "/readyz", TimeSpan.FromSeconds(5)).Status);
    }

    [Fact]
    public void What_is_no_request_gets_400_and_the_server_lives_on()
    {
        Assert.StartsWith("HTTP/1.1 400 ", Raw("\0\0\0garbage\r\n\r\n"), StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 400 ", Raw("GET / HTTP/1.1\r\nX: " + new string('x', 9000)), StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 200 ", Raw("GET / HTTP/1.1\r\n\r\n"), StringComparison.Ordinal);
    }

    [Fact]
    public void A_running_agent_does_not_fail_the_check_of_its_address()
    {
        Assert.True(HostChecks.MetricsAddress(_address).Ok);
        using Socket other = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        other.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        other.Listen();
        Assert.False(HostChecks.MetricsAddress((IPEndPoint)other.LocalEndPoint!).Ok);
    }

    private string Raw(string request)
    {
        using Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Connect(_address);
        socket.Send(Encoding.ASCII.GetBytes(request));
        byte[] answer = new byte[4096];
        return Encoding.ASCII.GetString(answer, 0, socket.Receive(answer));
    }
}
