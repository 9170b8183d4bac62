namespace LogAgent.Delivery;

/// <summary>A number of records and the bytes of their messages, as they stand in the batches.</summary>
internal readonly record struct Amount(long Records, long Bytes)
{
    public static Amount operator +(Amount left, Amount right) => new(left.Records + right.Records, left.Bytes + right.Bytes);

    public static Amount operator -(Amount left, Amount right) => new(left.Records - right.Records, left.Bytes - right.Bytes);
}
