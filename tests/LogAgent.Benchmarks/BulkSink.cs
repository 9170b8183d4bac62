using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace LogAgent.Benchmarks;

/// <summary>
/// A bulk server that costs as little as it can: it counts the line endings of the bodies (two a document) and takes everything.
/// A thread a connection.
/// </summary>
internal sealed class BulkSink : IDisposable
{
    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly ManualResetEventSlim _reached = new();
    private long _lines;
    private long _bytes;
    private long _first;
    private long _last;
    private long _target = long.MaxValue;

    public BulkSink()
    {
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen(64);
        new Thread(Accept) { IsBackground = true }.Start();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndPoint!).Port;

    /// <summary>Documents taken since <see cref="Expect"/>.</summary>
    public long Documents => Interlocked.Read(ref _lines) / 2;

    /// <summary>Bytes of the bodies as they came over the wire.</summary>
    public long Bytes => Interlocked.Read(ref _bytes);

    /// <summary>From the first byte of a bulk body to the last expected document.</summary>
    public TimeSpan Elapsed => Stopwatch.GetElapsedTime(Interlocked.Read(ref _first), Interlocked.Read(ref _last));

    /// <summary>When the last expected document came, as Stopwatch counts.</summary>
    public long LastTimestamp => Interlocked.Read(ref _last);

    /// <summary>Starts a new count.</summary>
    public void Expect(long documents)
    {
        _reached.Reset();
        Interlocked.Exchange(ref _lines, 0);
        Interlocked.Exchange(ref _bytes, 0);
        Interlocked.Exchange(ref _first, 0);
        Interlocked.Exchange(ref _last, 0);
        Interlocked.Exchange(ref _target, documents * 2);
    }

    /// <summary>False when the documents did not come in time.</summary>
    public bool Wait(TimeSpan limit) => _reached.Wait(limit);

    public void Dispose()
    {
        _listener.Dispose();
        _reached.Dispose();
    }

    /// <summary>Called by a connection for each stretch of a body.</summary>
    internal void Count(long lines, long wireBytes)
    {
        if (Interlocked.Read(ref _first) == 0)
        {
            Interlocked.CompareExchange(ref _first, Stopwatch.GetTimestamp(), 0);
        }

        Interlocked.Add(ref _bytes, wireBytes);
        if (Interlocked.Add(ref _lines, lines) >= Interlocked.Read(ref _target) && !_reached.IsSet)
        {
            Interlocked.Exchange(ref _last, Stopwatch.GetTimestamp());
            _reached.Set();
        }
    }

    private void Accept()
    {
        try
        {
            while (true)
            {
                var connection = new BulkConnection(this, _listener.Accept());
                new Thread(connection.Run) { IsBackground = true }.Start();
            }
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException)
        {
            // The benchmark is over.
        }
    }
}
