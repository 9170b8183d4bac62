using System.Globalization;
using LogAgent.Tailing;

namespace LogAgent.Tests.Tailing;

/// <summary>
/// One seeded run of random operations of a log's writer, of rotation, of the agent's outputs and of crashes, and what must
/// hold in the end: every record that was written is acknowledged (but those that the model knows to be gone before anybody
/// could read them). After each step, what <see cref="TailModelCheck"/> asks.
/// </summary>
internal sealed class TailModel : IDisposable
{
    private readonly Random _random;
    private readonly TailFormat _format;
    private readonly TailRig _rig;
    private readonly TailModelCheck _check;
    private readonly List<Generation> _generations = [new()]; // the live one last
    private readonly HashSet<string> _written = [];
    private readonly HashSet<string> _mayBeLost = [];
    private readonly HashSet<string> _acknowledged = [];
    private readonly List<string> _story = [];
    private int _number;
    private string _restOfLine = "";
    private (string Text, int Number, int Left)? _pieces;
    private int _copies; // by copytruncate since the last look
    private bool _overwritten; // a copy was made over another file since the last look

    public TailModel(int seed, TailFormat format)
    {
        _random = new Random(seed);
        _format = format;
        _rig = new TailRig(new TailOptions { Slice = 512 << _random.Next(4), CheckpointInterval = TimeSpan.FromSeconds(_random.Next(3)), OpenFiles = _random.Next(3) == 0 ? 2 : 100 }) { AcknowledgeAtOnce = false };
        _check = new TailModelCheck(_rig, _written, _mayBeLost);
        _rig.Loop.Set(_rig.Target(_format));
    }

    public string Story => string.Join("\n", _story);

    public void Run(int steps)
    {
        for (int i = 0; i < steps; i++)
        {
            Step();
            _check.Check();
        }

        Do("finish", FinishLine);
        int quiet = 0;
        for (int i = 0; i < 60 && quiet < 8; i++)
        {
            int before = _rig.Records.Count;
            Do("poll to the end", _rig.Poll);
            quiet = _rig.Records.Count == before && _rig.Open.Count == 0 ? quiet + 1 : 0;
            _check.Check();
            Acknowledge(all: true);
            _rig.Clock.Advance(TimeSpan.FromSeconds(10));
        }

        List<string> missing = _written.Except(_acknowledged).Except(_mayBeLost).ToList();
        Assert.True(missing.Count == 0, $"{missing.Count} records are missing: {string.Join(", ", missing.Take(5))}");
        Assert.Equal(0, _rig.Budget.Used);
    }

    public void Dispose() => _rig.Dispose();

    private void Step()
    {
        switch (_random.Next(24))
        {
            case < 8: Do("append", () => Append(1 + _random.Next(40))); break;
            case 8: Do("half a line", HalfLine); break;
            case 9 or 10: Do("piece", Piece); break;
            case 11: Do("rotate", Rotate); break;
            case 12: Do("compress", Compress); break;
            case 13: Do("unlink", Unlink); break;
            case 14: Do("truncate", () => Truncate(copy: false)); break;
            case 15: Do("copytruncate", () => Truncate(copy: true)); break;
            case 16: Do("crash", Crash); break;
            case 17: _rig.Clock.Advance(TimeSpan.FromMilliseconds(_random.Next(1500))); break;
            case < 21: Do("poll", PollOnce); break;
            default: Do("ack", () => Acknowledge(all: _random.Next(3) == 0)); break;
        }
    }

    private void Do(string what, Action action)
    {
        int notices = _rig.Notices.Count;
        int records = _rig.Records.Count;
        int number = _number;
        action();
        string seen = _rig.Records.Count > records ? $" <- {_rig.Records[records].Text[..Math.Min(7, _rig.Records[records].Text.Length)]}..{_rig.Records[^1].Text[..Math.Min(7, _rig.Records[^1].Text.Length)]}" : "";
        string said = string.Join(" ", _rig.Notices.Skip(notices).Select(n => $"{n.Kind}({Path.GetFileName(n.Path)} {n.Bytes})"));
        _story.Add($"{what}{(_number > number ? $" {number + 1}..{_number}" : "")}{seen} {said} [{string.Join(" ", Directory.GetFiles(_rig.Logs).Select(Path.GetFileName).Order())}]{(what.StartsWith("poll", StringComparison.Ordinal) ? "\n      " + _rig.Loop.Describe() : "")}");
    }

    private void Append(int lines)
    {
        FinishHalf();
        for (int i = 0; i < lines; i++)
        {
            Write(NewLine(out _));
        }
    }

    private string NewLine(out string text)
    {
        _number++;
        text = "r" + _number.ToString("D6", CultureInfo.InvariantCulture) + new string('.', _random.Next(60));
        string stream = _format == TailFormat.DockerJson && _random.Next(4) == 0 ? "stderr" : "stdout";
        if (_pieces is not null)
        {
            stream = "stderr"; // stdout waits for its pieces
        }

        Written(text);
        return _format == TailFormat.DockerJson ? TailRig.Json(text + "\\n", stream, Time(_number)) : text + "\n";
    }

    private void Written(string text)
    {
        _written.Add(text);
        _generations[^1].Texts.Add(text);
    }

    private static string Time(int number) => string.Create(CultureInfo.InvariantCulture, $"2026-11-20T20:35:46.{number:D9}Z");

    private void HalfLine()
    {
        FinishHalf();
        string line = NewLine(out _);
        int cut = 1 + _random.Next(line.Length - 2);
        Write(line[..cut]);
        _restOfLine = line[cut..];
    }

    private void FinishHalf()
    {
        if (_restOfLine.Length > 0)
        {
            Write(_restOfLine);
            _restOfLine = "";
        }
    }

    private void Piece()
    {
        if (_format != TailFormat.DockerJson)
        {
            return;
        }

        FinishHalf();
        (string text, int number, int left) = _pieces ?? ("", ++_number, 1 + _random.Next(4));
        string piece = "r" + number.ToString("D6", CultureInfo.InvariantCulture) + "p" + left.ToString(CultureInfo.InvariantCulture) + new string('p', _random.Next(300));
        text += piece;
        Write(TailRig.Json(piece + (left == 0 ? "\\n" : ""), "stdout", Time(number)));
        if (left == 0)
        {
            Written(text);
            _pieces = null;
        }
        else
        {
            _pieces = (text, number, left - 1);
        }
    }

    private void FinishLine()
    {
        FinishHalf();
        while (_pieces is not null)
        {
            Piece();
        }
    }

    private void Write(string text) => _rig.Append(text);

    private void Rotate()
    {
        if (_random.Next(3) > 0)
        {
            FinishHalf();
        }

        FinishHalf();
        if (!File.Exists(_rig.LogPath()))
        {
            return;
        }

        foreach (string path in Rotated().OrderByDescending(p => Number(p)))
        {
            int n = Number(path);
            string to = _rig.LogPath($"app.log.{n + 1}") + (path.EndsWith(".gz", StringComparison.Ordinal) ? ".gz" : "");
            File.Move(path, to);
            if (n + 1 > 5)
            {
                File.Delete(to);
                Gone(_generations[^(n + 1)]);
            }
        }

        File.Move(_rig.LogPath(), _rig.LogPath("app.log.1"));
        _generations.Add(new());
    }

    private IEnumerable<string> Rotated() => Directory.GetFiles(_rig.Logs).Where(p => Path.GetFileName(p).Length > "app.log".Length);

    private static int Number(string path) => int.Parse(Path.GetFileName(path).Split('.')[2], CultureInfo.InvariantCulture);

    /// <summary>No name any more: only an agent that had it open may still read it.</summary>
    private void Gone(Generation generation)
    {
        generation.Nameless = true;
        if (!generation.Held || generation.Compressed)
        {
            _mayBeLost.UnionWith(generation.Texts);
            JoinedAcross(generation);
        }
    }

    private void JoinedAcross(Generation generation)
    {
        // A record in pieces counts for the generation of its last one, but may begin in this one.
        int at = _generations.IndexOf(generation);
        for (int i = at; i < Math.Min(at + 5, _generations.Count); i++)
        {
            _mayBeLost.UnionWith(_generations[i].Texts.Where(t => t.Contains('p', StringComparison.Ordinal)));
        }

        _mayBeLost.UnionWith(_nameless.SelectMany(g => g.Texts).Where(t => t.Contains('p', StringComparison.Ordinal)));
    }

    private void Compress()
    {
        if (_overwritten)
        {
            return; // overwritten and deleted between two looks: what is left in the handle cannot be known
        }

        string? path = Rotated().Where(p => !p.EndsWith(".gz", StringComparison.Ordinal)).Order().FirstOrDefault();
        if (path is not null)
        {
            TailRig.Compress(path);
        }
    }

    private void Unlink()
    {
        FinishLine();
        if (!File.Exists(_rig.LogPath()) || _copies > 1 || _overwritten)
        {
            return; // copied twice and deleted between two looks: where what is left in the handle belongs cannot be known
        }

        File.Delete(_rig.LogPath());
        Generation gone = _generations[^1];
        _generations.RemoveAt(_generations.Count - 1);
        gone.Nameless = true;
        _nameless.Add(gone);
        if (!gone.Held)
        {
            _mayBeLost.UnionWith(gone.Texts);
        }

        _generations.Add(new());
    }

    private readonly List<Generation> _nameless = [];

    private void Truncate(bool copy)
    {
        FinishLine();
        if (!File.Exists(_rig.LogPath()))
        {
            return;
        }

        if (copy && File.Exists(_rig.LogPath("app.log.1")) && _random.Next(3) == 0)
        {
            // Over the copy or generation before, of which nothing is left.
            File.WriteAllBytes(_rig.LogPath("app.log.1"), File.ReadAllBytes(_rig.LogPath()));
            _mayBeLost.UnionWith(_generations[^2].Texts);
            JoinedAcross(_generations[^2]);
            _generations.RemoveAt(_generations.Count - 2);
            _overwritten = true;
        }
        else if (copy)
        {
            foreach (string path in Rotated().OrderByDescending(Number))
            {
                File.Move(path, _rig.LogPath($"app.log.{Number(path) + 1}") + (path.EndsWith(".gz", StringComparison.Ordinal) ? ".gz" : ""));
            }

            File.Copy(_rig.LogPath(), _rig.LogPath("app.log.1"));
            _copies++;
        }

        using (FileStream stream = new(_rig.LogPath(), FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
        {
            stream.SetLength(0);
        }

        // What was not acknowledged may have to be read again after a crash, and what was not read is gone.
        _mayBeLost.UnionWith(_generations[^1].Texts.Except(_acknowledged));
        Generation next = new() { Held = _generations[^1].Held };
        if (copy)
        {
            _generations.Add(next);
        }
        else
        {
            _generations[^1] = next;
        }
    }

    private void PollOnce()
    {
        PollResult result = _rig.Loop.PollOnce();
        _copies = 0;
        _overwritten = false;
        Assert.False(result.OutOfMemory);
        foreach (Generation generation in _generations.Where(g => !g.Nameless))
        {
            generation.Held = _rig.Options.OpenFiles > 10 && (generation != _generations[^1] || File.Exists(_rig.LogPath()));
        }
    }

    private void Acknowledge(bool all)
    {
        foreach (LogBatch batch in _rig.Open.OrderBy(_ => _random.Next()).ToList())
        {
            if (all || _random.Next(2) == 0)
            {
                _acknowledged.UnionWith(_check.TextsOf(batch));
                _rig.Open.Remove(batch);
                batch.Acknowledge();
            }
        }

        _check.Acknowledged();
    }

    private void Crash()
    {
        _rig.Crash();
        _check.Crashed();
        foreach (Generation generation in _generations.Concat(_nameless))
        {
            generation.Held = false;
            if (generation.Nameless)
            {
                _mayBeLost.UnionWith(generation.Texts);
                if (_generations.Contains(generation))
                {
                    JoinedAcross(generation);
                }
            }
        }

        _rig.Loop.Set(_rig.Target(_format));
    }

    private sealed class Generation
    {
        public List<string> Texts { get; } = [];

        /// <summary>The agent has its handle.</summary>
        public bool Held { get; set; }

        public bool Nameless { get; set; }

        public bool Compressed { get; set; }
    }
}
