using System.Net.Sockets;

namespace LogAgent.Outputs.Syslog;

/// <summary>UDP to one receiver, a datagram a message. Nobody knows what arrives; a host that refuses is noticed with the datagram after.</summary>
internal sealed class SyslogDatagrams : ISyslogConnection
{
    private readonly Socket _socket;

    private SyslogDatagrams(SyslogTarget target, Socket socket)
    {
        Target = target;
        _socket = socket;
    }

    public SyslogTarget Target { get; }

    public bool IsOpen => true;

    public static async Task<SyslogDatagrams> ConnectAsync(SyslogTarget target, CancellationToken cancel)
    {
        Socket socket = new(SocketType.Dgram, ProtocolType.Udp);
        try
        {
            await socket.ConnectAsync(target.Host, target.Port, cancel).ConfigureAwait(false);
            return new(target, socket);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    public async Task SendAsync(ReadOnlyMemory<byte> frames, IReadOnlyList<int> ends, CancellationToken cancel)
    {
        int start = 0;
        foreach (int end in ends)
        {
            await _socket.SendAsync(frames[start..end], SocketFlags.None, cancel).ConfigureAwait(false);
            start = end;
        }
    }

    public void Dispose() => _socket.Dispose();
}
