using LogAgent.Tailing.Linux;

namespace LogAgent.Tailing;

/// <summary>Which target reads an inode: one target at most does, whatever paths lead to it. Used on the tail loop's thread only.</summary>
internal sealed class InodeOwners
{
    private readonly Dictionary<(ulong Device, ulong Inode), TailedTarget> _owners = [];
    private readonly LeftFiles _left = new();

    /// <summary>Another target that reads this file; null where there is none.</summary>
    public TailedTarget? OtherReader(TailedTarget target, in FileStat stat) =>
        _owners.TryGetValue((stat.Device, stat.Inode), out TailedTarget? owner) && owner != target && owner.Reads(Checkpoints.FileIdentity.Of(stat)) ? owner : null;

    public void Own(TailedTarget target, TailedFile file) => _owners[(file.Identity.Device, file.Identity.Inode)] = target;

    /// <summary>The target is done with: its files may be read by another one.</summary>
    public void Release(TailedTarget target)
    {
        foreach ((ulong Device, ulong Inode) inode in _owners.Where(o => o.Value == target).Select(o => o.Key).ToList())
        {
            _owners.Remove(inode);
        }

        foreach (TailedFile file in target.Files)
        {
            LetGo(target, file);
        }
    }

    /// <summary>The target reads nothing more of this file, and forgets it.</summary>
    public void LetGo(TailedTarget target, TailedFile file)
    {
        if (!target.IsDocker)
        {
            _left.Add(file);
        }
    }

    /// <summary>A file that a target has let go of; null where it is none of these.</summary>
    public TailedFile? LetGoBefore(in FileStat stat) => _left.Find(Checkpoints.FileIdentity.Of(stat));
}
