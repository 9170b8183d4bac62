using LogAgent.Tailing.Linux;

namespace LogAgent.Tailing.Checkpoints;

/// <summary>
/// Which file it is, whatever its name. An inode number alone is not enough: ext4 gives it to the next file at once, so the
/// birth time counts where it is known, and a fingerprint of the content where a handle was not held all the time.
/// </summary>
internal readonly record struct FileIdentity(ulong Device, ulong Inode, long BirthNanos)
{
    public static FileIdentity Of(in FileStat stat) => new(stat.Device, stat.Inode, stat.BirthNanos);

    /// <summary>True where nothing speaks against the same file. Device numbers may change over a reboot, so that a known birth time outweighs them.</summary>
    public bool MayBe(in FileIdentity other) =>
        Inode == other.Inode
        && (BirthNanos != 0 && other.BirthNanos != 0 ? BirthNanos == other.BirthNanos : Device == other.Device);
}
