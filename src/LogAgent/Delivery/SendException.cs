namespace LogAgent.Delivery;

/// <summary>What kind of trouble kept a whole group from being delivered.</summary>
internal enum SendTrouble
{
    /// <summary>No connection, a reset, a timeout, an answer that makes no sense.</summary>
    Unreachable,

    /// <summary>The receiver asks for less (429, 503).</summary>
    Throttled,

    /// <summary>The receiver does not know us or does not let us (401, 403).</summary>
    Unauthorized,

    /// <summary>The receiver cannot take anything of this for now (no such topic, a full disk).</summary>
    Refused,
}

/// <summary>The whole group was not delivered and is to be kept and sent again. The message is a sentence for an ops person: what, where, what to do.</summary>
internal sealed class SendException(SendTrouble trouble, string message, Exception? inner = null) : Exception(message, inner)
{
    public SendTrouble Trouble => trouble;
}
