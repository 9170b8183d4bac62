namespace LogAgent.IntegrationTests.Support;

/// <summary>The wall clock of one process, through libfaketime; its monotonic clock and the times of files stay as they are.</summary>
internal sealed class FakeClock
{
    private readonly string _file;

    /// <param name="file">Where the present offset stands; made here.</param>
    public FakeClock(string file)
    {
        _file = file;
        Jump(TimeSpan.Zero);
    }

    /// <summary>The library, or null where it is not installed.</summary>
    public static string? Library { get; } = new[] { "x86_64-linux-gnu", "aarch64-linux-gnu" }
        .Select(machine => $"/usr/lib/{machine}/faketime/libfaketimeMT.so.1").FirstOrDefault(File.Exists);

    /// <summary>The command in front of the process.</summary>
    public string[] Wrapper =>
    [
        "env", "LD_PRELOAD=" + Library, "FAKETIME_TIMESTAMP_FILE=" + _file, "FAKETIME_NO_CACHE=1",
        "FAKETIME_DONT_FAKE_MONOTONIC=1", "DONT_FAKE_MONOTONIC=1", "NO_FAKE_STAT=1",
    ];

    /// <summary>From now on the process sees the machine's time plus this.</summary>
    public void Jump(TimeSpan offset)
    {
        File.WriteAllText(_file + ".new", FormattableString.Invariant($"{(offset < TimeSpan.Zero ? "-" : "+")}{Math.Abs(offset.TotalSeconds):0}\n"));
        File.Move(_file + ".new", _file, overwrite: true);
    }
}
