using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;
using LogAgent.Delivery;
using LogAgent.Outputs.Syslog;
using Microsoft.Extensions.Logging.Abstractions;

namespace LogAgent.Tests.Outputs.Contract;

internal sealed class SyslogUdpReceiver : OutputReceiver
{
    private readonly ConcurrentQueue<string> _taken = new();
    private readonly int _port;
    private volatile Socket? _socket;
    private volatile bool _talks;

    public SyslogUdpReceiver()
    {
        Bind(0);
        _port = ((IPEndPoint)_socket!.LocalEndPoint!).Port;
    }

    public override bool LosesInSilence => true;

    public override bool IsTold(OutputFault fault) => fault == OutputFault.Reset;

    public override IOutput NewOutput() => new SyslogOutput(
        new() { Targets = [new("127.0.0.1", _port)], Protocol = SyslogProtocol.Udp, MaxMessage = LargestMessage, Oversize = SyslogOversize.Truncate },
        TimeProvider.System,
        NullLogger.Instance);

    public override void Begin(OutputFault fault)
    {
        _talks = fault == OutputFault.Garbage;
        if (fault == OutputFault.Reset)
        {
            Interlocked.Exchange(ref _socket, null)!.Dispose();
        }
    }

    public override void End()
    {
        _talks = false;
        if (_socket is null)
        {
            Bind(_port);
        }
    }

    public override IReadOnlyList<string> Taken() => [.. _taken];

    public override ValueTask DisposeAsync()
    {
        _socket?.Dispose();
        return ValueTask.CompletedTask;
    }

    private void Bind(int port)
    {
        Socket socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { ReceiveBufferSize = 4 << 20 };
        socket.Bind(new IPEndPoint(IPAddress.Loopback, port));
        _socket = socket;
        _ = TakeAsync(socket);
    }

    private async Task TakeAsync(Socket socket)
    {
        byte[] datagram = new byte[65_536];
        try
        {
            while (true)
            {
                SocketReceiveFromResult next = await socket.ReceiveFromAsync(datagram, new IPEndPoint(IPAddress.Any, 0));
                _taken.Enqueue(Encoding.UTF8.GetString(datagram, 0, next.ReceivedBytes));
                if (_talks)
                {
                    await socket.SendToAsync("What?"u8.ToArray(), next.RemoteEndPoint);
                }
            }
        }
        catch (Exception closed) when (closed is SocketException or ObjectDisposedException)
        {
        }
    }
}
