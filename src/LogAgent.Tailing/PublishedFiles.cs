namespace LogAgent.Tailing;

/// <summary>What the tail loop shows of its files to other threads: the list is renewed now and then, the offsets are those of the moment.</summary>
internal sealed class PublishedFiles(TailContext context)
{
    private (TailedTarget Target, TailedFile File)[] _files = [];

    /// <summary>Thread-safe.</summary>
    public IReadOnlyList<FileStatus> Read()
    {
        (TailedTarget Target, TailedFile File)[] files = Volatile.Read(ref _files);
        List<FileStatus> result = new(files.Length);
        foreach ((TailedTarget target, TailedFile file) in files)
        {
            TimeSpan waits = file.WaitsSince is var since and > 0 ? context.Time.GetElapsedTime(since) : TimeSpan.Zero;
            result.Add(new FileStatus(target.Target.Id, file.Path, file.Size, file.ReadOffset, file.Window.Offset, file.Source is not null, waits));
        }

        return result;
    }

    /// <summary>Called on the tail loop's thread.</summary>
    public void Renew(TailedTarget[] targets)
    {
        (TailedTarget Target, TailedFile File)[] files = _files;
        int count = 0;
        bool same = true;
        foreach (TailedTarget target in targets)
        {
            foreach (TailedFile file in target.Files)
            {
                if (file.Source is not null || !file.Moved)
                {
                    file.MarkWaiting(context.Timestamp);
                    same = same && count < files.Length && files[count] == (target, file);
                    count++;
                }
            }
        }

        if (!same || count != files.Length)
        {
            files = [.. targets.SelectMany(t => t.Files.Where(f => f.Source is not null || !f.Moved).Select(f => (t, f)))];
            Volatile.Write(ref _files, files);
        }
    }
}
