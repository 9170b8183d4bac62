using System.Runtime.InteropServices;
using LogAgent.Delivery;

namespace LogAgent.Outputs;

/// <summary>
/// Writes to a file descriptor and says when that fails. The framework's console stream takes a closed pipe for success, and
/// what it has taken then would count as delivered. The descriptor stays open.
/// </summary>
internal sealed partial class StandardOutput(int descriptor)
{
    private const int Interrupted = 4;
    private const int InputOutput = 5;
    private const int Again = 11;
    private const int BrokenPipe = 32;
    private const short PollOut = 4;

    public bool IsTerminal => IsATty(descriptor) == 1;

    /// <summary>Writes all of it; waits where the reader is slow.</summary>
    /// <exception cref="OutputClosedException">The reader of the pipe, or the terminal, is gone.</exception>
    /// <exception cref="SendException">Anything else, a full disk behind a redirection among it.</exception>
    public void Write(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            nint written = Write(descriptor, bytes, (nuint)bytes.Length);
            if (written >= 0)
            {
                bytes = bytes[(int)written..];
                continue;
            }

            int error = Marshal.GetLastPInvokeError();
            switch (error)
            {
                case Interrupted:
                    break;
                case Again:
                    // The descriptor was set to non-blocking by someone who shares it.
                    Descriptor[] wait = [new() { Number = descriptor, Events = PollOut }];
                    _ = Poll(wait, 1, 1000);
                    break;
                case BrokenPipe or InputOutput:
                    throw new OutputClosedException("The reader of standard output has gone.");
                default:
                    throw new SendException(SendTrouble.Refused, $"Standard output cannot be written: {Marshal.GetPInvokeErrorMessage(error)}.");
            }
        }
    }

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    private static partial nint Write(int descriptor, ReadOnlySpan<byte> bytes, nuint count);

    [LibraryImport("libc", EntryPoint = "isatty")]
    private static partial int IsATty(int descriptor);

    [LibraryImport("libc", EntryPoint = "poll")]
    private static partial int Poll([In, Out] Descriptor[] descriptors, nuint count, int milliseconds);

    [StructLayout(LayoutKind.Sequential)]
    private struct Descriptor
    {
        public int Number;
        public short Events;
        public short Happened;
    }
}
