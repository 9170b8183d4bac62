using System.Buffers;
using System.Text;
using System.Text.Unicode;

namespace LogAgent.Tailing.Parsing;

/// <summary>What stands inside a JSON string, still escaped.</summary>
internal static class JsonText
{
    private static readonly SearchValues<byte> s_special = SearchValues.Create(
        [.. Enumerable.Range(0, 32).Select(b => (byte)b), (byte)'"', (byte)'\\']);

    /// <summary>
    /// True where the bytes may stand between two quotes: no control byte, no bare quote, complete escapes.
    /// </summary>
    /// <param name="lastEscape">Position of the last escape's backslash, or -1.</param>
    /// <param name="text">How many bytes it is when it is no longer escaped.</param>
    public static bool IsValid(ReadOnlySpan<byte> escaped, out int lastEscape, out int text)
    {
        lastEscape = -1;
        text = escaped.Length;
        int position = 0;
        while (true)
        {
            int next = escaped[position..].IndexOfAny(s_special);
            if (next < 0)
            {
                return true;
            }

            position += next;
            if (escaped[position] != '\\' || position + 1 >= escaped.Length)
            {
                return false;
            }

            lastEscape = position;
            switch (escaped[position + 1])
            {
                case (byte)'"' or (byte)'\\' or (byte)'/' or (byte)'b' or (byte)'f' or (byte)'n' or (byte)'r' or (byte)'t':
                    position += 2;
                    text--;
                    break;
                case (byte)'u' when position + 6 <= escaped.Length && TryHex(escaped.Slice(position + 2, 4), out int unit):
                    position += 6;
                    text -= 6 - Length(unit);
                    break;
                default:
                    return false;
            }
        }
    }

    /// <summary>False where the bytes are not valid UTF-8.</summary>
    public static bool IsUtf8(ReadOnlySpan<byte> bytes) => Ascii.IsValid(bytes) || Utf8.IsValid(bytes);

    /// <summary>The most of <paramref name="bytes"/> that fits into <paramref name="limit"/> and ends neither within an escape nor within a character.</summary>
    public static int Cut(ReadOnlySpan<byte> bytes, int limit, bool escaped)
    {
        if (bytes.Length <= limit)
        {
            return bytes.Length;
        }

        int cut = limit;
        if (escaped)
        {
            for (int start = cut - 1; start >= 0 && start > cut - 6; start--)
            {
                if (bytes[start] != '\\')
                {
                    continue;
                }

                int run = 1;
                while (start - run >= 0 && bytes[start - run] == '\\')
                {
                    run++;
                }

                // An odd run means that this backslash begins an escape, of two bytes or of six.
                if ((run & 1) == 1)
                {
                    int length = start + 1 < bytes.Length && bytes[start + 1] == 'u' ? 6 : 2;
                    cut = start + length > cut ? start : cut;
                }

                break;
            }
        }

        int character = cut;
        while (character > 0 && character > cut - 4 && (bytes[character] & 0xc0) == 0x80)
        {
            character--;
        }

        return (bytes[character] & 0xc0) == 0x80 ? cut : character;
    }

    /// <summary>Docker writes one byte that is not UTF-8 as \ufffd; a real U+FFFD it leaves as it is.</summary>
    private static int Length(int unit) => unit is < 0x80 or 0xfffd ? 1 : unit < 0x800 ? 2 : unit is >= 0xd800 and < 0xe000 ? 2 : 3;

    private static bool TryHex(ReadOnlySpan<byte> digits, out int value)
    {
        value = 0;
        foreach (byte digit in digits)
        {
            int nibble = digit switch
            {
                >= (byte)'0' and <= (byte)'9' => digit - '0',
                >= (byte)'a' and <= (byte)'f' => digit - 'a' + 10,
                >= (byte)'A' and <= (byte)'F' => digit - 'A' + 10,
                _ => -1,
            };
            if (nibble < 0)
            {
                return false;
            }

            value = (value << 4) | nibble;
        }

        return true;
    }
}
