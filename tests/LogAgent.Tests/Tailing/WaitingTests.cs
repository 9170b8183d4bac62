using LogAgent.Tailing;

namespace LogAgent.Tests.Tailing;

/// <summary>How long bytes wait for the outputs, and acknowledgements for the disk.</summary>
public sealed class WaitingTests : IDisposable
{
    private readonly TailRig _rig = new() { AcknowledgeAtOnce = false };

    public void Dispose() => _rig.Dispose();

    [Fact]
    public void Bytes_wait_until_they_are_acknowledged()
    {
        _rig.AppendLines(0, 2);
        _rig.Loop.Set(_rig.Target());
        _rig.Poll();
        _rig.Clock.Advance(TimeSpan.FromSeconds(40));
        _rig.AppendLines(2, 2);
        _rig.Poll();
        Assert.Equal(40, Waits());
        LogBatch first = _rig.Open[0];
        _rig.Open.Remove(first);
        first.Acknowledge();
        _rig.Poll();
        Assert.Equal(0, Waits());
        _rig.Clock.Advance(TimeSpan.FromSeconds(5));
        _rig.Poll();
        Assert.Equal(5, Waits());
        _rig.AcknowledgeAll();
        _rig.Poll();
        _rig.Clock.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal(0, Waits());
    }

    [Fact]
    public void The_checkpoint_grows_old_while_it_cannot_be_written()
    {
        _rig.AppendLines(0, 2);
        _rig.Loop.Set(_rig.Target());
        _rig.Poll();
        Assert.Equal(TimeSpan.Zero, _rig.Loop.CheckpointAge);
        string temporary = Path.Combine(_rig.State, "checkpoints.tmp");
        Directory.CreateDirectory(temporary);
        _rig.AcknowledgeAll();
        _rig.Poll();
        _rig.Clock.Advance(TimeSpan.FromSeconds(70));
        Assert.Equal(70, Math.Round(_rig.Loop.CheckpointAge.TotalSeconds, 3));
        Directory.Delete(temporary);
        _rig.Poll();
        Assert.Equal(TimeSpan.Zero, _rig.Loop.CheckpointAge);
    }

    private double Waits() => Math.Round(Assert.Single(_rig.Loop.Files).Waits.TotalSeconds, 3);
}
