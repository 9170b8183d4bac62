using System.Buffers;
using System.Globalization;
using System.IO.Compression;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Unicode;

namespace LogAgent.IntegrationTests.Support;

/// <summary>
/// One container's directory as dockerd writes it: config.v2.json, hostconfig.json and a json-file log that rotates by rename,
/// unlinks with max-file 1, and compresses into a new inode. Not thread-safe; one writer, as in dockerd.
/// </summary>
internal sealed class FakeContainer : IDisposable
{
    private const int PieceBytes = 16384;

    private readonly string _directory;
    private readonly int _maxFile;
    private readonly bool _compress;
    private readonly ArrayBufferWriter<byte> _buffer = new();
    private FileStream? _log;
    private long _ticks;

    public FakeContainer(string containers, string name, string image, IReadOnlyDictionary<string, string>? labels, int maxFile, bool compress)
    {
        Name = name;
        _maxFile = maxFile;
        _compress = compress;
        Id = (Guid.NewGuid().ToString("N") + Guid.NewGuid().ToString("N")).ToLowerInvariant();
        _directory = Path.Combine(containers, Id);
        _ticks = TimeProvider.System.GetUtcNow().Ticks;
        Directory.CreateDirectory(_directory);
        WriteConfiguration(name, image, labels ?? new Dictionary<string, string>());
        OpenLog();
    }

    public string Id { get; }

    public string Name { get; }

    public string LogPath => Path.Combine(_directory, Id + "-json.log");

    /// <summary>The next number of the oracle's sequence, which is how many were written.</summary>
    public long Written { get; private set; }

    public long LogBytes => _log?.Length ?? 0;

    /// <summary>Writes numbered lines in one write to the file.</summary>
    public void WriteSequence(int count, string rest = "", string stream = "stdout")
    {
        var text = new StringBuilder(count * 160);
        for (int i = 0; i < count; i++)
        {
            AppendLine(text, Sequences.Line(Name, Written++, rest) + "\n", stream);
        }

        WriteRaw(text.ToString());
    }

    /// <summary>Writes numbered lines in one write, without a look at what they hold: as fast as the bytes can be copied.</summary>
    /// <param name="rest">ASCII that needs no escape.</param>
    public void WriteSequenceFast(int count, ReadOnlySpan<byte> rest)
    {
        _buffer.ResetWrittenCount();
        for (int i = 0; i < count; i++)
        {
            Utf8.TryWrite(_buffer.GetSpan(256), CultureInfo.InvariantCulture, $"{{\"log\":\"seq source={Name} n={Written++} ", out int start);
            _buffer.Advance(start);
            _buffer.Write(rest);
            Utf8.TryWrite(_buffer.GetSpan(256), CultureInfo.InvariantCulture, $"\\n\",\"stream\":\"stdout\",\"time\":\"{NextTime()}\"}}\n", out int end);
            _buffer.Advance(end);
        }

        _log!.Write(_buffer.WrittenSpan);
    }

    /// <summary>Writes a line as dockerd does: pieces of 16 KiB with the same time, the last with the line ending.</summary>
    /// <param name="betweenPieces">Called between two pieces: to rotate, or to write to the other stream.</param>
    public void WriteLine(string line, string stream = "stdout", Action? betweenPieces = null)
    {
        string time = NextTime();
        string rest = line + "\n";
        while (rest.Length > PieceBytes)
        {
            WriteRaw(Json(rest[..PieceBytes], stream, time));
            rest = rest[PieceBytes..];
            betweenPieces?.Invoke();
        }

        WriteRaw(Json(rest, stream, time));
    }

    /// <summary>Writes a line of the oracle, as <see cref="WriteLine"/> does.</summary>
    public void WriteNumbered(string rest, string stream = "stdout", Action? betweenPieces = null) =>
        WriteLine(Sequences.Line(Name, Written++, rest), stream, betweenPieces);

    /// <summary>Writes bytes as they are: half a line, garbage.</summary>
    public void WriteRaw(string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        _log!.Write(bytes);
        _log.Flush();
    }

    /// <summary>Moves every generation up by one as dockerd's loggerutils does, compressing the first where that is asked for.</summary>
    public void Rotate()
    {
        _log!.Dispose();
        if (_maxFile < 2)
        {
            File.Delete(LogPath);
            OpenLog();
            return;
        }

        string extension = _compress ? ".gz" : "";
        File.Delete($"{LogPath}.{_maxFile - 1}{extension}");
        for (int i = _maxFile - 1; i > 1; i--)
        {
            string from = $"{LogPath}.{i - 1}{extension}";
            if (File.Exists(from))
            {
                File.Move(from, $"{LogPath}.{i}{extension}", overwrite: true);
            }
        }

        string first = LogPath + ".1";
        File.Move(LogPath, first, overwrite: true);
        OpenLog();
        if (_compress)
        {
            using (FileStream plain = File.OpenRead(first))
            using (FileStream file = File.Create(first + ".gz"))
            using (var gzip = new GZipStream(file, CompressionLevel.Fastest))
            {
                plain.CopyTo(gzip);
            }

            File.Delete(first);
        }
    }

    /// <summary>docker rename: the new name in the configuration, which is replaced as a whole.</summary>
    public void Rename(string name, string image) => WriteConfiguration(name, image, new Dictionary<string, string>());

    /// <summary>docker rm: the directory is gone, an open handle to the log goes on to work.</summary>
    public void Remove()
    {
        Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    public void Dispose()
    {
        _log?.Dispose();
        _log = null;
    }

    private void OpenLog() =>
        _log = new FileStream(LogPath, FileMode.Append, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);

    private void AppendLine(StringBuilder text, string line, string stream) => text.Append(Json(line, stream, NextTime()));

    private static string Json(string log, string stream, string time) =>
        $"{{\"log\":\"{JsonEncodedText.Encode(log, System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping)}\",\"stream\":\"{stream}\",\"time\":\"{time}\"}}\n";

    // Grows by 100 ns a line, ahead of the clock where lines come faster.
    private string NextTime()
    {
        _ticks = Math.Max(_ticks + 1, TimeProvider.System.GetUtcNow().Ticks);
        string text = new DateTime(_ticks, DateTimeKind.Utc).ToString("yyyy-MM-ddTHH:mm:ss.fffffff", CultureInfo.InvariantCulture);
        return text.TrimEnd('0').TrimEnd('.') + "Z";
    }

    private void WriteConfiguration(string name, string image, IReadOnlyDictionary<string, string> labels)
    {
        var map = new JsonObject();
        foreach ((string key, string value) in labels)
        {
            map[key] = value;
        }

        string created = TimeProvider.System.GetUtcNow().UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.fffffffZ", CultureInfo.InvariantCulture);
        var configuration = new JsonObject
        {
            ["StreamConfig"] = new JsonObject(),
            ["State"] = new JsonObject { ["Running"] = true, ["Paused"] = false, ["Restarting"] = false, ["Dead"] = false, ["Pid"] = 4711, ["StartedAt"] = created },
            ["ID"] = Id,
            ["Created"] = created,
            ["Path"] = "sh",
            ["Args"] = new JsonArray(),
            ["Config"] = new JsonObject { ["Hostname"] = Id[..12], ["Tty"] = false, ["Env"] = new JsonArray(), ["Image"] = image, ["Labels"] = map },
            ["Image"] = "sha256:" + new string('a', 64),
            ["LogPath"] = LogPath,
            ["Name"] = "/" + name,
            ["Driver"] = "overlay2",
            ["OS"] = "linux",
            ["MountPoints"] = new JsonObject(),
        };
        var host = new JsonObject
        {
            ["LogConfig"] = new JsonObject { ["Type"] = "json-file", ["Config"] = new JsonObject() },
            ["NetworkMode"] = "none",
        };
        Replace("hostconfig.json", host.ToJsonString());
        Replace("config.v2.json", configuration.ToJsonString());
    }

    private void Replace(string file, string text)
    {
        string temporary = Path.Combine(_directory, ".tmp-" + file + Guid.NewGuid().ToString("N")[..8]);
        File.WriteAllText(temporary, text);
        File.Move(temporary, Path.Combine(_directory, file), overwrite: true);
    }
}
