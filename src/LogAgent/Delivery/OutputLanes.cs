using System.Runtime.CompilerServices;
using LogAgent.Tailing;

namespace LogAgent.Delivery;

/// <summary>The lanes of one output: a target's records all go through one of them. Thread-safe.</summary>
internal sealed class OutputLanes
{
    private readonly Func<TailTarget, string>? _laneOf;
    private readonly TimeProvider _time;
    private readonly Lock _gate = new();
    private readonly ConditionalWeakTable<TailTarget, Lane> _byTarget = [];
    private readonly Dictionary<string, WeakReference<Lane>> _byName = new(StringComparer.Ordinal);
    private readonly Lane? _only;
    private int _pruneAt = 64;

    /// <param name="laneOf">Names the lane of a target's records; null where the output has one for all.</param>
    public OutputLanes(Func<TailTarget, string>? laneOf, TimeProvider time)
    {
        _laneOf = laneOf;
        _time = time;
        _only = laneOf is null ? new(this, time) : null;
    }

    /// <summary>One lane takes everything.</summary>
    public bool IsSingle => _only is not null;

    /// <summary>A lane that had no room when it was asked has let something go since. The worker's loop sets and clears it.</summary>
    public bool RoomMade { get; set; }

    public Lane Of(TailTarget target)
    {
        if (_only is not null)
        {
            return _only;
        }

        if (_byTarget.TryGetValue(target, out Lane? lane))
        {
            return lane;
        }

        lock (_gate)
        {
            lane = Named(_laneOf!(target));
            _byTarget.AddOrUpdate(target, lane);
            return lane;
        }
    }

    /// <summary>Containers come and go: a lane lives as long as a target of it does, or something that it holds.</summary>
    private Lane Named(string name)
    {
        if (_byName.TryGetValue(name, out WeakReference<Lane>? known) && known.TryGetTarget(out Lane? lane))
        {
            return lane;
        }

        if (_byName.Count >= _pruneAt)
        {
            foreach ((string old, WeakReference<Lane> reference) in _byName)
            {
                if (!reference.TryGetTarget(out _))
                {
                    _byName.Remove(old);
                }
            }

            _pruneAt = Math.Max(64, _byName.Count * 2);
        }

        lane = new(this, _time);
        _byName[name] = new(lane);
        return lane;
    }
}
