using System.Collections.Concurrent;
using LogAgent.Delivery;

namespace LogAgent.Outputs.Kafka;

/// <summary>
/// The thread between groups and librdkafka. It encodes the groups in the order of the calls of <see cref="Send"/>, gives
/// their records to librdkafka as far as its queue has room, takes the delivery reports, and completes a group with the last
/// of its reports. It owns the producer; everything but Send, Stop and Condition happens on its thread.
/// </summary>
internal sealed class KafkaPump
{
    private const int PollMilliseconds = 250;

    private readonly KafkaOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly ConcurrentQueue<KafkaSend> _arrived = new();
    private readonly AutoResetEvent _signal = new(false);
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly KafkaSendTable _sends = new();
    private readonly KafkaTopics _topics;
    private readonly KafkaEncoder _encoder;
    private readonly KafkaWatch _watch;
    private readonly KafkaFeed _feed;
    private readonly KafkaReports _reports;
    private readonly Func<KafkaSend?> _next;

    /// <summary>Guards the start of the thread, and the producer against being woken while it is disposed.</summary>
    private readonly Lock _gate = new();

    private Thread? _thread;
    private KafkaProducer? _producer;
    private volatile bool _cancelling;
    private volatile bool _ending;
    private volatile Exception? _failure;

    public KafkaPump(KafkaOptions options, DocumentEncoder documents, TimeProvider time, ILogger logger)
    {
        _options = options;
        _time = time;
        _logger = logger;
        KafkaRoutes routes = new(options);
        _topics = new(options, time);
        _encoder = new(options, documents);
        _watch = new(options, time, logger);
        _feed = new(options, _encoder, _topics, _sends, routes, time);
        _reports = new(options, _encoder, _topics, _sends, routes, _feed.Reject, _watch, time, logger);
        _next = () => _arrived.TryDequeue(out KafkaSend? send) ? send : null;
    }

    /// <summary>Why records wait, and since when.</summary>
    public OutputCondition Condition => _watch.Condition;

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
                _thread = new Thread(Run) { Name = $"logagent-{_options.Name}", IsBackground = true };
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
            KafkaProducer producer = new(KafkaProperties.Build(_options, single: false), line => KafkaLog.Native(_logger, _options.Name, line));
            lock (_gate)
            {
                _producer = producer;
            }

            return true;
        }
        catch (Exception trouble) when (trouble is Confluent.Kafka.KafkaException or InvalidOperationException)
        {
            EndSends(send => send.Fail(new SendException(SendTrouble.Refused, $"librdkafka does not start with the configuration of the kafka output {_options.Name}: {trouble.Message}", trouble)));
            return false;
        }
    }

    private void Step(KafkaProducer producer)
    {
        if (_reports.Fatal.Length > 0)
        {
            Reopen(producer);
            return;
        }

        _feed.FeedBacklogs(producer);
        KafkaProgress progress = _feed.Feed(producer, _next, _reports.IsLoneIdle);
        bool lone = !_reports.IsLoneIdle;
        _reports.ServeLone();
        int wait = progress switch
        {
            KafkaProgress.More => 0,
            KafkaProgress.QueueFull => 20,
            _ => lone ? 2 : PollMilliseconds,
        };
        _reports.Poll(producer, wait);
        _watch.Look(_topics.All, producer);
        GiveBackIfDown(producer);
    }

    /// <summary>librdkafka has given the producer up: everything that it held comes back and goes to a new one.</summary>
    private void Reopen(KafkaProducer producer)
    {
        string cause = _reports.Fatal;
        KafkaLog.Reopened(_logger, _options.Name, cause);
        _reports.Drain(producer, inFlight: true);
        CloseProducer();
        if (_topics.InFlight > 0)
        {
            EndSends(send => send.Fail(new SendException(SendTrouble.Unreachable, $"the producer was given up: {cause}")));
        }

        _topics.Detach();
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
        if (_options.GiveBackAfter is not { } after)
        {
            return;
        }

        long now = _time.GetTimestamp();
        if (_topics.InFlight + _topics.Backlogged.Count == 0 || _reports.LastAlive == 0)
        {
            _reports.LastAlive = now;
        }

        if (_time.GetElapsedTime(_reports.LastAlive, now) < after)
        {
            return;
        }

        _reports.LastAlive = now;
        producer.Purge(inFlight: false);
        for (int i = 0; i < 5; i++)
        {
            _reports.Poll(producer, 20);
        }

        string cause = Condition.Trouble;
        SendException trouble = new(SendTrouble.Unreachable, cause.Length > 0 ? cause : $"the brokers have acknowledged nothing for {after.TotalSeconds:0} s");
        _sends.FailIdle(trouble);
        _feed.DropEnded();
        _topics.DropEnded();
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
            _reports.Drain(producer, inFlight: false);
            _reports.Drain(producer, inFlight: true);
        }

        EndSends(send => send.Cancel());
    }

    /// <summary>Ends every send; what librdkafka still holds of them is reported later and not heeded.</summary>
    private void EndSends(Action<KafkaSend> end)
    {
        _topics.DropAll();
        _reports.DropLone();
        _sends.EndAll(end);
        _feed.DropEnded();
        while (_arrived.TryDequeue(out KafkaSend? send))
        {
            end(send);
        }
    }

    private void CloseProducer()
    {
        _reports.Close();
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

        CloseProducer();
        _encoder.Dispose();
    }
}
