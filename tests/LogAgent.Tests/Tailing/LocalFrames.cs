using System.Buffers.Binary;
using System.Text;

namespace LogAgent.Tests.Tailing;

/// <summary>Writes what Docker's local driver writes.</summary>
internal static class LocalFrames
{
    public const long Time = 1_763_670_946_685_148_284; // 2025-11-20T20:35:46.685148284Z

    /// <param name="pieceOf">Id of the line that it is a piece of; null for a whole line.</param>
    public static byte[] Frame(string text, string stream = "stdout", long time = Time, string? pieceOf = null, bool last = false, int ordinal = 1) =>
        Frame(Encoding.UTF8.GetBytes(text), stream, time, pieceOf, last, ordinal);

    public static byte[] Frame(byte[] text, string stream = "stdout", long time = Time, string? pieceOf = null, bool last = false, int ordinal = 1)
    {
        using MemoryStream payload = new();
        Bytes(payload, 1, Encoding.UTF8.GetBytes(stream));
        Varint(payload, 2, (ulong)time);
        if (text.Length > 0)
        {
            Bytes(payload, 3, text);
        }

        if (pieceOf is not null)
        {
            Varint(payload, 4, 1);
            using MemoryStream piece = new();
            if (last)
            {
                Varint(piece, 1, 1);
            }

            Bytes(piece, 2, Encoding.UTF8.GetBytes(pieceOf));
            Varint(piece, 3, (ulong)ordinal);
            Bytes(payload, 5, piece.ToArray());
        }

        return Raw(payload.ToArray());
    }

    /// <summary>A frame around any payload.</summary>
    public static byte[] Raw(byte[] payload)
    {
        byte[] frame = new byte[payload.Length + 8];
        BinaryPrimitives.WriteInt32BigEndian(frame, payload.Length);
        payload.CopyTo(frame, 4);
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(payload.Length + 4), payload.Length);
        return frame;
    }

    /// <summary>Whole lines "line N", a nanosecond apart, in both streams.</summary>
    public static byte[] Lines(int from, int count) =>
        [.. Enumerable.Range(from, count).SelectMany(i => Frame($"line {i}", i % 3 == 0 ? "stderr" : "stdout", Time + i))];

    private static void Bytes(MemoryStream to, int field, byte[] bytes)
    {
        Varint(to, (ulong)((field << 3) | 2));
        Varint(to, (ulong)bytes.Length);
        to.Write(bytes);
    }

    private static void Varint(MemoryStream to, int field, ulong value)
    {
        Varint(to, (ulong)(field << 3));
        Varint(to, value);
    }

    private static void Varint(MemoryStream to, ulong value)
    {
        for (; value >= 0x80; value >>= 7)
        {
            to.WriteByte((byte)(value | 0x80));
        }

        to.WriteByte((byte)value);
    }
}
