using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using LogAgent.Delivery;
using LogAgent.Tailing;

namespace LogAgent.Outputs.Kafka;

/// <summary>
/// The thread between groups and librdkafka. It encodes the groups in the order of the calls of <see cref="Send"/>, gives
/// their records to librdkafka as far as its queue has room, takes the delivery reports, and completes a group with the last
/// of its reports. It owns the producers; everything but Send, Trouble and Truncated happens on its thread.
/// </summary>
internal sealed unsafe class KafkaPump(KafkaOptions options, DocumentEncoder documents, TimeProvider time, ILogger logger)
{
    /// <summary>Records given to librdkafka between two looks at its reports.</summary>
    private const int Burst = 2048;

    private const int PollMilliseconds = 250;
    private static readonly TimeSpan ForgetTopicAfter = TimeSpan.FromMinutes(10);

    private readonly bool _hasOneTopic = options.Topic.Fixed is not null;

    private readonly ConcurrentQueue<KafkaSend> _arrived = new();
    private readonly AutoResetEvent _signal = new(false);
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ConditionalWeakTable<TailTarget, KafkaRoute> _routes = [];
    private readonly Dictionary<string, KafkaTopic> _topics = new(StringComparer.Ordinal);
    private readonly Dictionary<nint, KafkaTopic> _topicsByHandle = [];
    private readonly List<KafkaTopic> _backlogged = [];
    private readonly KafkaSendTable _sends = new();
    private readonly KafkaEncoder _encoder = new(options, documents);
    private readonly KafkaWatch _watch = new(options, time, logger);

    /// <summary>Guards the start of the thread, and the producer against being woken while it is disposed.</summary>
    private readonly Lock _gate = new();

    private Thread? _thread;
    private KafkaProducer? _producer;
    private KafkaLoneRecords? _lone;
    private KafkaSend? _current;
    private int _inFlight;
    private long _inFlightBytes;
    private long _lastAlive;
    private string _fatal = "";
    private volatile bool _cancelling;
    private volatile bool _ending;
    private volatile Exception? _failure;

    private enum Progress
    {
        /// <summary>Everything that came is with librdkafka, or waits for its topic.</summary>
        Done,
        More,
        QueueFull,
    }

    public string Trouble => _watch.Trouble;

    public long Truncated => _encoder.Truncated;

    /// <summary>Takes a group; the order of calls is the order of records.</summary>
    public Task<SendResult> Send(RecordGroup group, CancellationToken cancel)
    {
        ObjectDisposedException.ThrowIf(_ending, this);
        if (cancel.IsCancellationRequested)
        {
            return Task.FromCanceled<SendResult>(cancel);
        }

        if (group.Count == 0)
        {
            return Task.FromResult(SendResult.Delivered);
        }

        KafkaSend send = new(group);
        send.Cancelling = cancel.UnsafeRegister(static pump => ((KafkaPump)pump!).OnCancel(), this);
        _arrived.Enqueue(send);
        Wake();
        if (_failure is { } failure)
        {
            send.Fail(failure);
        }

        return send.Task;
    }

    /// <summary>Cancels what is under way and ends the thread and the producers.</summary>
    public Task Stop()
    {
        _ending = true;
        bool started;
        lock (_gate)
        {
            started = _thread is not null;
            _producer?.Wake();
        }

        _signal.Set();
        if (!started)
        {
            _encoder.Dispose();
            _ended.TrySetResult();
        }

        return _ended.Task;
    }

    private void OnCancel()
    {
        _cancelling = true;
        Wake();
    }

    private void Wake()
    {
        lock (_gate)
        {
            if (_thread is null)
            {
                _thread = new Thread(Run) { Name = $"logagent-{options.Name}", IsBackground = true };
                _thread.Start();
            }

            _producer?.Wake();
        }

        _signal.Set();
    }

    private void Run()
    {
        try
        {
            while (!_ending)
            {
                if (_cancelling)
                {
                    CancelSends();
                }

                if (_producer is null && _arrived.IsEmpty)
                {
                    _signal.WaitOne();
                }
                else if (_producer is not null || TryOpen())
                {
                    Step(_producer!);
                }
            }
        }
        catch (Exception bug)
        {
            // Not a SendException: the output worker passes it on, and the process ends with an error (I5).
            _failure = bug;
            EndSends(send => send.Fail(bug));
        }
        finally
        {
            Close();
            _ended.TrySetResult();
        }
    }

    private bool TryOpen()
    {
        try
        {
            KafkaProducer producer = new(KafkaProperties.Build(options, single: false), line => KafkaLog.Native(logger, options.Name, line));
            lock (_gate)
            {
                _producer = producer;
            }

            return true;
        }
        catch (Exception trouble) when (trouble is Confluent.Kafka.KafkaException or InvalidOperationException)
        {
            EndSends(send => send.Fail(new SendException(SendTrouble.Refused, $"librdkafka does not start with the configuration of the kafka output {options.Name}: {trouble.Message}", trouble)));
            return false;
        }
    }

    private void Step(KafkaProducer producer)
    {
        if (_fatal.Length > 0)
        {
            Reopen(producer);
            return;
        }

        ProduceBacklogs(producer);
        Progress progress = ProduceArrived(producer);
        bool lone = _lone is { IsIdle: false };
        if (lone)
        {
            _lone!.Produce();
            PollLone(_lone);
        }

        int wait = progress switch
        {
            Progress.More => 0,
            Progress.QueueFull => 20,
            _ => lone ? 2 : PollMilliseconds,
        };
        PollReports(producer, wait);
        _watch.Look(_topics, producer);
        GiveBackIfDown(producer);
    }

    private Progress ProduceArrived(KafkaProducer producer)
    {
        for (int left = Burst; left > 0; left--)
        {
            if (_current is null)
            {
                if (!_arrived.TryDequeue(out KafkaSend? next))
                {
                    return Progress.Done;
                }

                _sends.Add(next);
                _current = next;
            }

            KafkaSend send = _current;
            RecordRun run = send.Group.Runs[send.Run];
            int begin = send.Next;
            if (!ProduceRun(producer, send, run, Math.Min(run.Count, begin + left)))
            {
                return Progress.QueueFull;
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

        return Progress.More;
    }

    /// <summary>False: librdkafka's queue is full, and the record at send.Next is to be offered again.</summary>
    private bool ProduceRun(KafkaProducer producer, KafkaSend send, in RecordRun run, int end)
    {
        if (send.Next >= end)
        {
            return true;
        }

        LogBatch batch = run.Batch;
        KafkaRoute route = RouteOf(batch.Target);
        KafkaTopic topic = TopicOf(producer, route.Topic);
        ReadOnlySpan<LogRecord> records = batch.Records.Slice(run.Start, run.Count);
        _encoder.Begin(topic.Handle, route);
        for (; send.Next < end; send.Next++)
        {
            int index = send.RunBase + send.Next;
            int code = 0;
            if (topic.Backlog > 0 || !HasShareLeft(topic) || (code = Offer(producer, topic, send, index, batch, records[send.Next])) != 0)
            {
                if (code == KafkaResponse.QueueFull)
                {
                    return false;
                }

                Defer(topic, send, index, code);
            }
        }

        return true;
    }

    /// <summary>A topic may fill as much of the queue as it leaves free: however many are stuck, others find room in it.</summary>
    private bool HasShareLeft(KafkaTopic topic) => _hasOneTopic || topic.InFlightBytes <= options.QueueMemory - _inFlightBytes;

    private void Defer(KafkaTopic topic, KafkaSend send, int index, int code)
    {
        if (topic.Backlog == 0)
        {
            _backlogged.Add(topic);
            topic.LastProgress = topic.InFlight == 0 ? time.GetTimestamp() : topic.LastProgress;
        }

        topic.Later.Enqueue((send, index));
        if (code != 0)
        {
            topic.Refuse(code, time.GetTimestamp(), time.TimestampFrequency);
        }
    }

    /// <summary>Encodes the record and offers it to librdkafka. 0: librdkafka has it, or it is rejected for good.</summary>
    private int Offer(KafkaProducer producer, KafkaTopic topic, KafkaSend send, int index, LogBatch batch, in LogRecord record)
    {
        if (topic.Handle == 0)
        {
            return KafkaResponse.InvalidTopic;
        }

        if (!_encoder.TryEncode(batch, record, send.Group.MessageLimit, topic.Room))
        {
            Reject(send, index, "message_too_large", $"the document has {_encoder.DocumentLength} bytes or more, and topic '{topic.Name}' takes {Math.Min(topic.Room, options.MaxMessage)}");
            return 0;
        }

        if (_inFlight > 0 && _inFlightBytes + _encoder.DocumentLength + KafkaEncoder.Overhead > options.QueueMemory)
        {
            return KafkaResponse.QueueFull;
        }

        int code = _encoder.Produce(producer, batch, record, KafkaSendTable.Opaque(send, index));
        if (code == 0)
        {
            if (topic.InFlight == 0 && topic.Backlog == 0)
            {
                topic.LastProgress = time.GetTimestamp();
            }

            _inFlight++;
            topic.InFlight++;
            topic.InFlightBytes += _encoder.DocumentLength + KafkaEncoder.Overhead;
            _inFlightBytes += _encoder.DocumentLength + KafkaEncoder.Overhead;
            send.Outstanding++;
        }
        else if (KafkaResponse.Judge(code) != KafkaVerdict.Wait)
        {
            Reject(send, index, Librdkafka.Label(code), Librdkafka.Describe(code));
            return 0;
        }

        return code;
    }

    private void ProduceBacklogs(KafkaProducer producer)
    {
        if (_backlogged.Count == 0)
        {
            return;
        }

        long now = time.GetTimestamp();
        foreach (KafkaTopic topic in _backlogged)
        {
            // Failed records go one round at a time, when all that was offered is reported: so their order stays.
            if (now >= topic.NotBefore && (topic.Failed.Count == 0 || topic.InFlight == 0))
            {
                ProduceBacklog(producer, topic, now);
            }
        }

        _backlogged.RemoveAll(topic => topic.Backlog == 0);
    }

    private void ProduceBacklog(KafkaProducer producer, KafkaTopic topic, long now)
    {
        topic.Handle = topic.Handle == 0 ? Attach(producer, topic) : topic.Handle;
        for (int left = topic.Allowance; left > 0 && topic.Backlog > 0 && HasShareLeft(topic); left--)
        {
            Queue<(KafkaSend Send, int Index)> queue = topic.Failed.Count > 0 ? topic.Failed : topic.Later;
            (KafkaSend send, int index) = queue.Peek();
            if (!send.Ended)
            {
                LogBatch batch = send.Find(index, out int inBatch);
                _encoder.Begin(topic.Handle, RouteOf(batch.Target));
                int code = Offer(producer, topic, send, index, batch, batch.Records[inBatch]);
                if (code != 0)
                {
                    if (code != KafkaResponse.QueueFull)
                    {
                        topic.Refuse(code, now, time.TimestampFrequency);
                    }

                    return;
                }
            }

            queue.Dequeue();
        }
    }

    private void PollReports(KafkaProducer producer, int milliseconds)
    {
        while (producer.TryPoll(milliseconds, out nint next, out int type, out ReadOnlySpan<nint> reports))
        {
            milliseconds = 0;
            if (type == Librdkafka.EventError)
            {
                OnError(producer, next);
            }
            else if (!reports.IsEmpty && _topicsByHandle.TryGetValue(((KafkaReport*)reports[0])->Topic, out KafkaTopic? topic))
            {
                OnReports(topic, reports);
            }

            KafkaProducer.Release(next);
        }
    }

    private void OnError(KafkaProducer producer, nint next)
    {
        int code = Librdkafka.EventErrorCode(next);
        string text = Librdkafka.Text(Librdkafka.EventErrorText(next));
        if (code == KafkaResponse.Fatal)
        {
            Span<byte> reason = stackalloc byte[512];
            fixed (byte* target = reason)
            {
                int cause = Librdkafka.FatalError(producer.Native, target, (nuint)reason.Length);
                _fatal = $"{Librdkafka.Text(target)} ({Librdkafka.Label(cause)})";
            }
        }
        else
        {
            _watch.OnError(code, text);
        }
    }

    private void OnReports(KafkaTopic topic, ReadOnlySpan<nint> reports)
    {
        bool delivered = false;
        foreach (nint address in reports)
        {
            KafkaReport* report = (KafkaReport*)address;
            if (((KafkaReport*)address)->Topic != topic.Handle)
            {
                topic = _topicsByHandle[report->Topic];
            }

            KafkaSend send = _sends.Find(report->Opaque, out int index);
            _inFlight--;
            topic.InFlight--;
            topic.InFlightBytes -= (long)report->Length + KafkaEncoder.Overhead;
            _inFlightBytes -= (long)report->Length + KafkaEncoder.Overhead;
            send.Outstanding--;
            if (report->Error == 0)
            {
                delivered = true;
                send.Unfinished--;
            }
            else if (!send.Ended)
            {
                OnFailure(topic, send, index, report->Error);
            }

            _sends.ReleaseIfDone(send);
        }

        if (delivered)
        {
            _lastAlive = time.GetTimestamp();
            topic.Progress(_lastAlive);
        }
    }

    private void OnFailure(KafkaTopic topic, KafkaSend send, int index, int code)
    {
        if (!KafkaResponse.IsPurge(code) && KafkaResponse.Judge(code) != KafkaVerdict.Wait)
        {
            _lone ??= new(options, _encoder, _sends, RouteOf, Reject, time, logger);
            _lone.Add(topic, send, index, code);
            return;
        }

        if (topic.Backlog == 0)
        {
            _backlogged.Add(topic);
        }

        topic.Failed.Enqueue((send, index));
        if (!KafkaResponse.IsPurge(code) && code != KafkaResponse.Fatal)
        {
            topic.Refuse(code, time.GetTimestamp(), time.TimestampFrequency);
        }
    }

    private void PollLone(KafkaLoneRecords lone)
    {
        lone.Poll(_watch, (topic, send, index, code) => OnFailure(topic, send, index, code));
    }

    private void Reject(KafkaSend send, int index, string reason, string detail)
    {
        send.Reject(index, reason, detail);
        _sends.ReleaseIfDone(send);
    }

    private KafkaRoute RouteOf(TailTarget target) =>
        _routes.TryGetValue(target, out KafkaRoute? route) ? route : _routes.GetValue(target, key => KafkaRoute.Of(key, options));

    private KafkaTopic TopicOf(KafkaProducer producer, string name)
    {
        if (!_topics.TryGetValue(name, out KafkaTopic? topic))
        {
            ForgetTopics(producer);
            topic = new(name);
            _topics.Add(name, topic);
        }

        if (topic.Handle == 0)
        {
            topic.Handle = Attach(producer, topic);
        }

        return topic;
    }

    private nint Attach(KafkaProducer producer, KafkaTopic topic)
    {
        nint handle = producer.Topic(topic.Name);
        if (handle != 0)
        {
            _topicsByHandle[handle] = topic;
        }

        return handle;
    }

    /// <summary>Before a topic is added: lets go of those that nobody has written to for a while, so that containers that come and go leave nothing.</summary>
    private void ForgetTopics(KafkaProducer producer)
    {
        long now = time.GetTimestamp();
        foreach (KafkaTopic topic in _topics.Values)
        {
            if (topic.InFlight + topic.Backlog == 0 && time.GetElapsedTime(topic.LastProgress, now) > ForgetTopicAfter && _lone is null or { IsIdle: true })
            {
                _topics.Remove(topic.Name);
                _topicsByHandle.Remove(topic.Handle);
                producer.Forget(topic.Name);
            }
        }
    }

    /// <summary>librdkafka has given the producer up: everything that it held comes back and goes to a new one.</summary>
    private void Reopen(KafkaProducer producer)
    {
        KafkaLog.Reopened(logger, options.Name, _fatal);
        Drain(producer, inFlight: true);
        CloseProducers();
        if (_inFlight > 0)
        {
            EndSends(send => send.Fail(new SendException(SendTrouble.Unreachable, $"the producer was given up: {_fatal}")));
        }

        _inFlight = 0;
        _inFlightBytes = 0;
        _fatal = "";
        foreach (KafkaTopic topic in _topics.Values)
        {
            topic.Detach();
        }

        _topicsByHandle.Clear();
        if (!TryOpen())
        {
            throw new InvalidOperationException("librdkafka does not start a second time with the same configuration.");
        }
    }

    /// <summary>
    /// Where the output may skip: when nothing has been acknowledged for long, the sends of which nothing is on its way fail, so
    /// that the worker knows and has them back. What may have reached a broker stays, so that nothing is doubled.
    /// </summary>
    private void GiveBackIfDown(KafkaProducer producer)
    {
        if (options.GiveBackAfter is not { } after)
        {
            return;
        }

        long now = time.GetTimestamp();
        if (_inFlight + _backlogged.Count == 0 || _lastAlive == 0)
        {
            _lastAlive = now;
        }

        if (time.GetElapsedTime(_lastAlive, now) < after)
        {
            return;
        }

        _lastAlive = now;
        producer.Purge(inFlight: false);
        for (int i = 0; i < 5; i++)
        {
            PollReports(producer, 20);
        }

        SendException trouble = new(SendTrouble.Unreachable, _watch.Trouble.Length > 0 ? _watch.Trouble : $"the brokers have acknowledged nothing for {after.TotalSeconds:0} s");
        _sends.FailIdle(trouble);
        _current = _current is { Ended: true } ? null : _current;
        foreach (KafkaTopic topic in _topics.Values)
        {
            topic.DropEnded();
        }

        while (_arrived.TryDequeue(out KafkaSend? send))
        {
            send.Fail(trouble);
        }
    }

    private void CancelSends()
    {
        _cancelling = false;
        if (_producer is { } producer)
        {
            // What is on the wire may be acknowledged in the next moment: that saves a repetition after the restart.
            Drain(producer, inFlight: false);
            Drain(producer, inFlight: true);
        }

        EndSends(send => send.Cancel());
    }

    private void Drain(KafkaProducer producer, bool inFlight)
    {
        producer.Purge(inFlight);
        _lone?.Purge(inFlight);
        for (int i = 0; i < 10 && _inFlight + (_lone?.InFlight ?? 0) > 0; i++)
        {
            PollReports(producer, 50);
            if (_lone is not null)
            {
                PollLone(_lone);
            }
        }
    }

    /// <summary>Ends every send; what librdkafka still holds of them is reported later and not heeded.</summary>
    private void EndSends(Action<KafkaSend> end)
    {
        _current = null;
        foreach (KafkaTopic topic in _topics.Values)
        {
            topic.Failed.Clear();
            topic.Later.Clear();
        }

        _backlogged.Clear();
        _lone?.Clear();
        _sends.EndAll(end);
        while (_arrived.TryDequeue(out KafkaSend? send))
        {
            end(send);
        }
    }

    private void CloseProducers()
    {
        _watch.Settle();
        _lone?.Dispose();
        _lone = null;
        KafkaProducer? producer = _producer;
        lock (_gate)
        {
            _producer = null;
        }

        producer?.Dispose();
    }

    private void Close()
    {
        if (_failure is null)
        {
            CancelSends();
        }

        CloseProducers();
        _encoder.Dispose();
    }
}
