using System.Runtime.CompilerServices;
using LogAgent.Tailing;

namespace LogAgent.Outputs.Kafka;

/// <summary>The route of each target, worked out once; it goes with its target.</summary>
internal sealed class KafkaRoutes(KafkaOptions options)
{
    private readonly ConditionalWeakTable<TailTarget, KafkaRoute> _routes = [];

    public KafkaRoute Of(TailTarget target) =>
        _routes.TryGetValue(target, out KafkaRoute? route) ? route : _routes.GetValue(target, key => KafkaRoute.Of(key, options));
}
