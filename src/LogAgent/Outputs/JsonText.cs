using System.Buffers;
using System.Text;
using System.Text.Unicode;

namespace LogAgent.Outputs;

/// <summary>Bytes as the inside of a JSON string, and where such a text may be cut.</summary>
internal static class JsonText
{
    private static readonly SearchValues<byte> ToEscape = SearchValues.Create(
        "\"\\\0\u0001\u0002\u0003\u0004\u0005\u0006\u0007\u0008\u0009\u000a\u000b\u000c\u000d\u000e\u000f\u0010\u0011\u0012\u0013\u0014\u0015\u0016\u0017\u0018\u0019\u001a\u001b\u001c\u001d\u001e\u001f"u8);

    private static ReadOnlySpan<byte> Replacement => "\uFFFD"u8;

    /// <summary>Writes plain bytes escaped; what is not UTF-8 becomes U+FFFD, one for each maximal invalid part.</summary>
    public static void WriteEscaped(ByteBuffer buffer, ReadOnlySpan<byte> plain)
    {
        if (Utf8.IsValid(plain))
        {
            EscapeValid(buffer, plain);
            return;
        }

        while (!plain.IsEmpty)
        {
            int valid = ValidLength(plain, out int invalid);
            EscapeValid(buffer, plain[..valid]);
            if (invalid > 0)
            {
                buffer.Write(Replacement);
            }

            plain = plain[(valid + invalid)..];
        }
    }

    /// <summary>Copies bytes and replaces only what is not UTF-8: for a text that is escaped already, or one that needs no escapes.</summary>
    public static void WriteRepaired(ByteBuffer buffer, ReadOnlySpan<byte> text)
    {
        if (Utf8.IsValid(text))
        {
            buffer.Write(text);
            return;
        }

        while (!text.IsEmpty)
        {
            int valid = ValidLength(text, out int invalid);
            buffer.Write(text[..valid]);
            if (invalid > 0)
            {
                buffer.Write(Replacement);
            }

            text = text[(valid + invalid)..];
        }
    }

    /// <summary>Writes a text escaped, without an allocation.</summary>
    public static void WriteEscaped(ByteBuffer buffer, string text)
    {
        int start = buffer.Length;
        int length = Encoding.UTF8.GetBytes(text, buffer.GetSpan(Encoding.UTF8.GetMaxByteCount(text.Length)));
        buffer.Advance(length);
        if (buffer.Written[start..].ContainsAny(ToEscape))
        {
            Span<byte> plain = length <= 4096 ? stackalloc byte[4096] : new byte[length];
            buffer.Written[start..].CopyTo(plain);
            buffer.Truncate(start);
            EscapeValid(buffer, plain[..length]);
        }
    }

    /// <summary>The longest length up to <paramref name="limit"/> that does not split a character of a plain text.</summary>
    public static int CutPlain(ReadOnlySpan<byte> plain, int limit)
    {
        if (plain.Length <= limit)
        {
            return plain.Length;
        }

        // A character has at most three bytes after its first; more of them in a row are not UTF-8 and may be cut anywhere.
        int cut = limit;
        while (cut > 0 && limit - cut < 3 && (plain[cut] & 0xC0) == 0x80)
        {
            cut--;
        }

        return (plain[cut] & 0xC0) == 0x80 ? limit : cut;
    }

    /// <summary>The longest length up to <paramref name="limit"/> that splits no character, no escape and no pair of surrogates of an escaped text.</summary>
    public static int CutEscaped(ReadOnlySpan<byte> escaped, int limit)
    {
        if (escaped.Length <= limit)
        {
            return escaped.Length;
        }

        int cut = CutPlain(escaped, limit);
        for (int start = cut - 1; start >= 0 && start > cut - 6; start--)
        {
            if (IsEscape(escaped, start))
            {
                int length = escaped[start + 1] == 'u' ? 6 : 2;
                cut = start + length > cut ? start : cut;
                break;
            }
        }

        // A high surrogate whose second half would be cut off.
        int high = cut - 6;
        return high >= 0 && IsEscape(escaped, high) && escaped[high + 1] == 'u' && (escaped[high + 2] | 0x20) == 'd'
            && (escaped[high + 3] | 0x20) is (byte)'8' or (byte)'9' or (byte)'a' or (byte)'b'
            ? high
            : cut;
    }

    /// <summary>True where a backslash stands that is not itself escaped.</summary>
    private static bool IsEscape(ReadOnlySpan<byte> escaped, int at)
    {
        if (escaped[at] != '\\' || at + 1 >= escaped.Length)
        {
            return false;
        }

        int before = at - 1 - escaped[..at].LastIndexOfAnyExcept((byte)'\\');
        return (before & 1) == 0;
    }

    private static int ValidLength(ReadOnlySpan<byte> text, out int invalid)
    {
        int at = 0;
        while (at < text.Length)
        {
            int ascii = text[at..].IndexOfAnyExceptInRange((byte)0, (byte)0x7F);
            if (ascii < 0)
            {
                break;
            }

            at += ascii;
            if (Rune.DecodeFromUtf8(text[at..], out _, out int length) != OperationStatus.Done)
            {
                invalid = length;
                return at;
            }

            at += length;
        }

        invalid = 0;
        return text.Length;
    }

    private static void EscapeValid(ByteBuffer buffer, ReadOnlySpan<byte> plain)
    {
        while (true)
        {
            int next = plain.IndexOfAny(ToEscape);
            if (next < 0)
            {
                buffer.Write(plain);
                return;
            }

            Span<byte> span = buffer.GetSpan(next + 6);
            plain[..next].CopyTo(span);
            buffer.Advance(next + Escape(span[next..], plain[next]));
            plain = plain[(next + 1)..];
        }
    }

    private static int Escape(Span<byte> destination, byte value)
    {
        byte letter = value switch
        {
            (byte)'"' or (byte)'\\' => value,
            (byte)'\n' => (byte)'n',
            (byte)'\r' => (byte)'r',
            (byte)'\t' => (byte)'t',
            (byte)'\b' => (byte)'b',
            (byte)'\f' => (byte)'f',
            _ => 0,
        };
        destination[0] = (byte)'\\';
        if (letter != 0)
        {
            destination[1] = letter;
            return 2;
        }

        "u00"u8.CopyTo(destination[1..]);
        destination[4] = (byte)('0' + (value >> 4));
        destination[5] = "0123456789abcdef"u8[value & 15];
        return 6;
    }
}
