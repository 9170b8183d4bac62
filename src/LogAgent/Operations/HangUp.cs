using System.Runtime.InteropServices;

namespace LogAgent.Operations;

/// <summary>
/// SIGHUP, taken from the very start of the program: unhandled it would end a process that was asked to read its
/// configuration again while it still starts. One that comes before there is anything to reload is kept until there is.
/// </summary>
internal sealed class HangUp : IDisposable
{
    private readonly Lock _gate = new();
    private readonly PosixSignalRegistration _registration;
    private Action? _reload;
    private bool _waits;

    public HangUp()
    {
        _registration = PosixSignalRegistration.Create(PosixSignal.SIGHUP, context =>
        {
            context.Cancel = true;
            Raise();
        });
    }

    /// <summary>From now on each SIGHUP calls this, and at once where one has come before.</summary>
    public void Answer(Action reload)
    {
        lock (_gate)
        {
            _reload = reload;
            if (!_waits)
            {
                return;
            }

            _waits = false;
        }

        reload();
    }

    /// <summary>What SIGHUP does.</summary>
    public void Raise()
    {
        Action? reload;
        lock (_gate)
        {
            reload = _reload;
            _waits = reload is null;
        }

        reload?.Invoke();
    }

    public void Dispose() => _registration.Dispose();
}
