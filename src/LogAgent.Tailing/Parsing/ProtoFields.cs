namespace LogAgent.Tailing.Parsing;

/// <summary>The fields of a protobuf message in their order: https://protobuf.dev/programming-guides/encoding. What is not known is passed over.</summary>
internal ref struct ProtoFields(ReadOnlySpan<byte> data)
{
    /// <summary>Wire types, as they stand in the lower three bits of a key.</summary>
    public const int Varint = 0;
    public const int Bytes = 2;
    private const int Fixed64 = 1;
    private const int Fixed32 = 5;

    private readonly ReadOnlySpan<byte> _data = data;
    private int _position;

    /// <summary>Number of the field times eight, and its wire type.</summary>
    public ulong Key { get; private set; }

    /// <summary>Of a varint.</summary>
    public ulong Value { get; private set; }

    /// <summary>Where the content of a field of bytes stands.</summary>
    public int Start { get; private set; }

    public int Length { get; private set; }

    /// <summary>After the last field: whether it ended where the data does.</summary>
    public bool IsValid { get; private set; } = true;

    /// <summary>False after the last field, and at what is no field.</summary>
    public bool TryNext()
    {
        if (_position == _data.Length)
        {
            return false;
        }

        IsValid = TryVarint(out ulong key) && TryContent((int)(key & 7));
        Key = key;
        return IsValid;
    }

    private bool TryContent(int type)
    {
        switch (type)
        {
            case Varint:
                bool read = TryVarint(out ulong value);
                Value = value;
                return read;
            case Bytes:
                return TryVarint(out ulong length) && TrySkip(length);
            case Fixed64:
                return TrySkip(8);
            case Fixed32:
                return TrySkip(4);
            default:
                return false;
        }
    }

    private bool TrySkip(ulong length)
    {
        if (length > (ulong)(_data.Length - _position))
        {
            return false;
        }

        Start = _position;
        Length = (int)length;
        _position += Length;
        return true;
    }

    private bool TryVarint(out ulong value)
    {
        value = 0;
        for (int shift = 0; shift < 70 && _position < _data.Length; shift += 7)
        {
            byte next = _data[_position++];
            value |= (ulong)(next & 0x7f) << shift;
            if (next < 0x80)
            {
                return true;
            }
        }

        return false;
    }
}
