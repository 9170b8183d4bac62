namespace LogAgent.Outputs.Kafka;

/// <summary>
/// Takes librdkafka's delivery reports and errors: a record is delivered, waits with its topic, or is sent in a batch of its
/// own. Used by the pump's thread; owns the records that are sent alone.
/// </summary>
internal sealed unsafe class KafkaReports(
    KafkaOptions options,
    KafkaEncoder encoder,
    KafkaTopics topics,
    KafkaSendTable sends,
    KafkaRoutes routes,
    Action<KafkaSend, int, string, string> reject,
    KafkaWatch watch,
    TimeProvider time,
    ILogger logger)
{
    private KafkaLoneRecords? _lone;

    /// <summary>Why librdkafka gave the producer up; empty where it did not.</summary>
    public string Fatal { get; private set; } = "";

    /// <summary>Timestamp of the last acknowledged record; 0 before the first.</summary>
    public long LastAlive { get; set; }

    /// <summary>Nothing is sent alone at this time.</summary>
    public bool IsLoneIdle => _lone is null or { IsIdle: true };

    /// <summary>Records that librdkafka holds.</summary>
    public int InFlight => topics.InFlight + (_lone?.InFlight ?? 0);

    /// <summary>Sends what waits to be sent alone, and takes its reports.</summary>
    public void ServeLone()
    {
        if (!IsLoneIdle)
        {
            _lone!.Produce();
            _lone.Poll(watch, OnFailure);
        }
    }

    /// <summary>Takes what there is; waits so long for the first.</summary>
    public void Poll(KafkaProducer producer, int milliseconds)
    {
        while (producer.TryPoll(milliseconds, out nint next, out int type, out ReadOnlySpan<nint> reports))
        {
            milliseconds = 0;
            if (type == Librdkafka.EventError)
            {
                OnError(producer, next);
            }
            else if (!reports.IsEmpty)
            {
                OnReports(reports);
            }

            KafkaProducer.Release(next);
        }
    }

    /// <summary>Drops what librdkafka holds, and takes the reports of it for half a second at most.</summary>
    /// <param name="inFlight">Also what may be on the wire.</param>
    public void Drain(KafkaProducer producer, bool inFlight)
    {
        producer.Purge(inFlight);
        _lone?.Purge(inFlight);
        for (int i = 0; i < 10 && InFlight > 0; i++)
        {
            Poll(producer, 50);
            _lone?.Poll(watch, OnFailure);
        }
    }

    /// <summary>Drops what waits to be sent alone.</summary>
    public void DropLone() => _lone?.Clear();

    /// <summary>Before the producer is disposed.</summary>
    public void Close()
    {
        watch.Settle();
        _lone?.Dispose();
        _lone = null;
        Fatal = "";
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
                Fatal = $"{Librdkafka.Text(target)} ({Librdkafka.Label(cause)})";
            }
        }
        else
        {
            watch.OnError(code, text);
        }
    }

    private void OnReports(ReadOnlySpan<nint> reports)
    {
        long now = time.GetTimestamp();
        KafkaTopic topic = topics.Of(((KafkaReport*)reports[0])->Topic);
        foreach (nint address in reports)
        {
            KafkaReport* report = (KafkaReport*)address;
            if (report->Topic != topic.Handle)
            {
                topic = topics.Of(report->Topic);
            }

            KafkaSend send = sends.Find(report->Opaque, out int index);
            topics.Left(topic, (int)report->Length);
            send.Outstanding--;
            if (report->Error == 0)
            {
                LastAlive = now;
                topic.Progress(now);
                send.Unfinished--;
            }
            else if (!send.Ended)
            {
                OnFailure(topic, send, index, report->Error);
            }

            sends.ReleaseIfDone(send);
        }
    }

    private void OnFailure(KafkaTopic topic, KafkaSend send, int index, int code)
    {
        if (KafkaResponse.IsPurge(code) || KafkaResponse.Judge(code) == KafkaVerdict.Wait)
        {
            topics.KeepFailed(topic, send, index, code);
            return;
        }

        _lone ??= new(options, encoder, sends, routes, reject, time, logger);
        _lone.Add(topic, send, index, code);
    }
}
