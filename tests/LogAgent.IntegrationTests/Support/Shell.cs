using System.Diagnostics;

namespace LogAgent.IntegrationTests.Support;

/// <summary>What a command left behind.</summary>
internal sealed record ShellResult(int ExitCode, string Output, string Error)
{
    /// <summary>The output without its final line ending; fails the test when the command has failed.</summary>
    public string Text(string command) =>
        ExitCode == 0 ? Output.TrimEnd('\n') : throw new InvalidOperationException($"{command} ended with {ExitCode}: {Error}{Output}");
}

/// <summary>Runs a command to its end; it is killed with all its children at the deadline.</summary>
internal static class Shell
{
    public static async Task<ShellResult> TryAsync(string file, IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment = null, TimeSpan? deadline = null)
    {
        var start = new ProcessStartInfo(file, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        foreach ((string name, string value) in environment ?? new Dictionary<string, string>())
        {
            start.Environment[name] = value;
        }

        using Process process = Process.Start(start) ?? throw new InvalidOperationException($"{file} did not start.");
        process.StandardInput.Close();
        using var limit = new CancellationTokenSource(deadline ?? TimeSpan.FromSeconds(180));
        Task<string> output = process.StandardOutput.ReadToEndAsync(limit.Token);
        Task<string> error = process.StandardError.ReadToEndAsync(limit.Token);
        try
        {
            await process.WaitForExitAsync(limit.Token);
            return new ShellResult(process.ExitCode, await output, await error);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"{file} {string.Join(' ', arguments)} did not end in time.");
        }
    }

    /// <summary>As <see cref="TryAsync"/>, but the command has to succeed; gives its output.</summary>
    public static async Task<string> RunAsync(string file, params string[] arguments) =>
        (await TryAsync(file, arguments)).Text($"{file} {string.Join(' ', arguments)}");
}
