using LogAgent.Delivery;
using Microsoft.Win32.SafeHandles;

namespace LogAgent;

/// <summary>
/// The agent's own directory (state.directory), held by one agent at a time: checkpoints and dead letters stand in it.
/// It owns the lock, which ends with the process, too.
/// </summary>
internal sealed class StateDirectory : IDisposable
{
    private readonly SafeFileHandle _lock;

    private StateDirectory(string path, SafeFileHandle held)
    {
        Path = path;
        _lock = held;
    }

    public string Path { get; }

    /// <summary>Makes the directory where it is missing, for its owner alone, proves that it can be written, and takes its lock.</summary>
    /// <returns>The directory, or null with a sentence in <paramref name="problem"/>.</returns>
    public static StateDirectory? TryOpen(string path, out string problem)
    {
        SafeFileHandle? held;
        try
        {
            Durable.CreatePrivateDirectory(path);
            held = Durable.Lock(System.IO.Path.Combine(path, "lock"), wait: false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            problem = $"The state directory {path} cannot be used: {e.Message} Give the agent's user the right to write there, or set state.directory to a directory that it owns.";
            return null;
        }

        if (held is null)
        {
            problem = $"Another logagent holds the state directory {path}. Two agents cannot share one: stop the other one, or set state.directory to another directory.";
            return null;
        }

        problem = "";
        return new StateDirectory(path, held);
    }

    public void Dispose() => _lock.Dispose();
}
