using LogAgent.Tailing;

namespace LogAgent.Outputs.Kafka;

/// <summary>
/// Records of batches that a broker refused as a whole, each sent in a batch of its own through a second producer, so that
/// the one to blame is found: it is cut, or rejected. Used by the pump's thread; owns its producer.
/// </summary>
internal sealed unsafe class KafkaLoneRecords(
    KafkaOptions options,
    KafkaEncoder encoder,
    KafkaSendTable sends,
    KafkaRoutes routes,
    Action<KafkaSend, int, string, string> reject,
    TimeProvider time,
    ILogger logger) : IDisposable
{
    /// <summary>A document that is cut below this is not worth sending.</summary>
    private const int SmallestRoom = 512;

    private readonly Queue<(KafkaTopic Topic, KafkaSend Send, int Index)> _waiting = new();
    private readonly Dictionary<nint, KafkaTopic> _topics = [];
    private readonly KafkaProducer _producer = new(KafkaProperties.Build(options, single: true), line => KafkaLog.Native(logger, options.Name, line));
    private long _lastSaid;

    public int InFlight { get; private set; }

    public bool IsIdle => InFlight == 0 && _waiting.Count == 0;

    public void Add(KafkaTopic topic, KafkaSend send, int index, int code)
    {
        long now = time.GetTimestamp();
        if (_lastSaid == 0 || time.GetElapsedTime(_lastSaid, now) > TimeSpan.FromMinutes(1))
        {
            _lastSaid = now;
            KafkaLog.SentAlone(logger, options.Name, topic.Name, Librdkafka.Describe(code));
        }

        _waiting.Enqueue((topic, send, index));
    }

    public void Produce()
    {
        while (_waiting.TryPeek(out var next))
        {
            if (!next.Send.Ended && !TryProduce(next.Topic, next.Send, next.Index))
            {
                return;
            }

            _waiting.Dequeue();
        }
    }

    /// <param name="wait">Takes a record that is to be kept for its topic.</param>
    public void Poll(KafkaWatch watch, Action<KafkaTopic, KafkaSend, int, int> wait)
    {
        while (_producer.TryPoll(0, out nint next, out int type, out ReadOnlySpan<nint> reports))
        {
            if (type == Librdkafka.EventError)
            {
                watch.OnError(Librdkafka.EventErrorCode(next), Librdkafka.Text(Librdkafka.EventErrorText(next)));
            }

            foreach (nint report in reports)
            {
                OnReport((KafkaReport*)report, wait);
            }

            KafkaProducer.Release(next);
        }
    }

    public void Purge(bool inFlight) => _producer.Purge(inFlight);

    public void Clear() => _waiting.Clear();

    public void Dispose() => _producer.Dispose();

    /// <summary>False: the queue is full.</summary>
    private bool TryProduce(KafkaTopic topic, KafkaSend send, int index)
    {
        nint handle = _producer.Topic(topic.Name);
        _topics[handle] = topic;
        LogBatch batch = send.Find(index, out int inBatch);
        ref readonly LogRecord record = ref batch.Records[inBatch];
        encoder.Begin(handle, routes.Of(batch.Target));
        if (!encoder.TryEncode(batch, record, send.Group.MessageLimit, topic.Room))
        {
            reject(send, index, "message_too_large", $"topic '{topic.Name}' takes documents of {topic.Room} bytes");
            return true;
        }

        int code = encoder.Produce(_producer, batch, record, KafkaSendTable.Opaque(send, index));
        if (code == KafkaResponse.QueueFull)
        {
            return false;
        }

        if (code != 0)
        {
            reject(send, index, Librdkafka.Label(code), Librdkafka.Describe(code));
            return true;
        }

        if (encoder.CutBytes > 0)
        {
            send.NoteCut(index, encoder.CutBytes);
        }

        send.Outstanding++;
        InFlight++;
        return true;
    }

    private void OnReport(KafkaReport* report, Action<KafkaTopic, KafkaSend, int, int> wait)
    {
        KafkaTopic topic = _topics[report->Topic];
        KafkaSend send = sends.Find(report->Opaque, out int index);
        send.Outstanding--;
        InFlight--;
        if (report->Error == 0)
        {
            send.Unfinished--;
            topic.LastProgress = time.GetTimestamp();
        }
        else if (!send.Ended)
        {
            OnFailure(topic, send, index, report, wait);
        }

        sends.ReleaseIfDone(send);
    }

    private void OnFailure(KafkaTopic topic, KafkaSend send, int index, KafkaReport* report, Action<KafkaTopic, KafkaSend, int, int> wait)
    {
        KafkaVerdict verdict = KafkaResponse.IsPurge(report->Error) ? KafkaVerdict.Wait : KafkaResponse.Judge(report->Error);
        if (verdict == KafkaVerdict.Wait)
        {
            wait(topic, send, index, report->Error);
            return;
        }

        int length = (int)report->Length;
        int room = length / 4 * 3;
        if (verdict == KafkaVerdict.TooLarge && options.Oversize == KafkaOversize.Truncate && room >= SmallestRoom)
        {
            topic.Room = Math.Min(topic.Room, room);
            _waiting.Enqueue((topic, send, index));
            return;
        }

        string reason = verdict == KafkaVerdict.TooLarge ? "message_too_large" : Librdkafka.Label(report->Error);
        reject(send, index, reason, $"topic '{topic.Name}' refused a document of {length} bytes: {Librdkafka.Describe(report->Error)}");
    }
}
