namespace LogAgent.Delivery;

/// <summary>How an output does by its own knowledge, where records wait inside of it instead of coming back.</summary>
/// <param name="Up">False while nothing at all gets through.</param>
/// <param name="Since">Since when records wait; null where none does for longer than it should.</param>
/// <param name="Trouble">Why, as a sentence; empty where none does.</param>
internal sealed record OutputCondition(bool Up, DateTimeOffset? Since, string Trouble)
{
    public static OutputCondition Well { get; } = new(true, null, "");
}
