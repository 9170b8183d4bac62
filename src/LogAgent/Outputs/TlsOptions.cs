using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using LogAgent.Configuration;

namespace LogAgent.Outputs;

/// <summary>The section <c>tls</c>: whom to believe, and what to show.</summary>
internal sealed record TlsOptions
{
    /// <summary>PEM file of the CAs that may sign the server's certificate; empty = those of the system.</summary>
    public string CaFile { get; init; } = "";

    /// <summary>SHA-256 of the CA's (or the server's own) certificate in hexadecimal digits without separators; empty = none.</summary>
    public string CaFingerprint { get; init; } = "";

    /// <summary>False: any certificate is taken.</summary>
    public bool Verify { get; init; } = true;

    /// <summary>PEM files of the certificate and key that the agent shows; empty = none.</summary>
    public string CertificateFile { get; init; } = "";

    public string KeyFile { get; init; } = "";

    public static TlsOptions Read(SectionReader section)
    {
        TlsOptions options = new()
        {
            CaFile = section.Text("ca_file", ""),
            CaFingerprint = section.Text("ca_fingerprint", "").Replace(":", "", StringComparison.Ordinal),
            Verify = section.Flag("verify", true),
            CertificateFile = section.Text("certificate_file", ""),
            KeyFile = section.Text("key_file", ""),
        };
        if (options.CaFingerprint.Length > 0 && (options.CaFingerprint.Length != 64 || !options.CaFingerprint.All(char.IsAsciiHexDigit)))
        {
            section.Error("ca_fingerprint", "must be the SHA-256 of the CA certificate: 64 hexadecimal digits, with or without colons (openssl x509 -fingerprint -sha256 -noout -in ca.crt)");
        }

        if ((options.CertificateFile.Length > 0) != (options.KeyFile.Length > 0))
        {
            section.Error(options.KeyFile.Length > 0 ? "key_file" : "certificate_file", "certificate_file and key_file belong together: give both or none");
        }

        Try(section, "ca_file", options.CaFile, () => options.LoadAuthorities());
        if (options.KeyFile.Length > 0)
        {
            Try(section, "certificate_file", options.CertificateFile, () => options.LoadCertificate()?.Dispose());
        }

        return options;
    }

    /// <summary>The CAs of <see cref="CaFile"/>; empty where none is configured.</summary>
    public X509Certificate2Collection LoadAuthorities()
    {
        X509Certificate2Collection authorities = [];
        if (CaFile.Length > 0)
        {
            authorities.ImportFromPemFile(CaFile);
            if (authorities.Count == 0)
            {
                throw new CryptographicException("it holds no certificate (PEM begins with -----BEGIN CERTIFICATE-----)");
            }
        }

        return authorities;
    }

    public X509Certificate2? LoadCertificate() =>
        CertificateFile.Length > 0 ? X509Certificate2.CreateFromPemFile(CertificateFile, KeyFile) : null;

    private static void Try(SectionReader section, string key, string file, Action load)
    {
        if (file.Length == 0)
        {
            return;
        }

        try
        {
            load();
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException or CryptographicException or ArgumentException)
        {
            section.Error(key, $"{file} cannot be used: {problem.Message}");
        }
    }
}
