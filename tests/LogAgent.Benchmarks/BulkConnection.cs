using System.Globalization;
using System.IO.Compression;
using System.Net.Sockets;
using System.Text;

namespace LogAgent.Benchmarks;

/// <summary>One HTTP/1.1 connection to the sink: bodies with a length or in chunks, plain or gzip.</summary>
internal sealed class BulkConnection(BulkSink sink, Socket socket)
{
    private const string Root = """{"name":"sink","cluster_name":"sink","cluster_uuid":"sink","version":{"number":"8.19.0","build_flavor":"default"},"tagline":"You Know, for Search"}""";

    private readonly byte[] _buffer = new byte[1 << 20];
    private int _start;
    private int _end;
    private bool _gzip;
    private bool _bulk;
    private MemoryStream? _compressed;

    public void Run()
    {
        try
        {
            using (socket)
            {
                socket.NoDelay = true;
                while (Answer())
                {
                }
            }
        }
        catch (Exception error) when (error is SocketException or EndOfStreamException)
        {
            // The client has gone.
        }
    }

    private bool Answer()
    {
        string request = ReadLine();
        string[] words = request.Split(' ');
        if (words.Length < 3)
        {
            return false;
        }

        long length = 0;
        bool chunked = false;
        _gzip = false;
        _bulk = words[1].Contains("_bulk", StringComparison.Ordinal);
        for (string header = ReadLine(); header.Length > 0; header = ReadLine())
        {
            int colon = header.IndexOf(':', StringComparison.Ordinal);
            string value = header[(colon + 1)..].Trim();
            switch (header[..colon].ToLowerInvariant())
            {
                case "content-length": length = long.Parse(value, CultureInfo.InvariantCulture); break;
                case "transfer-encoding": chunked = value.Contains("chunked", StringComparison.OrdinalIgnoreCase); break;
                case "content-encoding": _gzip = value == "gzip"; break;
                case "expect": socket.Send("HTTP/1.1 100 Continue\r\n\r\n"u8); break;
                default: break;
            }
        }

        _compressed = _gzip ? new MemoryStream() : null;
        if (!chunked)
        {
            Consume(length);
        }
        else
        {
            while (long.Parse(ReadLine(), NumberStyles.HexNumber, CultureInfo.InvariantCulture) is > 0 and long chunk)
            {
                Consume(chunk);
                ReadLine();
            }

            ReadLine();
        }

        if (_compressed is not null)
        {
            CountCompressed(_compressed);
        }

        Send(words[0], words[1]);
        return true;
    }

    private void Send(string method, string path)
    {
        (string status, string body) = _bulk
            ? ("200 OK", """{"took":1,"errors":false,"items":[]}""")
            : path == "/" ? ("200 OK", Root) : method is "GET" or "HEAD" ? ("404 Not Found", "{\"status\":404}") : ("200 OK", """{"acknowledged":true}""");
        string text = $"HTTP/1.1 {status}\r\nX-Elastic-Product: Elasticsearch\r\nContent-Type: application/json\r\nContent-Length: {body.Length}\r\n\r\n{(method == "HEAD" ? "" : body)}";
        socket.Send(Encoding.ASCII.GetBytes(text));
    }

    private void Consume(long count)
    {
        while (count > 0)
        {
            if (_start == _end)
            {
                Fill();
            }

            int part = (int)Math.Min(count, _end - _start);
            ReadOnlySpan<byte> bytes = _buffer.AsSpan(_start, part);
            if (_compressed is not null)
            {
                _compressed.Write(bytes);
            }
            else if (_bulk)
            {
                sink.Count(bytes.Count((byte)'\n'), part);
            }

            _start += part;
            count -= part;
        }
    }

    private void CountCompressed(MemoryStream body)
    {
        long wireBytes = body.Length;
        body.Position = 0;
        using var gzip = new GZipStream(body, CompressionMode.Decompress);
        byte[] plain = new byte[1 << 16];
        long lines = 0;
        for (int read; (read = gzip.Read(plain)) > 0;)
        {
            lines += plain.AsSpan(0, read).Count((byte)'\n');
        }

        if (_bulk)
        {
            sink.Count(lines, wireBytes);
        }
    }

    private string ReadLine()
    {
        while (true)
        {
            int length = _buffer.AsSpan(_start, _end - _start).IndexOf("\r\n"u8);
            if (length >= 0)
            {
                string line = Encoding.ASCII.GetString(_buffer, _start, length);
                _start += length + 2;
                return line;
            }

            Fill();
        }
    }

    private void Fill()
    {
        _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
        _end -= _start;
        _start = 0;
        int read = socket.Receive(_buffer.AsSpan(_end));
        if (read == 0)
        {
            throw new EndOfStreamException();
        }

        _end += read;
    }
}
