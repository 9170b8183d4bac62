using System.Buffers.Binary;

namespace LogAgent.Tailing.Parsing;

/// <summary>
/// The frames of Docker's local driver, one after the other (seen with Docker 20.10):
/// <code>
/// uint32 BE  length of the payload
/// payload    protobuf; it always begins 0a 06 "stdout" or 0a 06 "stderr"
/// uint32 BE  the same length again
/// </code>
/// The beginning of the payload tells a frame from anything else, so that frames are found again after what is damaged.
/// </summary>
internal static class DockerLocalFrames
{
    /// <summary>Longest frame in bytes. Docker itself reads no payload of more than 1e6 bytes, and writes about 16 KiB.</summary>
    public const int Longest = LongestPayload + 8;

    private const int LongestPayload = 1_000_000;
    private const int HeadLength = 12; // of the length and the stream

    // What is not in the format is taken up to the next frame, and at most to the next multiple of this in the file: where it
    // ends depends on the file alone, never on how much of it was there when it was read.
    private const int Block = 16 * 1024;

    private static ReadOnlySpan<byte> Stream => "\n\u0006std"u8;

    /// <summary>Length of the frame that the data begins with; 0 where it may be one whose end is not there yet; -1 where it is none.</summary>
    public static int Check(ReadOnlySpan<byte> data)
    {
        if (data.Length < 4)
        {
            return data.IsEmpty || data[0] == 0 ? 0 : -1;
        }

        uint length = BinaryPrimitives.ReadUInt32BigEndian(data);
        if (length is < HeadLength - 4 or > LongestPayload || !BeginsPayload(data[4..]))
        {
            return -1;
        }

        int end = (int)length + 8;
        return data.Length < end ? 0 : BinaryPrimitives.ReadUInt32BigEndian(data[(end - 4)..]) == length ? end : -1;
    }

    /// <summary>Length of the first frame, or of what stands before the next frame and is none; -1 where the end is not there yet.</summary>
    /// <param name="offset">Offset of the data in the file.</param>
    /// <param name="isEnd">The data ends where the file ends now.</param>
    public static int FindEnd(ReadOnlySpan<byte> data, long offset, bool isEnd)
    {
        int whole = Check(data);
        if (whole > 0)
        {
            return whole;
        }

        if (whole == 0)
        {
            // A crash may have left the first half of a frame, and what was written later follows it.
            return isEnd && FindWhole(data) is > 0 and int torn && IsChain(data[torn..]) ? torn : -1;
        }

        int limit = (int)(Block - (offset % Block));
        int next = FindHead(data, 1);
        return next > 0 && next <= limit ? next : data.Length >= limit + HeadLength ? limit : -1;
    }

    /// <summary>Where after the first byte a whole frame begins, or 0.</summary>
    public static int FindWhole(ReadOnlySpan<byte> data)
    {
        for (int at = FindHead(data, 1); at > 0; at = FindHead(data, at + 1))
        {
            if (Check(data[at..]) > 0)
            {
                return at;
            }
        }

        return 0;
    }

    /// <summary>End of the last whole frame in what a file ends with, or 0.</summary>
    public static int LastEnd(ReadOnlySpan<byte> data)
    {
        if (data.Length >= HeadLength + 4)
        {
            long start = data.Length - 8 - (long)BinaryPrimitives.ReadUInt32BigEndian(data[^4..]);
            if (start >= 0 && Check(data[(int)start..]) == data.Length - start)
            {
                return data.Length;
            }
        }

        int end = 0;
        for (int at = FindHead(data, 0); at >= 0;)
        {
            int length = Check(data[at..]);
            end = length > 0 ? at + length : end;
            at = FindHead(data, length > 0 ? end : at + 1);
        }

        return end;
    }

    private static bool IsChain(ReadOnlySpan<byte> data)
    {
        while (!data.IsEmpty)
        {
            int length = Check(data);
            if (length <= 0)
            {
                return false;
            }

            data = data[length..];
        }

        return true;
    }

    /// <summary>Where the beginning of a frame stands at or after <paramref name="from"/>, or -1.</summary>
    private static int FindHead(ReadOnlySpan<byte> data, int from)
    {
        while (data.Length - from >= HeadLength)
        {
            int found = data[(from + 4)..].IndexOf(Stream);
            if (found < 0 || data.Length - from - found < HeadLength)
            {
                return -1;
            }

            if (Check(data.Slice(from + found, HeadLength)) >= 0)
            {
                return from + found;
            }

            from += found + 1;
        }

        return -1;
    }

    private static bool BeginsPayload(ReadOnlySpan<byte> data)
    {
        ReadOnlySpan<byte> head = data[..Math.Min(data.Length, HeadLength - 4)];
        return "\n\u0006stdout"u8.StartsWith(head) || "\n\u0006stderr"u8.StartsWith(head);
    }
}
