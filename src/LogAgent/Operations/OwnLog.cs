using LogAgent.Configuration;
using Serilog;
using Serilog.Core;
using Serilog.Events;
using Serilog.Extensions.Logging;
using Serilog.Sinks.SystemConsole.Themes;

namespace LogAgent.Operations;

/// <summary>
/// The agent's own log, on standard error: standard output belongs to the console output. Owns the logger; dispose it last.
/// </summary>
internal sealed class OwnLog : IDisposable
{
    private const string OnTerminal = "{Timestamp:HH:mm:ss} {Level:u3} {Message:lj}{NewLine}{Exception}";
    private const string UnderSystemd = "{Level}: {Message:lj}{NewLine}{Exception}";
    private const string Plain = "{Timestamp:yyyy-MM-ddTHH:mm:ss.fffzzz} {Level}: {Message:lj}{NewLine}{Exception}";

    private readonly LoggingLevelSwitch _level;
    private readonly SerilogLoggerFactory _factory;

    public OwnLog(LogOptions options, IReadOnlyDictionary<string, string> environment)
    {
        _level = new LoggingLevelSwitch(Level(options.Level));
        LoggerConfiguration configuration = new LoggerConfiguration()
            .MinimumLevel.ControlledBy(_level)
            .MinimumLevel.Override("Microsoft", LogEventLevel.Warning)
            .MinimumLevel.Override("System", LogEventLevel.Warning);
        bool terminal = !Console.IsErrorRedirected;
        configuration = options.Format == LogFormat.Json
            ? configuration.WriteTo.Console(new JsonLogFormat(), standardErrorFromLevel: LogEventLevel.Verbose)
            : configuration.WriteTo.Console(
                outputTemplate: terminal ? OnTerminal : IsSystemd(environment) ? UnderSystemd : Plain,
                theme: terminal && !environment.ContainsKey("NO_COLOR") ? AnsiConsoleTheme.Code : ConsoleTheme.None,
                standardErrorFromLevel: LogEventLevel.Verbose);
        _factory = new SerilogLoggerFactory(configuration.CreateLogger(), dispose: true);
    }

    public ILoggerFactory Loggers => _factory;

    public void SetLevel(LogDetail level) => _level.MinimumLevel = Level(level);

    public void Dispose() => _factory.Dispose();

    /// <summary>systemd sets JOURNAL_STREAM where standard error goes to the journal, which adds the time itself.</summary>
    private static bool IsSystemd(IReadOnlyDictionary<string, string> environment) => environment.ContainsKey("JOURNAL_STREAM");

    private static LogEventLevel Level(LogDetail level) => level switch
    {
        LogDetail.Trace => LogEventLevel.Verbose,
        LogDetail.Debug => LogEventLevel.Debug,
        LogDetail.Information => LogEventLevel.Information,
        LogDetail.Warning => LogEventLevel.Warning,
        _ => LogEventLevel.Error,
    };
}
