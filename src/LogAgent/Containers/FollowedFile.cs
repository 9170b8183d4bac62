using LogAgent.Tailing;

namespace LogAgent.Containers;

/// <summary>A file that was made a target, and the claims that see it.</summary>
internal sealed class FollowedFile
{
    public Dictionary<ClaimState, ClaimedFile> Claims { get; } = [];

    /// <summary>Null until it is first set.</summary>
    public TailTarget? Target { get; set; }
}
