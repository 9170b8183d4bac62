using LogAgent.Tailing;

namespace LogAgent.Containers;

/// <summary>
/// The files that claims have found, each one target however many claims see it. Used under the lock of <see cref="FileTargets"/>.
/// </summary>
/// <param name="set">A target is there or its fields changed: the tail loop's Set.</param>
/// <param name="remove">A target is gone: the tail loop's Remove.</param>
internal sealed class FollowedFiles(Action<TailTarget> set, Action<string> remove)
{
    /// <summary>What the id of each target begins with; its path follows.</summary>
    public const string TargetPrefix = "file:";

    private readonly Dictionary<string, FollowedFile> _files = new(StringComparer.Ordinal);

    public int Count => _files.Count;

    /// <summary>The claim sees the file, now.</summary>
    public void Seen(ClaimState state, string path, FoundPath found, DateTimeOffset now)
    {
        if (state.Paths.Add(path) || _files[path].Claims[state].Found != found)
        {
            FollowedFile followed = _files.GetValueOrDefault(path) ?? (_files[path] = new FollowedFile());
            followed.Claims[state] = new ClaimedFile(found, FieldsOf(state.Claim, found), state.Looked ? StartAt.Beginning : state.Claim.Start);
            Decide(path, followed);
        }

        _files[path].Claims[state].LastSeen = now;
    }

    /// <summary>The claim sees a rotated generation of the file, now: where it follows the file, that one is still there.</summary>
    public void GenerationSeen(ClaimState state, string path, DateTimeOffset now)
    {
        if (_files.GetValueOrDefault(path)?.Claims.GetValueOrDefault(state) is { } claimed)
        {
            claimed.LastSeen = now;
        }
    }

    /// <summary>When the claim last saw the file, which is one of its paths.</summary>
    public DateTimeOffset LastSeen(ClaimState state, string path) => _files[path].Claims[state].LastSeen;

    /// <summary>The claim sees the file no more.</summary>
    public void Unclaim(ClaimState state, string path)
    {
        state.Paths.Remove(path);
        FollowedFile followed = _files[path];
        followed.Claims.Remove(state);
        Decide(path, followed);
    }

    /// <summary>The claim's fields, or its place in the order of claims, may have changed.</summary>
    public void Renew(ClaimState state)
    {
        foreach (string path in state.Paths)
        {
            FollowedFile followed = _files[path];
            ClaimedFile before = followed.Claims[state];
            followed.Claims[state] = before with { Fields = FieldsOf(state.Claim, before.Found) };
            Decide(path, followed);
        }
    }

    private static FieldSet FieldsOf(FileClaim claim, FoundPath file) => claim.Fields(file.Glob.FieldsOf(file.Shown));

    /// <summary>Gives the file to the claim that it belongs to, or removes it where there is none.</summary>
    private void Decide(string path, FollowedFile followed)
    {
        if (followed.Claims.Count == 0)
        {
            _files.Remove(path);
            if (followed.Target is { } gone)
            {
                remove(gone.Id);
            }

            return;
        }

        (ClaimState owner, ClaimedFile file) = followed.Claims
            .OrderBy(c => c.Key.Released is not null)
            .ThenBy(c => c.Key.Claim.Order)
            .ThenBy(c => c.Key.Claim.Id, StringComparer.Ordinal)
            .First();
        TailTarget? before = followed.Target;
        if (before is null || before.ShownPath != file.Found.Shown || before.Encoding != owner.Claim.Encoding || !before.Fields.Json.SequenceEqual(file.Fields.Json))
        {
            followed.Target = new TailTarget
            {
                Id = TargetPrefix + path,
                Path = path,
                Format = TailFormat.PlainText,
                Fields = file.Fields,
                ShownPath = file.Found.Shown,
                Start = before?.Start ?? file.Start,
                Encoding = owner.Claim.Encoding,
            };
            set(followed.Target);
        }
    }
}
