namespace LogAgent.Outputs.Kafka;

/// <summary>
/// What the pump knows of one topic: how much of it librdkafka holds, and which records wait outside of it, because the topic
/// refuses them for now or has used up its share of the queue. Records are taken back in the order in which they came.
/// </summary>
internal sealed class KafkaTopic(string name)
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(30);

    /// <summary>While a topic fails, this many records find out whether it is well again.</summary>
    private const int Probe = 100;

    private TimeSpan _pause = FirstPause;

    public string Name => name;

    /// <summary>The handle in the main producer; 0 before the first use.</summary>
    public nint Handle { get; set; }

    public int InFlight { get; set; }

    /// <summary>Bytes of the queue that it fills, with what librdkafka keeps beside each document.</summary>
    public long InFlightBytes { get; set; }

    /// <summary>Largest document that the topic is known to take.</summary>
    public int Room { get; set; } = int.MaxValue;

    /// <summary>Offered and refused for now; they go before <see cref="Later"/>.</summary>
    public Queue<(KafkaSend Send, int Index)> Failed { get; } = new();

    /// <summary>Not yet offered.</summary>
    public Queue<(KafkaSend Send, int Index)> Later { get; } = new();

    public int Backlog => Failed.Count + Later.Count;

    /// <summary>When the topic may be tried again, as a timestamp of the time provider.</summary>
    public long NotBefore { get; private set; }

    /// <summary>When a record was last acknowledged, or the first of those that wait was offered.</summary>
    public long LastProgress { get; set; }

    /// <summary>The last refusal; 0 where there is none since the last acknowledged record.</summary>
    public int Problem { get; private set; }

    /// <summary>True where an ops person was told that the topic's records wait.</summary>
    public bool Reported { get; set; }

    /// <summary>How many records may be offered in this round.</summary>
    public int Allowance => Problem == 0 ? int.MaxValue : Math.Max(0, Probe - InFlight);

    public void Progress(long now)
    {
        LastProgress = now;
        if (Problem != 0)
        {
            Problem = 0;
            NotBefore = 0;
            _pause = FirstPause;
        }
    }

    /// <summary>The topic refused a record for now; it is tried again after a pause that grows up to half a minute.</summary>
    public void Refuse(int problem, long now, long frequency)
    {
        if (now < NotBefore)
        {
            return;
        }

        _pause = Problem == 0 ? FirstPause : TimeSpan.FromTicks(Math.Min(_pause.Ticks * 2, LongestPause.Ticks));
        NotBefore = now + (long)(_pause.TotalSeconds * frequency);
        Problem = problem;
    }

    /// <summary>Drops what waits of sends that have ended.</summary>
    public void DropEnded()
    {
        foreach (Queue<(KafkaSend Send, int Index)> queue in (Queue<(KafkaSend Send, int Index)>[])[Failed, Later])
        {
            for (int left = queue.Count; left > 0; left--)
            {
                (KafkaSend send, int index) = queue.Dequeue();
                if (!send.Ended)
                {
                    queue.Enqueue((send, index));
                }
            }
        }
    }

    /// <summary>The main producer is gone, and with it what it held.</summary>
    public void Detach()
    {
        Handle = 0;
        InFlight = 0;
        InFlightBytes = 0;
    }
}
