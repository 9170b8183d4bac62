namespace LogAgent.Outputs.Kafka;

/// <summary>The sends under way by the number that each delivery report carries. Used by the pump's thread.</summary>
internal sealed class KafkaSendTable
{
    private readonly Stack<int> _free = new();
    private KafkaSend?[] _slots = new KafkaSend?[64];
    private int _used;

    /// <summary>A record's number: its send's slot, and its index in the group.</summary>
    public static nint Opaque(KafkaSend send, int index) => (nint)(((long)send.Slot << 32) | (uint)index);

    public void Add(KafkaSend send)
    {
        if (!_free.TryPop(out int slot))
        {
            slot = _used++;
            if (slot == _slots.Length)
            {
                Array.Resize(ref _slots, _slots.Length * 2);
            }
        }

        send.Slot = slot;
        _slots[slot] = send;
    }

    public KafkaSend Find(nint opaque, out int index)
    {
        index = (int)(opaque & 0xFFFFFFFF);
        return _slots[(int)(opaque >> 32)] ?? throw new InvalidOperationException("A delivery report came for a send that is not under way.");
    }

    /// <summary>Completes the send where it is done, and frees its slot where librdkafka holds nothing of it.</summary>
    public void ReleaseIfDone(KafkaSend send)
    {
        if ((send.TryFinish() || send.Ended) && send.Outstanding == 0)
        {
            Release(send);
        }
    }

    /// <summary>Ends each send that is not ended.</summary>
    public void EndAll(Action<KafkaSend> end)
    {
        for (int slot = 0; slot < _used; slot++)
        {
            if (_slots[slot] is { } send)
            {
                if (!send.Ended)
                {
                    end(send);
                }

                ReleaseIfDone(send);
            }
        }
    }

    /// <summary>Fails each send of which librdkafka holds nothing.</summary>
    public void FailIdle(Exception trouble)
    {
        for (int slot = 0; slot < _used; slot++)
        {
            if (_slots[slot] is { Outstanding: 0, Ended: false } send)
            {
                send.Fail(trouble);
                Release(send);
            }
        }
    }

    private void Release(KafkaSend send)
    {
        if (ReferenceEquals(_slots[send.Slot], send))
        {
            _slots[send.Slot] = null;
            _free.Push(send.Slot);
        }
    }
}
