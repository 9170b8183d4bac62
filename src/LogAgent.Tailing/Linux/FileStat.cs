namespace LogAgent.Tailing.Linux;

/// <summary>What statx says of a file. Times are nanoseconds since 1970; <see cref="BirthNanos"/> is 0 where the file system does not keep it.</summary>
internal readonly record struct FileStat(
    ulong Device, ulong Inode, long Size, uint Links, bool IsRegular, bool IsDirectory, long BirthNanos, long ChangeNanos, long ModifyNanos);
