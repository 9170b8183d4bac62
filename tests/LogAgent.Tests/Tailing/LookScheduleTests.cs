using LogAgent.Tailing;
using LogAgent.Tests.Support;

namespace LogAgent.Tests.Tailing;

/// <summary>How often all files are looked at beside what inotify tells.</summary>
public sealed class LookScheduleTests : IDisposable
{
    private readonly TestClock _clock = new();
    private readonly TailContext _context;
    private readonly LookSchedule _looks;

    public LookScheduleTests()
    {
        _context = new(new TailOptions(), new MemoryBudget(1 << 20), _clock, new Lock(), static _ => { }, static _ => { })
        {
            Completed = static (_, _) => { },
            Held = new HeldFiles(_clock, 1),
        };
        _looks = new LookSchedule(_context);
    }

    public void Dispose() => _context.Held.Dispose();

    [Fact]
    public void The_first_look_is_due_at_once() => Assert.True(_looks.IsDue);

    [Fact]
    public void Looks_that_find_nothing_new_grow_rarer_up_to_one_a_second() => Assert.Equal([500, 1000, 1000, 1000], [Look(false), Look(false), Look(false), Look(false)]);

    [Fact]
    public void A_look_that_finds_what_nothing_told_of_makes_them_frequent_again() => Assert.Equal([500, 1000, 250, 500], [Look(false), Look(false), Look(true), Look(false)]);

    /// <summary>One look, and the milliseconds until the next one is due.</summary>
    private int Look(bool needed)
    {
        _looks.Looked(needed);
        int waited = 0;
        for (; !_looks.IsDue; waited += 10)
        {
            _clock.Advance(TimeSpan.FromMilliseconds(10));
            _context.Timestamp = _clock.GetTimestamp();
        }

        return waited;
    }
}
