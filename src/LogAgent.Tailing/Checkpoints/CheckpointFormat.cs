using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace LogAgent.Tailing.Checkpoints;

/// <summary>
/// The checkpoint file, version 1. UTF-8 text:
/// <code>
/// logagent checkpoints 1 (SHA-256 of all bytes after this line, 64 hex digits)
/// {"target":"container:4f1c","removed":0,"files":[                                   one line a target
///   {"device":1,"inode":2,"birth":3,"start":[1024,"hash"],"key":"hash","epoch":0,"base":0,
///    "offset":10,"tail":[10,"hash"],"size":20,"finished":false,"days":[[0,20778]],"splits":[]}]}
/// </code>
/// Hashes are 16 hex digits. The files of a target stand oldest first.
/// </summary>
internal static class CheckpointFormat
{
    public const int Version = 1;

    private static ReadOnlySpan<byte> Magic => "logagent checkpoints "u8;

    /// <summary>One target's line, with its line end.</summary>
    public static byte[] Encode(TargetCheckpoint target)
    {
        ArrayBufferWriter<byte> buffer = new(512);
        using (Utf8JsonWriter json = new(buffer))
        {
            json.WriteStartObject();
            json.WriteString("target", target.Id);
            json.WriteNumber("removed", target.RemovedAt);
            json.WriteStartArray("files");
            foreach (FileCheckpoint file in target.Files)
            {
                Encode(json, file);
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        buffer.Write("\n"u8);
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>The first line for these lines.</summary>
    public static byte[] Header(IEnumerable<ReadOnlyMemory<byte>> lines)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (ReadOnlyMemory<byte> line in lines)
        {
            hash.AppendData(line.Span);
        }

        return Encoding.ASCII.GetBytes($"logagent checkpoints {Version} {Convert.ToHexStringLower(hash.GetHashAndReset())}\n");
    }

    /// <summary>The targets of a whole file; null where it is damaged, with what is wrong.</summary>
    /// <exception cref="NewerCheckpointsException">A later version of the agent wrote it.</exception>
    public static List<TargetCheckpoint>? TryDecode(ReadOnlySpan<byte> file, string path, out string error)
    {
        error = "it does not begin as a checkpoint file does";
        int end = file.IndexOf((byte)'\n');
        if (end < 0 || !file.StartsWith(Magic))
        {
            return null;
        }

        string[] head = Encoding.UTF8.GetString(file[Magic.Length..end]).Split(' ');
        if (!int.TryParse(head[0], NumberStyles.None, CultureInfo.InvariantCulture, out int version))
        {
            return null;
        }

        if (version > Version)
        {
            throw new NewerCheckpointsException(path, version);
        }

        ReadOnlySpan<byte> body = file[(end + 1)..];
        if (head.Length != 2 || head[1] != Convert.ToHexStringLower(SHA256.HashData(body)))
        {
            error = "its checksum does not fit its content";
            return null;
        }

        List<TargetCheckpoint> targets = [];
        try
        {
            foreach (Range range in body.Split((byte)'\n'))
            {
                if (!body[range].IsEmpty)
                {
                    targets.Add(Decode(body[range]));
                }
            }
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or FormatException or InvalidOperationException or ArgumentOutOfRangeException)
        {
            error = e.Message;
            return null;
        }

        return targets;
    }

    private static void Encode(Utf8JsonWriter json, FileCheckpoint file)
    {
        json.WriteStartObject();
        json.WriteNumber("device", file.Identity.Device);
        json.WriteNumber("inode", file.Identity.Inode);
        json.WriteNumber("birth", file.Identity.BirthNanos);
        Encode(json, "start", file.Fingerprint);
        json.WriteString("key", Hex(file.Key));
        json.WriteNumber("epoch", file.Epoch);
        json.WriteNumber("base", file.Base);
        json.WriteNumber("offset", file.Offset);
        Encode(json, "tail", file.Tail);
        json.WriteNumber("size", file.Size);
        json.WriteBoolean("finished", file.Finished);
        json.WriteStartArray("days");
        foreach (DayMark mark in file.Days)
        {
            json.WriteStartArray();
            json.WriteNumberValue(mark.Offset);
            json.WriteNumberValue(mark.Day);
            json.WriteEndArray();
        }

        json.WriteEndArray();
        json.WriteStartArray("splits");
        foreach (long split in file.Splits)
        {
            json.WriteNumberValue(split);
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void Encode(Utf8JsonWriter json, string name, ContentMark mark)
    {
        json.WriteStartArray(name);
        json.WriteNumberValue(mark.Length);
        json.WriteStringValue(Hex(mark.Hash));
        json.WriteEndArray();
    }

    private static TargetCheckpoint Decode(ReadOnlySpan<byte> line)
    {
        Utf8JsonReader reader = new(line);
        using JsonDocument document = JsonDocument.ParseValue(ref reader);
        JsonElement root = document.RootElement;
        return new TargetCheckpoint(
            root.GetProperty("target").GetString() ?? throw new FormatException("A target without a name."),
            root.GetProperty("files").EnumerateArray().Select(Decode).ToList())
        {
            RemovedAt = root.GetProperty("removed").GetInt64(),
        };
    }

    private static FileCheckpoint Decode(JsonElement file) => new()
    {
        Identity = new FileIdentity(file.GetProperty("device").GetUInt64(), file.GetProperty("inode").GetUInt64(), file.GetProperty("birth").GetInt64()),
        Fingerprint = Mark(file.GetProperty("start")),
        Key = Unhex(file.GetProperty("key")),
        Epoch = file.GetProperty("epoch").GetInt32(),
        Base = file.GetProperty("base").GetInt64(),
        Offset = file.GetProperty("offset").GetInt64(),
        Tail = Mark(file.GetProperty("tail")),
        Size = file.GetProperty("size").GetInt64(),
        Finished = file.GetProperty("finished").GetBoolean(),
        Days = file.GetProperty("days").EnumerateArray().Select(d => new DayMark(d[0].GetInt64(), d[1].GetInt32())).ToList(),
        Splits = file.GetProperty("splits").EnumerateArray().Select(s => s.GetInt64()).ToList(),
    };

    private static ContentMark Mark(JsonElement pair) => new(pair[0].GetInt32(), Unhex(pair[1]));

    private static string Hex(ulong value) => value.ToString("x16", CultureInfo.InvariantCulture);

    private static ulong Unhex(JsonElement value) => ulong.Parse(value.GetString() ?? "", NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
}
