using System.Reflection;
using System.Runtime.InteropServices;
using Confluent.Kafka;

namespace LogAgent.Outputs.Kafka;

/// <summary>
/// One librdkafka producer. Confluent.Kafka configures and ends it; records go in and reports come out through librdkafka's
/// own functions. Used by one thread, except for <see cref="Wake"/> and <see cref="Native"/>; whoever uses those on another
/// thread is done before <see cref="Dispose"/>. It owns its topics and its queue.
/// </summary>
internal sealed unsafe class KafkaProducer : IDisposable
{
    private const int PurgeQueued = 1;
    private const int PurgeInFlight = 2;
    private const int PurgeWithoutWaiting = 4;

    private readonly IProducer<Null, Null> _producer;
    private readonly SafeHandle _handle;
    private readonly nint _queue;
    private readonly Dictionary<string, nint> _topics = new(StringComparer.Ordinal);
    private nint[] _reports = new nint[1024];

    /// <param name="properties">Properties of librdkafka, as <see cref="KafkaProperties"/> gives them.</param>
    /// <param name="log">Takes librdkafka's own log lines, on its threads.</param>
    /// <exception cref="KafkaException">librdkafka refuses the configuration.</exception>
    /// <exception cref="InvalidOperationException">The same, or librdkafka is missing.</exception>
    public KafkaProducer(IReadOnlyDictionary<string, string> properties, Action<string> log)
    {
        if (!Librdkafka.TryLoad(out string problem))
        {
            throw new InvalidOperationException(problem);
        }

        _producer = new ProducerBuilder<Null, Null>(properties).SetLogHandler((_, line) => log(line.Message)).Build();
        PropertyInfo handle = typeof(Handle).GetProperty("LibrdkafkaHandle", BindingFlags.Instance | BindingFlags.NonPublic)
            ?? throw new InvalidOperationException("This Confluent.Kafka has no Handle.LibrdkafkaHandle: LogAgent was built against version 2.15.");
        _handle = (SafeHandle)handle.GetValue(_producer.Handle)!;
        Native = _handle.DangerousGetHandle();
        _queue = Librdkafka.QueueGetMain(Native);
    }

    /// <summary>The rd_kafka_t; valid until Dispose.</summary>
    public nint Native { get; }

    /// <summary>The handle of a topic, made at first use and owned by the producer. 0: librdkafka does not take the name.</summary>
    public nint Topic(string name)
    {
        if (!_topics.TryGetValue(name, out nint topic))
        {
            fixed (byte* text = Librdkafka.ZeroEnded(name))
            {
                topic = Librdkafka.TopicNew(Native, text, 0);
            }

            if (topic != 0)
            {
                _topics.Add(name, topic);
            }
        }

        return topic;
    }

    /// <summary>Lets go of a topic that is not used any more; its records must all be reported.</summary>
    public void Forget(string name)
    {
        if (_topics.Remove(name, out nint topic))
        {
            Librdkafka.TopicDestroy(topic);
        }
    }

    /// <summary>Puts one record into librdkafka's queue, which copies it. Returns 0 or librdkafka's error code.</summary>
    public int Produce(KafkaArgument* arguments, int count)
    {
        nint error = Librdkafka.ProduceVa(Native, arguments, (nuint)count);
        if (error == 0)
        {
            return 0;
        }

        int code = Librdkafka.ErrorCode(error);
        Librdkafka.ErrorDestroy(error);
        return code;
    }

    /// <summary>
    /// Waits for the next event. False: none came, or <see cref="Wake"/> was called. The reports point into the event, which
    /// the caller gives back to <see cref="Release"/>.
    /// </summary>
    public bool TryPoll(int milliseconds, out nint next, out int type, out ReadOnlySpan<nint> reports)
    {
        reports = default;
        type = 0;
        next = Librdkafka.QueuePoll(_queue, milliseconds);
        if (next == 0)
        {
            return false;
        }

        type = Librdkafka.EventType(next);
        if (type == Librdkafka.EventDeliveryReport)
        {
            nuint count = Librdkafka.EventRecordCount(next);
            if (_reports.Length < (int)count)
            {
                _reports = new nint[(int)count];
            }

            fixed (nint* target = _reports)
            {
                reports = _reports.AsSpan(0, (int)Librdkafka.EventRecords(next, (KafkaReport**)target, count));
            }
        }

        return true;
    }

    public static void Release(nint finished) => Librdkafka.EventDestroy(finished);

    /// <summary>Ends a poll that waits, or the next one that would.</summary>
    public void Wake() => Librdkafka.QueueYield(_queue);

    /// <summary>Drops what librdkafka holds: each record is reported as purged.</summary>
    public void Purge(bool inFlight) => Librdkafka.Purge(Native, PurgeQueued | PurgeWithoutWaiting | (inFlight ? PurgeInFlight : 0));

    public void Dispose()
    {
        foreach (nint topic in _topics.Values)
        {
            Librdkafka.TopicDestroy(topic);
        }

        _topics.Clear();
        Librdkafka.QueueDestroy(_queue);
        _producer.Dispose();
        GC.KeepAlive(_handle);
    }
}
