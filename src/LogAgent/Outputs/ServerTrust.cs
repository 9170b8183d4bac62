using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace LogAgent.Outputs;

/// <summary>Decides whether a server's certificate is to be believed, and says in a sentence why it is not. Thread-safe.</summary>
internal sealed class ServerTrust
{
    private readonly TlsOptions _options;
    private readonly X509Certificate2Collection _authorities;
    private volatile string _problem = "";

    /// <summary>Reads the files of the options; throws where they cannot be read (the configuration was checked for that before).</summary>
    public ServerTrust(TlsOptions options)
    {
        _options = options;
        _authorities = options.LoadAuthorities();
        Ssl = new() { RemoteCertificateValidationCallback = Validate };
        if (options.LoadCertificate() is { } certificate)
        {
            Ssl.ClientCertificates = [certificate];
        }
    }

    public SslClientAuthenticationOptions Ssl { get; }

    /// <summary>Why the last refused certificate was refused, and what to do; empty where none was.</summary>
    public string Problem => _problem;

    private bool Validate(object sender, X509Certificate? presented, X509Chain? chain, SslPolicyErrors errors)
    {
        if (!_options.Verify)
        {
            return true;
        }

        if (presented is null || chain is null)
        {
            _problem = "the server shows no certificate";
            return false;
        }

        using X509Certificate2 certificate = new(presented);
        if (!IsTrusted(certificate, chain, errors))
        {
            return false;
        }

        if ((errors & SslPolicyErrors.RemoteCertificateNameMismatch) != 0)
        {
            _problem = $"the server's certificate is for another name ({certificate.Subject}); use a host name that it is made for in hosts";
            return false;
        }

        _problem = "";
        return true;
    }

    private bool IsTrusted(X509Certificate2 certificate, X509Chain chain, SslPolicyErrors errors)
    {
        if (_options.CaFingerprint.Length > 0)
        {
            // The server sends its chain; the CA that has the fingerprint is the one root from there on.
            X509Certificate2? authority = chain.ChainPolicy.ExtraStore.Concat(chain.ChainElements.Select(element => element.Certificate))
                .FirstOrDefault(sent => sent.GetCertHashString(HashAlgorithmName.SHA256).Equals(_options.CaFingerprint, StringComparison.OrdinalIgnoreCase));
            if (authority is null && certificate.GetCertHashString(HashAlgorithmName.SHA256).Equals(_options.CaFingerprint, StringComparison.OrdinalIgnoreCase))
            {
                authority = certificate;
            }

            if (authority is null)
            {
                _problem = "no certificate that the server sent has the fingerprint of tls.ca_fingerprint; compare it with that of the server's CA, or use tls.ca_file where the server does not send its CA";
                return false;
            }

            return authority.RawDataMemory.Span.SequenceEqual(certificate.RawDataMemory.Span)
                || IsSignedBy([authority], certificate, chain, "the CA of tls.ca_fingerprint");
        }

        if (_authorities.Count > 0)
        {
            return IsSignedBy(_authorities, certificate, chain, $"the CA in tls.ca_file ({_options.CaFile})");
        }

        if ((errors & SslPolicyErrors.RemoteCertificateChainErrors) != 0)
        {
            _problem = $"the server's certificate (issued by {certificate.Issuer}) is not signed by a CA that this system knows ({Statuses(chain)}); name the server's CA with tls.ca_file or tls.ca_fingerprint";
            return false;
        }

        return true;
    }

    private bool IsSignedBy(X509Certificate2Collection authorities, X509Certificate2 certificate, X509Chain sent, string who)
    {
        using X509Chain chain = new();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.CustomTrustStore.AddRange(authorities);
        chain.ChainPolicy.ExtraStore.AddRange(sent.ChainPolicy.ExtraStore);
        if (chain.Build(certificate))
        {
            return true;
        }

        _problem = $"the server's certificate (issued by {certificate.Issuer}) is not signed by {who} ({Statuses(chain)}); give the root CA of its chain";
        return false;
    }

    private static string Statuses(X509Chain chain) =>
        string.Join(", ", chain.ChainStatus.Select(status => status.Status.ToString()).Distinct());
}
