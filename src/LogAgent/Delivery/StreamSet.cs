using LogAgent.Tailing;

namespace LogAgent.Delivery;

/// <summary>The streams that an output takes: bits of 1 &lt;&lt; <see cref="LogStream"/>. Gap records are always taken.</summary>
internal readonly record struct StreamSet(byte Bits)
{
    public static StreamSet All { get; } = new(0xFF);

    public static StreamSet Of(params ReadOnlySpan<LogStream> streams)
    {
        int bits = 0;
        foreach (LogStream stream in streams)
        {
            bits |= 1 << (int)stream;
        }

        return new((byte)bits);
    }

    public bool Has(in LogRecord record) => (Bits >> (int)record.Stream & 1) != 0 || (record.Flags & RecordFlags.Gap) != 0;
}
