using System.Globalization;
using System.Text;

namespace LogAgent.Outputs;

/// <summary>Gives the plain bytes of an escaped message, for outputs that show text.</summary>
internal static class JsonUnescaper
{
    /// <summary>
    /// Writes the inside of a JSON string without its escapes, in UTF-8. Half of a surrogate pair becomes U+FFFD; what is no
    /// escape of JSON is written as it stands. No allocation.
    /// </summary>
    public static void Write(ReadOnlySpan<byte> escaped, ByteBuffer buffer)
    {
        while (true)
        {
            int next = escaped.IndexOf((byte)'\\');
            if (next < 0 || next + 1 == escaped.Length)
            {
                buffer.Write(escaped);
                return;
            }

            buffer.Write(escaped[..next]);
            escaped = escaped[next..];
            escaped = escaped[(escaped[1] == 'u' ? Unicode(escaped, buffer) : Letter(escaped, buffer))..];
        }
    }

    private static int Letter(ReadOnlySpan<byte> escape, ByteBuffer buffer)
    {
        byte plain = escape[1] switch
        {
            (byte)'n' => (byte)'\n',
            (byte)'t' => (byte)'\t',
            (byte)'r' => (byte)'\r',
            (byte)'b' => (byte)'\b',
            (byte)'f' => (byte)'\f',
            (byte)'"' or (byte)'\\' or (byte)'/' => escape[1],
            _ => 0,
        };
        if (plain == 0)
        {
            buffer.Write(escape[..1]);
            return 1;
        }

        buffer.GetSpan(1)[0] = plain;
        buffer.Advance(1);
        return 2;
    }

    private static int Unicode(ReadOnlySpan<byte> escape, ByteBuffer buffer)
    {
        if (!TryUnit(escape, out char unit))
        {
            buffer.Write(escape[..1]);
            return 1;
        }

        int length = 6;
        if (!Rune.TryCreate(unit, out Rune rune))
        {
            rune = Rune.ReplacementChar;
            if (TryUnit(escape[6..], out char low) && Rune.TryCreate(unit, low, out Rune pair))
            {
                rune = pair;
                length = 12;
            }
        }

        buffer.Advance(rune.EncodeToUtf8(buffer.GetSpan(4)));
        return length;
    }

    private static bool TryUnit(ReadOnlySpan<byte> escape, out char unit)
    {
        unit = '\0';
        if (escape.Length < 6 || escape[0] != '\\' || escape[1] != 'u'
            || !ushort.TryParse(escape.Slice(2, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ushort value))
        {
            return false;
        }

        unit = (char)value;
        return true;
    }
}
