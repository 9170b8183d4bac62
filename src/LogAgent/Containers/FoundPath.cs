namespace LogAgent.Containers;

/// <summary>A file that a glob matched.</summary>
/// <param name="Shown">Its path as the claimer sees it and as it matched.</param>
/// <param name="IsLink">Whether the last name of that path is a symbolic link.</param>
internal readonly record struct FoundPath(string Shown, bool IsLink, PathGlob Glob);
