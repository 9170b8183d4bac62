namespace LogAgent.Delivery;

/// <summary>
/// The receiver is gone and will not come back, and that is no failure (the reader of our pipe has ended, as with
/// <c>| head</c>): the worker's loop ends with it, and the agent stops in good order with exit code 0.
/// </summary>
internal sealed class OutputClosedException(string message, Exception? inner = null) : Exception(message, inner);
