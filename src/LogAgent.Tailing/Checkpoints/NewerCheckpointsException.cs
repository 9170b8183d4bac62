namespace LogAgent.Tailing.Checkpoints;

/// <summary>
/// A later version of the agent wrote the checkpoints. They are not touched; to start anyway would read everything again.
/// </summary>
public sealed class NewerCheckpointsException(string path, int version) : Exception(
    $"{path} was written by a later version of logagent (format {version}; this one knows {CheckpointFormat.Version}). "
    + "Start that version again, or move the file away to read all logs from their beginning.");
