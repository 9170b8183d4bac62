namespace LogAgent.Containers;

/// <summary>The engine cannot be reached or did not do as asked. The text says what happened and what to do about it.</summary>
internal sealed class DockerException(string text, Exception? cause = null) : Exception(text, cause);
