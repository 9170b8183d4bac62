using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace LogAgent.Tailing;

/// <summary>The two hashes that are kept on disk; neither may ever change, or nothing is recognised again.</summary>
internal static class Hash64
{
    /// <summary>FNV-1a with 64 bits, for short pieces of a file.</summary>
    public static ulong OfBytes(ReadOnlySpan<byte> bytes)
    {
        ulong hash = 14695981039346656037;
        foreach (byte b in bytes)
        {
            hash = (hash ^ b) * 1099511628211;
        }

        return hash;
    }

    /// <summary>The first 64 bits of SHA-256, for ids, where a collision would lose a record.</summary>
    public static ulong OfText(string text)
    {
        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes(text), digest);
        return BinaryPrimitives.ReadUInt64BigEndian(digest);
    }
}
