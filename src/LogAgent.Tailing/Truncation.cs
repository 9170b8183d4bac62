namespace LogAgent.Tailing;

/// <summary>
/// A file that was truncated, perhaps after it was copied (copytruncate): what was there is a generation of its own, which has lost
/// its content or gone on in the copy; what comes now begins at 0 in the same inode. Used on the tail loop's thread only.
/// </summary>
internal sealed class Truncation(TailContext context)
{
    /// <summary>The file becomes a generation without a name, and a new one takes its place and its handle; a rotated one's is left to the next scan.</summary>
    /// <param name="grownAgain">Its size does not show it: the content before the read offset is another.</param>
    public void Split(TailedTarget target, TailedFile file, bool grownAgain)
    {
        long lost = Math.Max(0, file.VerifiedSize - file.ReadOffset);
        context.Notify(new TailNotice(TailNoticeKind.Truncated, target.Target.Id, file.Path, 0, grownAgain ? "It was truncated and has grown again." : "It was truncated."));
        target.IsChanged = true;
        IByteSource? source = file.Source;
        bool isRotated = file.Moved && source?.Stat().Links > 0; // a copy may have been made over it, of what is being read elsewhere
        if (isRotated && lost == 0)
        {
            Retire(target, file);
            return;
        }

        file.GapUnlessCopied = new Gap(lost, "truncated", grownAgain ? "the file was truncated and written again, perhaps more than once" : "the file was truncated");
        if (isRotated)
        {
            target.Close(file);
            return;
        }

        TailedFile next = new(file.Path, file.Identity, 0, default) { Epoch = file.Epoch + 1, Source = source, Moved = file.Moved };
        if (source is not null)
        {
            next.Fingerprint = TailedFile.ReadFingerprint(source);
            next.Size = source.Stat().Size;
            next.VerifiedSize = next.Size;
        }

        file.Source = null;
        file.Moved = true;
        file.Nameless = true;
        file.Identity = default;
        file.Size = Math.Max(file.VerifiedSize, file.ReadOffset);
        target.Files.Insert(target.Files.IndexOf(file) + 1, next);
    }

    /// <summary>A rotated file that was empty is not any more: the scan tells whether its writer is late, or a copy was made over it.</summary>
    public static bool IsOverwritten(TailedFile file) => file.Moved && file.IsBlank && file.Source?.Stat() is { Size: > 0, Links: > 0 };

    /// <summary>Before names are compared: a file that was truncated is not the generation any more that its inode stood for.</summary>
    public void SplitTruncated(TailedTarget target)
    {
        foreach (TailedFile file in target.Files.ToArray())
        {
            if (file.Source is { IsCompressed: false } source && !file.DoneReading)
            {
                long size = source.Stat().Size;
                if (IsOverwritten(file))
                {
                    Retire(target, file);
                }
                else if (size < file.ReadOffset || !file.HasSameContent(source))
                {
                    Split(target, file, grownAgain: size >= file.ReadOffset);
                }
                else
                {
                    file.Size = size;
                    file.TryExtendFingerprint();
                }
            }
        }
    }

    /// <summary>Nothing more is read of what it was; what stands in its inode now begins another epoch.</summary>
    private static void Retire(TailedTarget target, TailedFile file)
    {
        target.Close(file);
        target.End(file);
    }

    /// <summary>copytruncate may have left a copy, in which reading goes on; otherwise it is time to say what is lost.</summary>
    public static void Settle(TailedTarget target)
    {
        foreach (TailedFile file in target.Files)
        {
            if (file.GapUnlessCopied is not { } gap)
            {
                continue;
            }

            file.GapUnlessCopied = null;
            if (file.Source is null)
            {
                target.End(file);
                file.Gap = gap.Bytes > 0 || gap.Words.Contains("again", StringComparison.Ordinal) ? gap : null;
            }
        }
    }
}
