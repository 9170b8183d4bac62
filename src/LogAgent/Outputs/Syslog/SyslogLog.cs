namespace LogAgent.Outputs.Syslog;

/// <summary>Log lines of the syslog output.</summary>
internal static partial class SyslogLog
{
    [LoggerMessage(Level = LogLevel.Information, Message = "Syslog output {Output}: {Target} has closed the connection; it is made anew.")]
    public static partial void Closed(ILogger logger, string output, SyslogTarget target);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Syslog output {Output}: records go to {Target} from now on.")]
    public static partial void Moved(ILogger logger, string output, SyslogTarget target);
}
