using LogAgent.Configuration;
using LogAgent.Enrichment;
using LogAgent.Tailing;

namespace LogAgent.Containers;

/// <summary>
/// Log files on the host: those that containers claim, and those that the section files names. A file is one target however many
/// claims see it. Its records carry the fields of the claim of the container that was created earliest; where that one goes, of the
/// next; a claim of the section files comes last. A target ends when its file, and each rotated generation of it, has been gone for
/// 10 s, or 10 s after the last container that claims it was destroyed; the tail loop then reads it to its end.
/// </summary>
internal sealed partial class FileTargets
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan EagerInterval = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan EagerTime = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(10);

    /// <summary>Looking at all claims takes at most a part in this many of the time, however large the trees are.</summary>
    private const int LookShare = 20;

    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly FollowedFiles _followed;
    private readonly Lock _gate = new();
    private readonly Dictionary<string, ClaimState> _claims = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim _wake = new(0, 1);
    private int _ruleCount;

    /// <param name="rules">The section files.</param>
    /// <param name="firstStart">No checkpoint is there: start_at of a rule applies to the files that exist already.</param>
    /// <param name="set">A target is there or its fields changed: the tail loop's Set. Called under this object's lock.</param>
    /// <param name="remove">A target is gone: the tail loop's Remove. Called under this object's lock.</param>
    public FileTargets(IReadOnlyList<FilesOptions> rules, ContainerFields fields, bool firstStart, Action<TailTarget> set, Action<string> remove, TimeProvider time, ILogger<FileTargets> logger)
    {
        _followed = new FollowedFiles(set, remove);
        _time = time;
        _logger = logger;
        SetRules(rules, fields, firstStart);
    }

    /// <summary>Files that are followed; for the status page. Thread-safe.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _followed.Count;
            }
        }
    }

    /// <summary>Whether the file of a target is there, read or not.</summary>
    public static bool IsThere(string targetId) =>
        targetId.StartsWith(FollowedFiles.TargetPrefix, StringComparison.Ordinal) && File.Exists(targetId[FollowedFiles.TargetPrefix.Length..]);

    /// <summary>Takes over a changed section files, or changed fields: files that are still followed are read on. Thread-safe.</summary>
    public void Configure(IReadOnlyList<FilesOptions> rules, ContainerFields fields)
    {
        int before = _ruleCount;
        SetRules(rules, fields, firstStart: true);
        for (int i = rules.Count; i < before; i++)
        {
            Release(RuleId(i));
        }
    }

    /// <summary>Adds a claim or replaces the one with its id, and looks for its files before it returns. Thread-safe.</summary>
    public void Claim(FileClaim claim)
    {
        lock (_gate)
        {
            if (!_claims.TryGetValue(claim.Id, out ClaimState? state))
            {
                _claims[claim.Id] = state = new ClaimState(claim);
            }

            state.Claim = claim;
            state.Released = null;
            state.EagerUntil = _time.GetUtcNow() + EagerTime;
            _followed.Renew(state);
            Look(state);
        }

        Wake();
    }

    /// <summary>Drops a claim after a last look for its files. Thread-safe.</summary>
    public void Release(string claimId)
    {
        lock (_gate)
        {
            if (_claims.TryGetValue(claimId, out ClaimState? state) && state.Released is null)
            {
                state.Released = _time.GetUtcNow();
                Look(state);
            }
        }
    }

    /// <summary>Looks for files every second, more often for a claim that is new, and never while there is no claim. Runs until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancel)
    {
        await Task.Yield();
        TimeSpan untilFullLook = TimeSpan.Zero;
        while (!cancel.IsCancellationRequested)
        {
            long start = _time.GetTimestamp();
            if (untilFullLook <= TimeSpan.Zero)
            {
                LookOnce();
                TimeSpan share = _time.GetElapsedTime(start) * LookShare;
                untilFullLook = share > Interval ? share : Interval;
            }

            TimeSpan wait = LookEagerly() && EagerInterval < untilFullLook ? EagerInterval : untilFullLook;
            if (States().Length == 0)
            {
                wait = Timeout.InfiniteTimeSpan;
            }

            using CancellationTokenSource woken = CancellationTokenSource.CreateLinkedTokenSource(cancel);
            Task hint = _wake.WaitAsync(woken.Token);
            await Task.WhenAny(Task.Delay(wait, _time, woken.Token), hint);
            await woken.CancelAsync();
            await hint.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            untilFullLook -= _time.GetElapsedTime(start);
        }
    }

    /// <summary>One look at every claim.</summary>
    internal void LookOnce()
    {
        foreach (ClaimState state in States())
        {
            lock (_gate)
            {
                Look(state);
            }
        }
    }

    /// <summary>One look at the claims that have just changed; false where there is none.</summary>
    internal bool LookEagerly()
    {
        bool any = false;
        DateTimeOffset now = _time.GetUtcNow();
        foreach (ClaimState state in States())
        {
            if (state.EagerUntil > now && state.Released is null)
            {
                any = true;
                lock (_gate)
                {
                    Look(state);
                }
            }
        }

        return any;
    }

    private ClaimState[] States()
    {
        lock (_gate)
        {
            return [.. _claims.Values];
        }
    }

    private void Wake()
    {
        lock (_gate)
        {
            if (_wake.CurrentCount == 0)
            {
                _wake.Release();
            }
        }
    }

    private void Look(ClaimState state)
    {
        FileClaim claim = state.Claim;
        DateTimeOffset now = _time.GetUtcNow();
        if (state.Released is { } released && now - released >= Grace)
        {
            _claims.Remove(claim.Id);
            foreach (string path in state.Paths.ToList())
            {
                _followed.Unclaim(state, path);
            }

            return;
        }

        PathWalk walk = new(claim.Mounts, claim.Exclude, text => Say(state, text));
        IReadOnlyDictionary<string, FoundPath> found = walk.Find(claim.Paths);
        foreach ((string path, FoundPath file) in found)
        {
            if (BaseOf(path, found, state) is { } live)
            {
                _followed.GenerationSeen(state, live, now);
            }
            else
            {
                _followed.Seen(state, path, file, now);
            }
        }

        foreach (string path in state.Paths.Where(p => !found.ContainsKey(p) && now - _followed.LastSeen(state, p) >= Grace).ToList())
        {
            _followed.Unclaim(state, path);
        }

        state.Looked = true;
    }

    /// <summary>The live path that this one is a generation of, where that one is there or was a moment ago.</summary>
    private static string? BaseOf(string path, IReadOnlyDictionary<string, FoundPath> found, ClaimState state) =>
        RotatedNames.LivePathsOf(path).FirstOrDefault(live => found.ContainsKey(live) || (state.Paths.Contains(live) && !state.Paths.Contains(path)));

    private List<PathGlob> Parse(IReadOnlyList<string> texts, string id)
    {
        List<PathGlob> globs = [];
        foreach (string text in texts)
        {
            if (PathGlob.TryParse(text, out PathGlob? glob, out string problem))
            {
                globs.Add(glob!);
            }
            else
            {
                LogProblem(id, $"'{text}' names no files: {problem}");
            }
        }

        return globs;
    }

    private void Say(ClaimState state, string text)
    {
        // Bounded: a claim of many paths has few reasons.
        if (state.Said.Count < 50 && state.Said.Add(text))
        {
            LogProblem(state.Claim.Name, text);
        }
    }

    [LoggerMessage(LogLevel.Warning, "Log files of {Owner}: {Problem}")]
    private partial void LogProblem(string owner, string problem);

    private static string RuleId(int index) => $"files[{index}]";

    private void SetRules(IReadOnlyList<FilesOptions> rules, ContainerFields fields, bool firstStart)
    {
        for (int i = 0; i < rules.Count; i++)
        {
            FilesOptions rule = rules[i];
            string id = RuleId(i);
            FileClaim claim = new()
            {
                Id = id,
                Order = DateTimeOffset.MaxValue,
                Paths = Parse(rule.Paths, id),
                Exclude = Parse(rule.Exclude, id),
                Mounts = MountTable.Host,
                Fields = fromPath => fields.ForFile(fromPath, rule.Fields),
                Start = firstStart ? rule.StartAt : StartAt.Beginning,
                Encoding = rule.Encoding,
            };
            Claim(claim);
        }

        _ruleCount = rules.Count;
    }
}
