namespace LogAgent.Tests.Support;

/// <summary>One item of a bulk request.</summary>
public sealed record BulkItem(string Index, string Id, byte[] Document);

/// <summary>What an item gets instead of being stored.</summary>
public sealed record ItemFault(int Status, string Type, string Reason);
