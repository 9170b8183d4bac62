namespace LogAgent.Configuration;

/// <summary>A key that the code asked for, so that the example file can be compared with the code.</summary>
/// <param name="Section">Path of the section, as outputs[0].tls; empty for the root.</param>
/// <param name="Default">The default as it would be written in the file; null where there is none (a required key, a secret, a section).</param>
/// <param name="Present">The file has the key.</param>
/// <param name="IsDefault">The key's value in the file is the default, or the key has none.</param>
internal sealed record KeyUse(string Section, string Key, string? Default, bool Present, bool IsDefault);
