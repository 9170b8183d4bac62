using System.Diagnostics;

namespace LogAgent.IntegrationTests.Support;

/// <summary>Waits on conditions, never on times: each wait ends as soon as its condition holds, and fails at a generous deadline.</summary>
internal static class Until
{
    /// <summary>Long enough for a slow machine under load; nobody waits for it when the condition holds.</summary>
    public static readonly TimeSpan Deadline = TimeSpan.FromSeconds(200);

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

    /// <param name="what">What is waited for, for the failure: "20000 records stored".</param>
    /// <param name="context">Added to the failure: how far it came, the end of a log.</param>
    public static Task TrueAsync(Func<bool> condition, string what, Func<string>? context = null, TimeSpan? deadline = null) =>
        TrueAsync(() => Task.FromResult(condition()), what, context, deadline);

    public static async Task TrueAsync(Func<Task<bool>> condition, string what, Func<string>? context = null, TimeSpan? deadline = null)
    {
        TimeSpan limit = deadline ?? Deadline;
        var clock = Stopwatch.StartNew();
        while (!await condition())
        {
            if (clock.Elapsed > limit)
            {
                Assert.Fail($"Not after {limit.TotalSeconds:0} s: {what}.{Environment.NewLine}{context?.Invoke()}");
            }

            await PauseAsync();
        }
    }

    /// <summary>One pause between two looks.</summary>
    public static Task PauseAsync() => Task.Delay(Pause, TimeProvider.System);

    /// <summary>Waits while something is under way that a test wants to interrupt; what it asserts must not depend on how long this really took.</summary>
    public static Task LoadAsync(int milliseconds) => Task.Delay(TimeSpan.FromMilliseconds(milliseconds), TimeProvider.System);
}
