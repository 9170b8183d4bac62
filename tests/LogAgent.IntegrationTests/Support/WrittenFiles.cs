using System.IO.Compression;

namespace LogAgent.IntegrationTests.Support;

/// <summary>What is in the files of a directory, compressed ones too, as the oracle sees it.</summary>
internal static class WrittenFiles
{
    /// <param name="namePart">Only files that have this in their names.</param>
    public static void AddTo(Sequences sequences, string directory, string namePart)
    {
        foreach (string path in Directory.GetFiles(directory, "*" + namePart + "*", SearchOption.AllDirectories))
        {
            using Stream file = File.OpenRead(path);
            using var text = new StreamReader(path.EndsWith(".gz", StringComparison.Ordinal) ? new GZipStream(file, CompressionMode.Decompress) : file);
            while (text.ReadLine() is { } line)
            {
                sequences.Add(line);
            }
        }
    }
}
