using System.Net;
using System.Net.Sockets;

namespace LogAgent.IntegrationTests.Support;

/// <summary>Ports of 127.0.0.1 on which nothing listens now.</summary>
internal static class FreePorts
{
    /// <summary>Below the range from which the kernel gives out ports of its own.</summary>
    private const int First = 12000;
    private const int Last = 30000;

    private static readonly Random Source = new();

    public static int One()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }

    /// <summary>A port P such that P plus each of the offsets is free.</summary>
    public static int Block(params int[] offsets)
    {
        for (int attempt = 0; attempt < 200; attempt++)
        {
            int port = Source.Next(First, Last);
            if (offsets.All(offset => IsFree(port + offset)))
            {
                return port;
            }
        }

        throw new InvalidOperationException("No block of free ports was found.");
    }

    private static bool IsFree(int port)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(new IPEndPoint(IPAddress.Loopback, port));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
