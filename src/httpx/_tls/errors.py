"""What to say when a handshake fails: OpenSSL's own words, then what they mean and what to do."""

from __future__ import annotations

import ssl

# By X509_V_ERR_* code (openssl/x509_vfy.h).
_VERIFY_CODES = {
    9: "The certificate is not valid yet. Either this machine's clock is slow, or the server's certificate was installed too early.",
    10: "The certificate has expired. The server's operator must renew it; if others can connect, check this machine's clock.",
    18: "The certificate is self-signed: no authority vouches for it. To trust exactly this one, save it as PEM and pass "
    "ssl_context=httpx.SSLContext(verify='path/to/it.pem').",
    19: "The chain ends in a root certificate that is not trusted here. If it belongs to your organisation (a private authority, or a "
    "proxy that inspects TLS), pass ssl_context=httpx.SSLContext(verify='path/to/root.pem').",
    20: "Nothing that is trusted here issued this certificate. Either a private authority did: pass "
    "ssl_context=httpx.SSLContext(verify='path/to/ca.pem') with its root; or the server leaves out an intermediate certificate, which its "
    "operator must add; or only the operating system trusts the authority: use the truststore package.",
    21: "Nothing that is trusted here issued this certificate. If a private authority did, pass "
    "ssl_context=httpx.SSLContext(verify='path/to/ca.pem').",
    23: "The authority has revoked the certificate: do not trust this server until it has a new one.",
    62: "The certificate is for another host. Check the name in the URL, and that it leads to the server that you mean.",
    64: "The certificate does not name this IP address. Use a host name that the certificate names.",
    66: "The certificate's key is too small to be safe: the server's operator must renew it with a larger one.",
    68: "The certificate is signed with an algorithm that is no longer safe: the server's operator must renew it.",
}

_HUNG_UP = (
    "The server hung up in the middle of the handshake. It may not speak TLS on this port (then use http:// in the URL), or refuse us."
)

# By OpenSSL's reason; the first that is part of it counts.
_REASONS = (
    ("WRONG_VERSION_NUMBER", "The server did not answer in TLS. If this port speaks plain HTTP, use http:// in the URL."),
    ("HTTP_REQUEST", "The server speaks plain HTTP on this port: use http:// in the URL."),
    ("RECORD_LAYER_FAILURE", "The server did not answer in TLS. If this port speaks plain HTTP, use http:// in the URL."),
    ("PACKET_LENGTH_TOO_LONG", "The server did not answer in TLS. If this port speaks plain HTTP, use http:// in the URL."),
    ("CERTIFICATE_REQUIRED", "The server wants a client certificate: pass ssl_context=httpx.SSLContext(cert=('client.pem', 'client.key'))"),
    ("UNKNOWN_CA", "The server does not trust the authority that issued our client certificate: ask its operator which one it accepts."),
    ("BAD_CERTIFICATE", "The server refused our client certificate, or wants one: see cert= of httpx.SSLContext."),
    ("CERTIFICATE_EXPIRED", "The server says that our client certificate has expired: renew it."),
    ("HANDSHAKE_FAILURE", "The two sides have nothing in common (ciphers, signatures), or the server wants a client certificate (cert=)."),
    ("PROTOCOL_VERSION", "The server speaks only TLS versions that are refused here as unsafe (TLS 1.2 is the least), or only newer ones."),
    ("UNSUPPORTED_PROTOCOL", "The server speaks only TLS versions that are refused here as unsafe (TLS 1.2 is the least)."),
    ("NO_SHARED_CIPHER", "The two sides have no cipher in common."),
    ("DH_KEY_TOO_SMALL", "The server's key exchange is too weak to be safe: its operator must configure a larger group."),
    ("EE_KEY_TOO_SMALL", "The certificate's key is too small to be safe: the server's operator must renew it with a larger one."),
    ("UNEXPECTED_EOF", _HUNG_UP),
)


def explain_handshake_failure(error: Exception, host: str, port: int | None, context: ssl.SSLContext) -> tuple[str, list[str]]:
    """The message for a failed handshake, and notes that say what it means and what to do about it."""
    peer = host if port is None else f"{host}:{port}"
    message = f"{str(error) or 'the server closed the connection'} (TLS handshake with {peer})"
    remedy = explain_tls_error(error)
    return message, [] if remedy is None else [remedy]


def explain_tls_error(error: Exception) -> str | None:
    """In plain words what a TLS error means and what to do, if that is known.

    Also for errors while reading: in TLS 1.3 a server refuses a client's certificate after the handshake.
    """
    if isinstance(error, ssl.SSLCertVerificationError):
        return _VERIFY_CODES.get(error.verify_code)
    if isinstance(error, ssl.SSLError):
        reason = f"{error.reason or ''} {error}".upper().replace(" ", "_")
        return next((remedy for part, remedy in _REASONS if part in reason), None)
    if isinstance(error, (ConnectionError, EOFError)):
        return _HUNG_UP
    return None
