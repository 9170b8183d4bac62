using LogAgent.Delivery;
using LogAgent.Tailing;

namespace LogAgent.Outputs.Kafka;

/// <summary>How far the records that came are with librdkafka.</summary>
internal enum KafkaProgress
{
    /// <summary>All are there, or wait for their topic.</summary>
    Done,
    More,
    QueueFull,
}

/// <summary>
/// Gives the records of groups to librdkafka, in the order of the groups, as far as its queue has room; those of a topic that
/// refuses them wait with the topic. Used by the pump's thread; owns nothing.
/// </summary>
internal sealed class KafkaFeed(KafkaOptions options, KafkaEncoder encoder, KafkaTopics topics, KafkaSendTable sends, KafkaRoutes routes, TimeProvider time)
{
    /// <summary>Records given to librdkafka between two looks at its reports.</summary>
    private const int Burst = 2048;

    private KafkaSend? _current;

    /// <summary>Offers the next records of those that came.</summary>
    /// <param name="next">Gives the next group, or null where none has come.</param>
    /// <param name="mayForget">See <see cref="KafkaTopics.Of(KafkaProducer, string, bool)"/>.</param>
    public KafkaProgress Feed(KafkaProducer producer, Func<KafkaSend?> next, bool mayForget)
    {
        for (int left = Burst; left > 0; left--)
        {
            if (_current is null)
            {
                _current = next();
                if (_current is null)
                {
                    return KafkaProgress.Done;
                }

                sends.Add(_current);
            }

            KafkaSend send = _current;
            RecordRun run = send.Group.Runs[send.Run];
            int begin = send.Next;
            if (!FeedRun(producer, send, run, Math.Min(run.Count, begin + left), mayForget))
            {
                return KafkaProgress.QueueFull;
            }

            left -= send.Next - begin;
            if (send.Next == run.Count)
            {
                send.RunBase += run.Count;
                send.Next = 0;
                send.Run++;
                if (send.Run == send.Group.Runs.Length)
                {
                    _current = null;
                }
            }
        }

        return KafkaProgress.More;
    }

    /// <summary>Offers what waits with those topics that may be tried again.</summary>
    public void FeedBacklogs(KafkaProducer producer)
    {
        if (topics.Backlogged.Count == 0)
        {
            return;
        }

        long now = time.GetTimestamp();
        foreach (KafkaTopic topic in topics.Backlogged)
        {
            // Failed records go one round at a time, when all that was offered is reported: so their order stays.
            if (now >= topic.NotBefore && (topic.Failed.Count == 0 || topic.InFlight == 0))
            {
                FeedBacklog(producer, topic);
            }
        }

        topics.Tidy();
    }

    /// <summary>The group that is being offered has ended: nothing more of it is.</summary>
    public void DropEnded() => _current = _current is { Ended: true } ? null : _current;

    public void Reject(KafkaSend send, int index, string reason, string detail)
    {
        send.Reject(index, reason, detail);
        sends.ReleaseIfDone(send);
    }

    /// <summary>False: librdkafka's queue is full, and the record at send.Next is to be offered again.</summary>
    private bool FeedRun(KafkaProducer producer, KafkaSend send, in RecordRun run, int end, bool mayForget)
    {
        if (send.Next >= end)
        {
            return true;
        }

        LogBatch batch = run.Batch;
        KafkaRoute route = routes.Of(batch.Target);
        KafkaTopic topic = topics.Of(producer, route.Topic, mayForget);
        ReadOnlySpan<LogRecord> records = batch.Records.Slice(run.Start, run.Count);
        encoder.Begin(topic.Handle, route);
        for (; send.Next < end; send.Next++)
        {
            int index = send.RunBase + send.Next;
            int code = 0;
            if (topic.Backlog > 0 || !topics.HasShareLeft(topic) || (code = Offer(producer, topic, send, index, batch, records[send.Next])) != 0)
            {
                if (code == KafkaResponse.QueueFull)
                {
                    return false;
                }

                topics.KeepForLater(topic, send, index, code);
            }
        }

        return true;
    }

    private void FeedBacklog(KafkaProducer producer, KafkaTopic topic)
    {
        topics.Attach(producer, topic);
        for (int left = topic.Allowance; left > 0 && topic.Backlog > 0 && topics.HasShareLeft(topic); left--)
        {
            Queue<(KafkaSend Send, int Index)> queue = topic.Failed.Count > 0 ? topic.Failed : topic.Later;
            (KafkaSend send, int index) = queue.Peek();
            if (!send.Ended)
            {
                LogBatch batch = send.Find(index, out int inBatch);
                encoder.Begin(topic.Handle, routes.Of(batch.Target));
                int code = Offer(producer, topic, send, index, batch, batch.Records[inBatch]);
                if (code != 0)
                {
                    if (code != KafkaResponse.QueueFull)
                    {
                        topics.Refuse(topic, code);
                    }

                    return;
                }
            }

            queue.Dequeue();
        }
    }

    /// <summary>Encodes the record and offers it to librdkafka. 0: librdkafka has it, or it is rejected for good.</summary>
    private int Offer(KafkaProducer producer, KafkaTopic topic, KafkaSend send, int index, LogBatch batch, in LogRecord record)
    {
        if (topic.Handle == 0)
        {
            return KafkaResponse.InvalidTopic;
        }

        if (!encoder.TryEncode(batch, record, send.Group.MessageLimit, topic.Room))
        {
            Reject(send, index, "message_too_large", $"the document has {encoder.DocumentLength} bytes or more, and topic '{topic.Name}' takes {Math.Min(topic.Room, options.MaxMessage)}");
            return 0;
        }

        if (!topics.HasRoom(encoder.DocumentLength))
        {
            return KafkaResponse.QueueFull;
        }

        int code = encoder.Produce(producer, batch, record, KafkaSendTable.Opaque(send, index));
        if (code == 0)
        {
            topics.Entered(topic, encoder.DocumentLength);
            send.Outstanding++;
            if (encoder.CutBytes > 0)
            {
                send.NoteCut(index, encoder.CutBytes);
            }
        }
        else if (KafkaResponse.Judge(code) != KafkaVerdict.Wait)
        {
            Reject(send, index, Librdkafka.Label(code), Librdkafka.Describe(code));
            return 0;
        }

        return code;
    }
}
