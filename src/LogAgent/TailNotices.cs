using LogAgent.Delivery;
using LogAgent.Tailing;

namespace LogAgent;

/// <summary>Takes what the tailing side has to say: the ledger counts it, the agent's own log shows it. Repetitions are held back. Called on the tail loop's thread.</summary>
internal sealed partial class TailNotices(Ledger ledger, TimeProvider time, ILogger<TailNotices> logger)
{
    private static readonly TimeSpan SaidEvery = TimeSpan.FromMinutes(1);

    /// <summary>When a kind was last said of a target, and how often it was held back since.</summary>
    private readonly Dictionary<(TailNoticeKind Kind, string TargetId), Said> _said = [];

    public void Take(TailNotice notice)
    {
        ledger.Count(notice);
        if (!IsDue(notice, out long heldBack))
        {
            return;
        }

        string more = heldBack > 0 ? $" ({heldBack} more like this in the last minute)" : "";
        switch (notice.Kind)
        {
            case TailNoticeKind.Opened:
                LogOpened(notice.Path);
                break;
            case TailNoticeKind.Finished:
                LogFinished(notice.Path);
                break;
            case TailNoticeKind.Unreadable:
                LogUnreadable(notice.Path, notice.Detail, more);
                break;
            case TailNoticeKind.NotAFile:
                LogNotAFile(notice.Path);
                break;
            case TailNoticeKind.Truncated:
                LogTruncated(notice.Path, notice.Detail, more);
                break;
            case TailNoticeKind.Lost:
                LogLost(notice.Bytes, notice.Path, notice.Detail, more);
                break;
            case TailNoticeKind.CorruptLine:
                LogCorrupt(notice.Path, notice.Detail, more);
                break;
            case TailNoticeKind.RecordTruncated:
                LogCut(notice.Path, notice.Bytes, more);
                break;
            default:
                LogWarning(notice.Detail.Length > 0 ? notice.Detail : notice.Kind.ToString(), notice.Path, more);
                break;
        }
    }

    private bool IsDue(in TailNotice notice, out long heldBack)
    {
        heldBack = 0;
        long now = time.GetTimestamp();
        if (notice.Kind is TailNoticeKind.Opened or TailNoticeKind.Finished)
        {
            return true;
        }

        (TailNoticeKind, string) key = (notice.Kind, notice.TargetId);
        if (_said.TryGetValue(key, out Said said) && time.GetElapsedTime(said.At, now) < SaidEvery)
        {
            _said[key] = said with { HeldBack = said.HeldBack + 1 };
            return false;
        }

        heldBack = said.HeldBack;
        if (_said.Count > 10_000)
        {
            // Targets come and go; what was said of those long gone is of no use.
            _said.Clear();
        }

        _said[key] = new Said(now, 0);
        return true;
    }

    [LoggerMessage(LogLevel.Debug, "Reads {Path}.")]
    private partial void LogOpened(string path);

    [LoggerMessage(LogLevel.Debug, "Has read {Path} to its end.")]
    private partial void LogFinished(string path);

    [LoggerMessage(LogLevel.Warning, "{Path} cannot be read: {Detail} It is tried again.{More}")]
    private partial void LogUnreadable(string path, string detail, string more);

    [LoggerMessage(LogLevel.Warning, "{Path} is no regular file and is not read. Exclude it to silence this line.")]
    private partial void LogNotAFile(string path);

    [LoggerMessage(LogLevel.Information, "{Path} was truncated: {Detail}{More}")]
    private partial void LogTruncated(string path, string detail, string more);

    [LoggerMessage(LogLevel.Error, "{Bytes} bytes of {Path} are lost ({Reason}): they were gone before they could be read. A gap record stands in their place.{More}")]
    private partial void LogLost(long bytes, string path, string reason, string more);

    [LoggerMessage(LogLevel.Warning, "{Path} has a line that is not in its format; it is shipped as it stands, flagged corrupt. {Detail}{More}")]
    private partial void LogCorrupt(string path, string detail, string more);

    [LoggerMessage(LogLevel.Warning, "{Path} has a record longer than limits.record; {Bytes} bytes of it were cut off, the record is flagged truncated.{More}")]
    private partial void LogCut(string path, long bytes, string more);

    [LoggerMessage(LogLevel.Warning, "{Detail} ({Path}){More}")]
    private partial void LogWarning(string detail, string path, string more);

    private readonly record struct Said(long At, long HeldBack);
}
