using LogAgent.Tailing.Checkpoints;

namespace LogAgent.Tailing;

/// <summary>
/// Files that their targets have let go of: should one come up under the path of another target (app.log renamed to app-1.log, where
/// a glob takes both), it is read on there. Keeps the latest 1024, without handles.
/// </summary>
internal sealed class LeftFiles
{
    private const int Most = 1024;

    private readonly Dictionary<(ulong Device, ulong Inode), TailedFile> _files = [];
    private readonly Queue<(ulong Device, ulong Inode)> _order = [];

    /// <summary>Takes note of a file that nothing more is read from; one without an inode is none that could come up again.</summary>
    public void Add(TailedFile file)
    {
        if (file.Identity.Inode == 0)
        {
            return;
        }

        (ulong, ulong) inode = (file.Identity.Device, file.Identity.Inode);
        _files[inode] = file;
        _order.Enqueue(inode);
        while (_order.Count > Most)
        {
            _files.Remove(_order.Dequeue());
        }
    }

    public TailedFile? Find(FileIdentity identity) =>
        _files.TryGetValue((identity.Device, identity.Inode), out TailedFile? file) && file.Identity == identity ? file : null;
}
