using LogAgent.Tailing.Checkpoints;

namespace LogAgent.Tailing;

/// <summary>Compares the content of files of which one may be a copy of the other.</summary>
internal static class CopiedFiles
{
    /// <summary>
    /// True where this is a copy of the live file as far as it goes, or is still empty: copytruncate has copied it, or is about to, and
    /// has not truncated yet. It is to be left alone: what is in it is being read from the live file.
    /// </summary>
    public static bool IsUnderWay(TailedFile live, in FoundFile found)
    {
        if (found.IsLive || live.Source is not { IsCompressed: false } source)
        {
            return false;
        }

        using IByteSource? copy = TailedFile.TryOpen(found.Path, out _, out _);
        if (copy is null || copy.IsCompressed)
        {
            return false;
        }

        // Truncated since this look began: the next look finds that out, and takes the copy for what it is.
        if (source.Stat().Size < live.ReadOffset || !live.HasSameContent(source))
        {
            return true;
        }

        long size = copy.Stat().Size;
        return size == 0 || (size <= source.Stat().Size && AreAlikeTo(source, copy, size));
    }

    /// <summary>Whether both begin alike, and have the same bytes before this place.</summary>
    public static bool AreAlikeTo(IByteSource one, IByteSource other, long place)
    {
        int end = (int)Math.Min(place, ContentMark.TailLength);
        return AreAlike(one, other, 0, (int)Math.Min(place, ContentMark.FingerprintLength)) && AreAlike(one, other, place - end, end);
    }

    private static bool AreAlike(IByteSource one, IByteSource other, long offset, int length)
    {
        byte[] a = new byte[length];
        byte[] b = new byte[length];
        return TailedFile.TryRead(one, a, offset) == length && TailedFile.TryRead(other, b, offset) == length && a.AsSpan().SequenceEqual(b);
    }
}
