using System.Runtime.CompilerServices;
using System.Text;
using LogAgent.Tailing;

namespace LogAgent.Outputs.Kafka;

/// <summary>Where a target's records go: the topic and the key, worked out once a target.</summary>
internal sealed unsafe class KafkaRoute
{
    private readonly byte[] _key;

    private KafkaRoute(string topic, string key)
    {
        Topic = topic;
        KeyLength = Encoding.UTF8.GetByteCount(key);

        // On the pinned heap: librdkafka is given the address for each record.
        _key = GC.AllocateUninitializedArray<byte>(KeyLength, pinned: true);
        Encoding.UTF8.GetBytes(key, _key);
        Key = KeyLength == 0 ? 0 : (nint)Unsafe.AsPointer(ref _key[0]);
    }

    public string Topic { get; }

    /// <summary>Address of the key's bytes, valid as long as the route is referenced; 0 for no key.</summary>
    public nint Key { get; }

    public int KeyLength { get; }

    /// <summary>A target without the key's field (a file that no container claims) has its own id as the key, so that its order is kept.</summary>
    public static KafkaRoute Of(TailTarget target, KafkaOptions options)
    {
        string key = "";
        if (options.KeyField.Length > 0)
        {
            key = target.Fields[options.KeyField] is { Length: > 0 } value ? value : target.Id;
        }

        return new(options.Topic.Resolve(target.Fields), key);
    }
}
