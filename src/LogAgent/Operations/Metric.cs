namespace LogAgent.Operations;

internal enum MetricType
{
    /// <summary>Only grows; its name ends in _total.</summary>
    Counter,
    Gauge,
}

/// <summary>One value of a metric at one moment.</summary>
/// <param name="Name">logagent_(thing)_(unit)_total, or without _total for a gauge. Base units: bytes, seconds.</param>
/// <param name="Help">One sentence; that of a name's first value is shown.</param>
/// <param name="Labels">Bounded in number: never a path, never a container that is gone.</param>
internal readonly record struct Metric(string Name, string Help, MetricType Type, double Value, params (string Name, string Value)[] Labels);
