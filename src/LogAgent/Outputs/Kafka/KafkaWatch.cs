using LogAgent.Delivery;

namespace LogAgent.Outputs.Kafka;

/// <summary>
/// Notices topics whose records wait and says so, at most once a minute and with the most telling cause at hand: a refusal of
/// the topic, what the brokers say about it, or the last error of a connection. Used by the pump's thread.
/// </summary>
internal sealed class KafkaWatch(KafkaOptions options, TimeProvider time, ILogger logger)
{
    private const int AllBrokersDown = -187;
    private static readonly TimeSpan Pause = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly List<KafkaTopic> _stalled = [];
    private long _lastLook = time.GetTimestamp();
    private long _lastSaid;
    private long _lastAccess;
    private long _lastError;
    private int _errorCode;
    private string _errorText = "";
    private Task<KafkaClusterView>? _asking;
    private volatile OutputCondition _condition = OutputCondition.Well;

    /// <summary>Why records wait, and since when. Read from any thread.</summary>
    public OutputCondition Condition => _condition;

    /// <summary>Takes an error that librdkafka reports about its connections.</summary>
    public void OnError(int code, string text)
    {
        long now = time.GetTimestamp();
        bool fresh = _errorText.Length > 0 && time.GetElapsedTime(_lastError, now) < Pause;

        // "All brokers are down" follows the error that says why.
        if (code == AllBrokersDown && fresh)
        {
            return;
        }

        if (KafkaResponse.IsAccess(_errorCode) && fresh && !KafkaResponse.IsAccess(code))
        {
            return;
        }

        (_errorCode, _errorText, _lastError) = (code, KafkaResponse.ExplainConnection(code, text, options), now);
        if (KafkaResponse.IsAccess(code) && (_lastAccess == 0 || time.GetElapsedTime(_lastAccess, now) >= Pause))
        {
            _lastAccess = now;
            _condition = new(false, time.GetUtcNow(), _errorText);
            KafkaLog.NoAccess(logger, options.Name, _errorText);
        }
    }

    /// <summary>Looks at the topics, once a second however often it is called.</summary>
    public void Look(IReadOnlyCollection<KafkaTopic> topics, KafkaProducer producer)
    {
        long now = time.GetTimestamp();
        if (time.GetElapsedTime(_lastLook, now) < Interval)
        {
            return;
        }

        _lastLook = now;
        _stalled.Clear();
        foreach (KafkaTopic topic in topics)
        {
            bool waits = topic.InFlight + topic.Backlog > 0;
            if (waits && time.GetElapsedTime(topic.LastProgress, now) >= options.TroubleAfter)
            {
                _stalled.Add(topic);
            }
            else if (topic.Reported)
            {
                topic.Reported = false;
                KafkaLog.GoesOn(logger, options.Name, topic.Name);
            }
        }

        if (_stalled.Count == 0)
        {
            _condition = _lastAccess != 0 && topics.All(topic => topic.LastProgress <= _lastAccess) ? _condition : OutputCondition.Well;
            return;
        }

        Ask(producer);
        if (_asking is null or { IsCompleted: true })
        {
            Say(topics, now);
        }
    }

    /// <summary>Waits for a question under way: the producer may be disposed afterwards.</summary>
    public void Settle()
    {
        _asking?.Wait();
        _asking = null;
    }

    private bool IsTimeToSay(long now) => _lastSaid == 0 || time.GetElapsedTime(_lastSaid, now) >= Pause;

    private void Ask(KafkaProducer producer)
    {
        KafkaTopic first = _stalled[0];
        if (_asking is null && first.Handle != 0 && first.Problem == 0 && IsTimeToSay(_lastLook))
        {
            (nint native, nint handle, string name) = (producer.Native, first.Handle, first.Name);
            _asking = Task.Run(() => KafkaClusterView.Ask(native, handle, name, TimeSpan.FromSeconds(2)));
        }
    }

    private void Say(IReadOnlyCollection<KafkaTopic> topics, long now)
    {
        KafkaClusterView? view = _asking?.Result;
        _asking = null;
        string cause = Cause(view, now);
        TimeSpan waited = time.GetElapsedTime(_stalled.Min(topic => topic.LastProgress), now);
        bool anyMoves = topics.Any(topic => time.GetElapsedTime(topic.LastProgress, now) < options.TroubleAfter);
        _condition = new(anyMoves, time.GetUtcNow() - waited, cause);
        foreach (KafkaTopic topic in _stalled)
        {
            topic.Reported = true;
        }

        if (!IsTimeToSay(now))
        {
            return;
        }

        _lastSaid = now;
        string names = string.Join(", ", _stalled.Take(3).Select(topic => $"topic '{topic.Name}'"));
        string which = _stalled.Count > 3 ? $"{names} and {_stalled.Count - 3} more" : names;
        KafkaLog.Waiting(logger, options.Name, _stalled.Sum(topic => (long)topic.InFlight + topic.Backlog), which, (int)waited.TotalSeconds, cause);
    }

    private string Cause(KafkaClusterView? view, long now)
    {
        if (_stalled[0].Problem != 0)
        {
            return KafkaResponse.Explain(_stalled[0].Problem);
        }

        if (view is { Problem.Length: > 0 })
        {
            return view.Problem;
        }

        if (_errorText.Length > 0 && time.GetElapsedTime(_lastError, now) < Pause * 2)
        {
            return _errorText;
        }

        return view is null ? _condition.Trouble : "the brokers answer and do not acknowledge: look for replicas out of sync, or an overloaded broker";
    }
}
