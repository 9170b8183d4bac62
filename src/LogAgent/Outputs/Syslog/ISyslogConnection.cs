namespace LogAgent.Outputs.Syslog;

/// <summary>A way to one receiver, connected. Its owner disposes it.</summary>
internal interface ISyslogConnection : IDisposable
{
    SyslogTarget Target { get; }

    /// <summary>False where the receiver is known to have closed.</summary>
    bool IsOpen { get; }

    /// <summary>Completes when the socket has taken all messages.</summary>
    /// <param name="ends">Where each message ends.</param>
    /// <exception cref="IOException">The connection is broken.</exception>
    /// <exception cref="System.Net.Sockets.SocketException">The same.</exception>
    Task SendAsync(ReadOnlyMemory<byte> frames, IReadOnlyList<int> ends, CancellationToken cancel);
}
