namespace LogAgent.Outputs.Kafka;

/// <summary>
/// The topics that records go to, how much of librdkafka's queue each of them fills, and which have records that wait outside
/// of it. Used by the pump's thread.
/// </summary>
internal sealed class KafkaTopics(KafkaOptions options, TimeProvider time)
{
    private static readonly TimeSpan ForgetAfter = TimeSpan.FromMinutes(10);

    private readonly bool _hasOne = options.Topic.Fixed is not null;
    private readonly Dictionary<string, KafkaTopic> _byName = new(StringComparer.Ordinal);
    private readonly Dictionary<nint, KafkaTopic> _byHandle = [];
    private readonly List<KafkaTopic> _backlogged = [];
    private long _queuedBytes;

    public IReadOnlyCollection<KafkaTopic> All => _byName.Values;

    /// <summary>Those of which records wait outside of the queue.</summary>
    public IReadOnlyList<KafkaTopic> Backlogged => _backlogged;

    /// <summary>Records that librdkafka holds.</summary>
    public int InFlight { get; private set; }

    /// <param name="mayForget">Nothing outside of the topics themselves refers to one of them.</param>
    public KafkaTopic Of(KafkaProducer producer, string name, bool mayForget)
    {
        if (!_byName.TryGetValue(name, out KafkaTopic? topic))
        {
            if (mayForget)
            {
                Forget(producer);
            }

            topic = new(name);
            _byName.Add(name, topic);
        }

        Attach(producer, topic);
        return topic;
    }

    /// <summary>The topic of a delivery report.</summary>
    public KafkaTopic Of(nint handle) => _byHandle[handle];

    /// <summary>Gives the topic its handle in the producer, where it has none. It stays 0 where librdkafka does not take the name.</summary>
    public void Attach(KafkaProducer producer, KafkaTopic topic)
    {
        if (topic.Handle == 0 && (topic.Handle = producer.Topic(topic.Name)) != 0)
        {
            _byHandle[topic.Handle] = topic;
        }
    }

    /// <summary>A topic may fill as much of the queue as it leaves free: however many are stuck, others find room in it.</summary>
    public bool HasShareLeft(KafkaTopic topic) => _hasOne || topic.InFlightBytes <= options.QueueMemory - _queuedBytes;

    /// <summary>False: reports have to come first. One document always has room.</summary>
    public bool HasRoom(int length) => InFlight == 0 || _queuedBytes + length + KafkaEncoder.Overhead <= options.QueueMemory;

    /// <summary>librdkafka has taken a document of the topic.</summary>
    public void Entered(KafkaTopic topic, int length)
    {
        if (topic.InFlight == 0 && topic.Backlog == 0)
        {
            topic.LastProgress = time.GetTimestamp();
        }

        InFlight++;
        topic.InFlight++;
        topic.InFlightBytes += length + KafkaEncoder.Overhead;
        _queuedBytes += length + KafkaEncoder.Overhead;
    }

    /// <summary>librdkafka has reported a document of the topic.</summary>
    public void Left(KafkaTopic topic, int length)
    {
        InFlight--;
        topic.InFlight--;
        topic.InFlightBytes -= length + KafkaEncoder.Overhead;
        _queuedBytes -= length + KafkaEncoder.Overhead;
    }

    /// <summary>The record waits until the topic may be offered more.</summary>
    /// <param name="code">Why librdkafka did not take it; 0 where it was not offered.</param>
    public void KeepForLater(KafkaTopic topic, KafkaSend send, int index, int code)
    {
        if (topic.Backlog == 0)
        {
            _backlogged.Add(topic);
            topic.LastProgress = topic.InFlight == 0 ? time.GetTimestamp() : topic.LastProgress;
        }

        topic.Later.Enqueue((send, index));
        if (code != 0)
        {
            Refuse(topic, code);
        }
    }

    /// <summary>The record was reported as not delivered, and is offered again before all that waits.</summary>
    public void KeepFailed(KafkaTopic topic, KafkaSend send, int index, int code)
    {
        if (topic.Backlog == 0)
        {
            _backlogged.Add(topic);
        }

        topic.Failed.Enqueue((send, index));
        if (!KafkaResponse.IsPurge(code) && code != KafkaResponse.Fatal)
        {
            Refuse(topic, code);
        }
    }

    public void Refuse(KafkaTopic topic, int code) => topic.Refuse(code, time.GetTimestamp(), time.TimestampFrequency);

    /// <summary>Takes those out of <see cref="Backlogged"/> of which nothing waits any more.</summary>
    public void Tidy() => _backlogged.RemoveAll(static topic => topic.Backlog == 0);

    /// <summary>Drops what waits of sends that have ended.</summary>
    public void DropEnded()
    {
        foreach (KafkaTopic topic in _byName.Values)
        {
            topic.DropEnded();
        }
    }

    /// <summary>Drops all that waits.</summary>
    public void DropAll()
    {
        foreach (KafkaTopic topic in _byName.Values)
        {
            topic.Failed.Clear();
            topic.Later.Clear();
        }

        _backlogged.Clear();
    }

    /// <summary>The producer is gone, and with it what it held.</summary>
    public void Detach()
    {
        foreach (KafkaTopic topic in _byName.Values)
        {
            topic.Detach();
        }

        _byHandle.Clear();
        InFlight = 0;
        _queuedBytes = 0;
    }

    /// <summary>Before a topic is added: lets go of those that nobody has written to for a while, so that containers that come and go leave nothing.</summary>
    private void Forget(KafkaProducer producer)
    {
        long now = time.GetTimestamp();
        foreach (KafkaTopic topic in _byName.Values)
        {
            if (topic.InFlight + topic.Backlog == 0 && time.GetElapsedTime(topic.LastProgress, now) > ForgetAfter)
            {
                _byName.Remove(topic.Name);
                _byHandle.Remove(topic.Handle);
                producer.Forget(topic.Name);
            }
        }
    }
}
