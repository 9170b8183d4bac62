using System.ComponentModel;
using System.Runtime.InteropServices;

namespace LogAgent.IntegrationTests.Support;

internal enum Signal
{
    Hup = 1,
    Kill = 9,
    Term = 15,
    Cont = 18,
    Stop = 19,
}

/// <summary>kill(2), to one process by its id.</summary>
internal static partial class Signals
{
    public static void Send(int processId, Signal signal)
    {
        if (processId <= 1)
        {
            throw new ArgumentOutOfRangeException(nameof(processId), processId, "Not a process of a test.");
        }

        if (Kill(processId, (int)signal) != 0)
        {
            throw new Win32Exception(Marshal.GetLastPInvokeError());
        }
    }

    /// <summary>Every thread of the process is stopped: state T in proc(5), the field after the name in brackets.</summary>
    public static bool IsStopped(int processId) => Directory.EnumerateDirectories($"/proc/{processId}/task").All(thread =>
    {
        string stat = File.ReadAllText(Path.Combine(thread, "stat"));
        return stat[(stat.LastIndexOf(')') + 2)..].StartsWith('T');
    });

    public static bool IsAlive(int processId) => Kill(processId, 0) == 0;

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Kill(int processId, int signal);
}
