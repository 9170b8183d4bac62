using LogAgent.Tailing;

namespace LogAgent.Tests.Tailing;

/// <summary>Invariant I2: records of one file are first offered in file order, across rotation too; each carries its offset.</summary>
public class FileOrderInvariantI2Tests
{
    [Theory]
    [InlineData(TailFormat.DockerJson)]
    [InlineData(TailFormat.PlainText)]
    public void Order_and_offsets_hold_over_many_rotations_and_a_crash(TailFormat format)
    {
        using TailRig rig = new(new TailOptions { Slice = 1024, CheckpointInterval = TimeSpan.Zero });
        rig.Loop.Set(rig.Target(format));
        List<string> written = [];
        for (int generation = 0; generation < 12; generation++)
        {
            for (int i = 0; i < 3; i++)
            {
                string text = $"line {generation:D2}-{i}";
                written.Add(text);
                rig.Append(format == TailFormat.DockerJson ? TailRig.Json(text + "\\n", time: $"2026-11-20T20:35:{generation:D2}.{i}Z") : text + "\n");
            }

            if (generation % 3 == 1)
            {
                rig.Loop.PollOnce();
            }

            if (generation == 6)
            {
                rig.Crash();
                rig.Loop.Set(rig.Target(format));
            }

            for (int n = generation; n > 0; n--)
            {
                rig.Rename($"app.log.{n}", $"app.log.{n + 1}");
            }

            rig.Rename("app.log", "app.log.1");
        }

        for (int i = 0; i < 40; i++)
        {
            rig.Poll();
            rig.Clock.Advance(TimeSpan.FromSeconds(10));
        }

        Assert.Equal(written, rig.Texts);
        Assert.Equal(rig.Records.Select(r => r.Sequence).Order(), rig.Records.Select(r => r.Sequence));
        Assert.All(rig.Records.Zip(rig.Records.Skip(1)), p => Assert.True(p.First.Offset < p.Second.Offset || p.Second.Offset == 0));
        Assert.Equal(written.Count, rig.Records.Select(r => r.Id).Distinct().Count());
    }
}
