using System.Globalization;

namespace LogAgent.Tailing.Parsing;

/// <summary>Nanoseconds since 1970 as 2026-11-20T20:35:46.685148284Z. It remembers the last second: records come in the order of time.</summary>
internal sealed class NanoText
{
    /// <summary>Bytes of each text.</summary>
    public const int Length = 30;

    private const long Second = 1_000_000_000;

    private readonly byte[] _start = new byte[20];
    private long _second = long.MinValue;

    public void Write(Span<byte> destination, long nanos)
    {
        long second = nanos / Second;
        long rest = nanos % Second;
        if (rest < 0)
        {
            second--;
            rest += Second;
        }

        if (second != _second)
        {
            DateTime.UnixEpoch.AddSeconds(second).TryFormat(_start, out _, "yyyy'-'MM'-'dd'T'HH':'mm':'ss'.'", CultureInfo.InvariantCulture);
            _second = second;
        }

        _start.CopyTo(destination);
        for (int i = 28; i >= 20; i--)
        {
            destination[i] = (byte)('0' + (rest % 10));
            rest /= 10;
        }

        destination[29] = (byte)'Z';
    }
}
