using System.Text;

namespace LogAgent.IntegrationTests.Support;

/// <summary>A plain log file of an application, with numbered lines, and what rotation does to it. One writer, which keeps its handle and its offset.</summary>
internal sealed class LogFile : IDisposable
{
    private readonly string _rest;
    private FileStream _file;
    private int _rotations;

    /// <param name="rest">What follows the number on each line.</param>
    public LogFile(string path, string source, string rest = "and some words of an application")
    {
        Path = path;
        Source = source;
        _rest = rest;
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(path)!);
        _file = Open();
    }

    public string Path { get; }

    public string Source { get; }

    /// <summary>The next number of the oracle's sequence, which is how many were written.</summary>
    public long Written { get; private set; }

    public void WriteSequence(int count)
    {
        var text = new StringBuilder(count * 80);
        for (int i = 0; i < count; i++)
        {
            text.Append(Sequences.Line(Source, Written++, _rest)).Append('\n');
        }

        WriteRaw(text.ToString());
    }

    public void WriteRaw(string text)
    {
        _file.Write(Encoding.UTF8.GetBytes(text));
        _file.Flush();
    }

    /// <summary>Renames it as logrotate does with dateext, and goes on in a new file.</summary>
    public void Rename()
    {
        File.Move(Path, NextName());
        _file.Dispose();
        _file = Open();
    }

    /// <summary>Copies it and cuts it to nothing; the writer goes on at its old offset.</summary>
    public void CopyTruncate()
    {
        File.Copy(Path, NextName());
        Truncate();
    }

    /// <summary>Cuts it to nothing without a copy.</summary>
    /// <param name="rewind">The writer begins again at 0, as one that appends does.</param>
    public void Truncate(bool rewind = false)
    {
        using (FileStream other = new(Path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
        {
            other.SetLength(0);
        }

        if (rewind)
        {
            _file.Position = 0;
        }
    }

    public void Delete()
    {
        _file.Dispose();
        File.Delete(Path);
    }

    public void Dispose() => _file.Dispose();

    private string NextName() => $"{Path}-20261120{_rotations++:D3}";

    private FileStream Open() => new(Path, FileMode.Append, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
}
