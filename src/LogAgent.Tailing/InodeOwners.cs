using LogAgent.Tailing.Linux;

namespace LogAgent.Tailing;

/// <summary>Which target reads an inode: one target at most does, whatever paths lead to it. Used on the tail loop's thread only.</summary>
internal sealed class InodeOwners
{
    private readonly Dictionary<(ulong Device, ulong Inode), TailedTarget> _owners = [];

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
    }
}
