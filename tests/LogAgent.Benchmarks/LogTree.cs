using System.Globalization;
using System.Text;

namespace LogAgent.Benchmarks;

/// <summary>
/// A Docker data root with json-file logs: each line 240 bytes, its line ending included. Deleted when disposed.
/// </summary>
internal sealed class LogTree : IDisposable
{
    public const int LineBytes = 240;

    private LogTree(string root, IReadOnlyList<string> logs, long records)
    {
        Root = root;
        Logs = logs;
        Records = records;
    }

    public string Root { get; }

    public IReadOnlyList<string> Logs { get; }

    public long Records { get; }

    public long Bytes => Records * LineBytes;

    public static LogTree Create(long size, int files)
    {
        string root = Directory.CreateTempSubdirectory("logagent-bench-").FullName;
        long linesPerFile = Math.Max(1, size / LineBytes / files);
        var logs = new List<string>();
        for (int i = 0; i < files; i++)
        {
            logs.Add(WriteContainer(root, i, linesPerFile));
        }

        return new LogTree(root, logs, linesPerFile * files);
    }

    /// <summary>Reads every byte once, so that a run reads from the page cache.</summary>
    public void WarmPageCache()
    {
        byte[] buffer = new byte[1 << 20];
        foreach (string log in Logs)
        {
            using FileStream file = File.OpenRead(log);
            while (file.Read(buffer) > 0)
            {
            }
        }
    }

    public void Dispose() => Directory.Delete(Root, recursive: true);

    private static string WriteContainer(string root, int number, long lines)
    {
        string id = number.ToString("x8", CultureInfo.InvariantCulture) + new string('c', 56);
        string directory = Directory.CreateDirectory(Path.Combine(root, "containers", id)).FullName;
        string log = Path.Combine(directory, id + "-json.log");
        using (var file = new FileStream(log, FileMode.CreateNew, FileAccess.Write, FileShare.Read, 1 << 20))
        {
            byte[] line = Encoding.ASCII.GetBytes(Line());
            int digits = line.AsSpan().IndexOf("n=0000000000"u8) + 2;
            int fraction = line.AsSpan().IndexOf(".000000000Z"u8) + 1;
            for (long i = 0; i < lines; i++)
            {
                WriteDigits(line.AsSpan(digits, 10), i);
                WriteDigits(line.AsSpan(fraction, 9), i % 1_000_000_000);
                file.Write(line);
            }
        }

        File.WriteAllText(Path.Combine(directory, "hostconfig.json"), """{"LogConfig":{"Type":"json-file","Config":{}}}""");
        File.WriteAllText(
            Path.Combine(directory, "config.v2.json"),
            $$$"""{"State":{"Running":true,"Pid":1},"ID":"{{{id}}}","Created":"2026-11-20T10:00:00Z","Config":{"Tty":false,"Image":"registry:5000/team/service:1.4.2","Labels":{"com.docker.compose.project":"shop","com.docker.compose.service":"service-{{{number}}}"}},"Image":"sha256:{{{new string('a', 64)}}}","LogPath":"{{{log}}}","Name":"/shop-service-{{{number}}}","Driver":"overlay2","OS":"linux","MountPoints":{}}""");
        return log;
    }

    private static string Line()
    {
        const string Start = "{\"log\":\"INFO  c.s.orders.OrderService [http-nio-8080-exec-7] n=0000000000 order accepted ";
        const string End = "\\n\",\"stream\":\"stdout\",\"time\":\"2026-11-20T10:00:00.000000000Z\"}\n";
        return Start + new string('x', LineBytes - Start.Length - End.Length) + End;
    }

    private static void WriteDigits(Span<byte> digits, long value)
    {
        for (int i = digits.Length - 1; i >= 0; i--)
        {
            digits[i] = (byte)('0' + (value % 10));
            value /= 10;
        }
    }
}
