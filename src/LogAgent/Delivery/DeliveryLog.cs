
namespace LogAgent.Delivery;

/// <summary>What delivery says in the agent's own log.</summary>
internal static partial class DeliveryLog
{
    [LoggerMessage(Level = LogLevel.Warning, Message = "Output {Output} has trouble: {What} Its records are kept and sent again.")]
    public static partial void TroubleBegan(ILogger logger, string output, string what);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Output {Output} still has trouble, since {Since:yyyy-MM-ddTHH:mm:ssZ}: {What}")]
    public static partial void TroubleGoesOn(ILogger logger, string output, DateTimeOffset since, string what);

    [LoggerMessage(Level = LogLevel.Information, Message = "Output {Output} works again after {Seconds} s of trouble.")]
    public static partial void TroubleIsOver(ILogger logger, string output, long seconds);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Output {Output} rejected {Records} records for good; they are in the dead letters. The reason of one of them is {Reason}: {Detail}")]
    public static partial void Rejected(ILogger logger, string output, long records, string reason, string detail);

    [LoggerMessage(Level = LogLevel.Error, Message = "Output {Output} has been down for longer than skip_after ({SkipAfter}): from now on its records are skipped and counted as lost, until it is back. The other outputs go on.")]
    public static partial void SkippingBegan(ILogger logger, string output, TimeSpan skipAfter);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Output {Output} is back. {Records} records ({Bytes} bytes of messages) were skipped while it was down; gap records say so in the places of the missing ones.")]
    public static partial void SkippingEnded(ILogger logger, string output, long records, long bytes);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Output {Output} stopped with {Records} records not delivered. They are not acknowledged: the next start reads and sends them again.")]
    public static partial void Abandoned(ILogger logger, string output, long records);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Output {Output} was removed from the configuration with {Records} records not delivered; they count as lost for it.")]
    public static partial void Removed(ILogger logger, string output, long records);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The dead letters in {Directory} exceed dead_letters.max_bytes ({MaxBytes}): the oldest file was dropped with {Letters} records. Replay or remove what is there, or allow more.")]
    public static partial void DeadLettersDropped(ILogger logger, string directory, long maxBytes, long letters);
}
