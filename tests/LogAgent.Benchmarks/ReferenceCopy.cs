using System.Net;
using System.Net.Sockets;
using System.Text;

namespace LogAgent.Benchmarks;

/// <summary>
/// What the machine allows without looking at a byte: the same files, read and sent to the same sink in bodies of 5 MB, on the
/// agent's core. Run in a process of its own.
/// </summary>
internal static class ReferenceCopy
{
    private const int BodyBytes = 5_000_000;

    /// <param name="list">A file with the path of a log in each line.</param>
    public static int Run(string list, int port)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        socket.Connect(new IPEndPoint(IPAddress.Loopback, port));
        byte[] body = new byte[BodyBytes];
        byte[] answer = new byte[4096];
        foreach (string path in File.ReadLines(list))
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, 0);
            for (int length; (length = file.ReadAtLeast(body, BodyBytes, throwOnEndOfStream: false)) > 0;)
            {
                socket.Send(Encoding.ASCII.GetBytes($"POST /_bulk HTTP/1.1\r\nHost: sink\r\nContent-Length: {length}\r\n\r\n"));
                for (int sent = 0; sent < length;)
                {
                    sent += socket.Send(body.AsSpan(sent, length - sent));
                }

                socket.Receive(answer);
            }
        }

        return 0;
    }
}
