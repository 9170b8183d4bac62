using System.Runtime.InteropServices;

namespace LogAgent.Outputs.Kafka;

/// <summary>What an argument of rd_kafka_produceva holds (rd_kafka_vtype_t).</summary>
internal enum KafkaArgumentKind
{
    TopicHandle = 2,
    Value = 4,
    Key = 5,
    Opaque = 6,
    CopyFlags = 7,
    Timestamp = 8,
    Headers = 10,
}

/// <summary>
/// One argument of rd_kafka_produceva (rd_kafka_vu_t): a kind and 64 bytes whose meaning it decides.
/// <code>
/// 0  int   kind
/// 8  ptr | int | long                 topic, opaque, flags, timestamp, headers
/// 8  ptr   data      16 size length   value, key
/// </code>
/// </summary>
[StructLayout(LayoutKind.Explicit, Size = 72)]
internal struct KafkaArgument
{
    [FieldOffset(0)]
    public KafkaArgumentKind Kind;

    [FieldOffset(8)]
    public nint Pointer;

    [FieldOffset(8)]
    public int Flags;

    [FieldOffset(8)]
    public long Milliseconds;

    [FieldOffset(16)]
    public nint Length;
}

/// <summary>A delivery report: the parts of rd_kafka_message_t that are read here.</summary>
[StructLayout(LayoutKind.Explicit, Size = 72)]
internal struct KafkaReport
{
    /// <summary>0, or why the record was not delivered.</summary>
    [FieldOffset(0)]
    public int Error;

    /// <summary>The handle of its topic.</summary>
    [FieldOffset(8)]
    public nint Topic;

    /// <summary>Bytes of the value.</summary>
    [FieldOffset(32)]
    public nuint Length;

    /// <summary>What was given as <see cref="KafkaArgumentKind.Opaque"/>.</summary>
    [FieldOffset(64)]
    public nint Opaque;
}
