"""What to say when a handshake fails: OpenSSL's own words, then what they mean and what to do."""

from __future__ import annotations

import os
import ssl
import time

from .trust import holds_hashed_names

_ISSUER_UNKNOWN = frozenset((2, 20, 21))
_ROOT_UNKNOWN = 19

# By X509_V_ERR_* code (openssl/x509_vfy.h).
_VERIFY_CODES = {
    9: "The certificate is not valid yet. Either this machine's clock is slow (it says {today}), or the server's certificate was "
    "installed too early.",
    10: "The certificate has expired. The server's operator must renew it; if others can connect, check this machine's clock (it says "
    "{today}).",
    18: "The certificate is self-signed: no authority vouches for it. To trust exactly this one, save it as PEM and {trust_it}.",
    _ROOT_UNKNOWN: "The chain ends in a root certificate that is not trusted here ({trusted}). If it belongs to your organisation (a "
    "private authority, or a proxy that inspects TLS), save it as PEM and {trust_it}.",
    22: "The chain of certificates is too long: the server's operator must send fewer intermediate certificates.",
    23: "The authority has revoked the certificate: do not trust this server until it has a new one.",
    26: "The certificate is not meant for servers: the server's operator must get one with the extended key usage serverAuth.",
    47: "An authority in the chain may not issue certificates for this name (its name constraints forbid it).",
    48: "An authority in the chain may not issue certificates for this name (its name constraints forbid it).",
    62: "The certificate is for another host. Check the name in the URL, and that it leads to the server that you mean.",
    64: "The certificate does not name this IP address. Use a host name that the certificate names.",
    66: "The certificate's key is too small to be safe: the server's operator must renew it with a larger one.",
    67: "The key of an authority in the chain is too small to be safe: the server's operator needs a certificate of another one.",
    68: "The certificate is signed with an algorithm that is no longer safe: the server's operator must renew it.",
    79: "A certificate in the chain is used as an authority's, but is not one: the server's operator must correct the chain.",
}
_UNKNOWN_ISSUER = (
    "Nothing that is trusted here ({trusted}) issued this certificate. Either a private authority did, or a proxy that inspects TLS: "
    "{trust_it}, with its root certificate. Or the server leaves out an intermediate certificate, which its operator must add. Or only "
    "the operating system trusts the authority: use the truststore package."
)
_STRICT = (
    "The certificate, or one of its authorities', breaks a rule of RFC 5280 that VERIFY_X509_STRICT enforces, Python's default since "
    "3.13: it should be issued anew. Until then: context = httpx.SSLContext(...); context.verify_flags &= ~ssl.VERIFY_X509_STRICT."
)
_STRICT_CODES = range(80, 95)

_NO_TLS = "The server did not answer in TLS. If this port speaks plain HTTP, use http:// in the URL."
_HUNG_UP = (
    "The server hung up in the middle of the handshake. It may not speak TLS on this port (then use http:// in the URL), or refuse us."
)
_GIVE_CERT = "pass ssl_context=httpx.SSLContext(cert=('client.pem', 'client.key'))"

# By OpenSSL's reason, or its words where it gives no reason; the first that is part of it counts. What a server sends
# as an alert (RFC 8446 section 6.2) has ALERT in its name with few exceptions.
_REASONS = (
    ("WRONG_VERSION_NUMBER", _NO_TLS),
    ("RECORD_LAYER_FAILURE", _NO_TLS),
    ("PACKET_LENGTH_TOO_LONG", _NO_TLS),
    ("HTTP_REQUEST", "The server speaks plain HTTP on this port: use http:// in the URL."),
    ("CERTIFICATE_REQUIRED", f"The server wants a client certificate: {_GIVE_CERT}."),
    ("UNKNOWN_CA", "The server does not trust the authority that issued our client certificate: ask its operator which one it accepts."),
    ("BAD_CERTIFICATE_STATUS", "The server does not accept the revocation status that it was sent."),
    ("BAD_CERTIFICATE", f"The server refused our client certificate, or wants one: {_GIVE_CERT}."),
    ("UNSUPPORTED_CERTIFICATE", "The server cannot use our client certificate: ask its operator which kind of key and usage it accepts."),
    ("CERTIFICATE_EXPIRED", "The server says that our client certificate has expired: renew it."),
    ("CERTIFICATE_REVOKED", "The server says that our client certificate was revoked: get a new one."),
    ("CERTIFICATE_UNKNOWN", "The server does not accept our client certificate: ask its operator which ones it accepts."),
    ("ACCESS_DENIED", "The server knows our client certificate, and does not let it in: ask its operator."),
    ("DECRYPT_ERROR", "The server could not verify a signature of the handshake: the key of our client certificate may not suit it."),
    ("INSUFFICIENT_SECURITY", "The server demands stronger ciphers than those that this side offers: see set_ciphers() of the context."),
    ("HANDSHAKE_FAILURE", f"The two sides have no cipher or signature in common, or the server wants a client certificate: {_GIVE_CERT}."),
    ("PROTOCOL_VERSION", "The server speaks only TLS versions that are refused here as unsafe (TLS 1.2 is the least), or only newer ones."),
    ("UNSUPPORTED_PROTOCOL", "The server speaks only TLS versions that are refused here as unsafe (TLS 1.2 is the least)."),
    ("NO_SHARED_CIPHER", "The two sides have no cipher in common."),
    ("NO_APPLICATION_PROTOCOL", "The server speaks none of the HTTP versions that this side offers (ALPN)."),
    ("UNRECOGNIZED_NAME", "The server has no site of this name: check the host in the URL, and that it leads to the server that you mean."),
    ("UNSAFE_LEGACY_RENEGOTIATION", "The server lacks secure renegotiation (RFC 5746): its operator must update it."),
    ("DH_KEY_TOO_SMALL", "The server's key exchange is too weak to be safe: its operator must configure a larger group."),
    ("EE_KEY_TOO_SMALL", "The certificate's key is too small to be safe: the server's operator must renew it with a larger one."),
    ("INTERNAL_ERROR", "The server failed by its own account: its operator finds the reason in its log."),
    ("UNEXPECTED_EOF", _HUNG_UP),
    ("CONNECTION_HAS_BEEN_CLOSED", _HUNG_UP),
)


def explain_handshake_failure(error: Exception, host: str, port: int | None, context: ssl.SSLContext) -> tuple[str, list[str]]:
    """The message for a failed handshake, and notes that say what it means and what to do about it."""
    peer = host if port is None else f"{host}:{port}"
    message = f"{str(error) or 'the server closed the connection'} (TLS handshake with {peer})"
    remedy = explain_tls_error(error, context)
    return message, [] if remedy is None else [remedy]


def explain_tls_error(error: Exception, context: ssl.SSLContext | None = None) -> str | None:
    """In plain words what a TLS error means and what to do, if that is known.

    Also for errors while reading: in TLS 1.3 a server refuses a client's certificate after the handshake. With `context`
    the words say what was trusted.
    """
    if isinstance(error, ssl.SSLCertVerificationError):
        return _explain_verification(getattr(error, "verify_code", None), context)
    if isinstance(error, ssl.SSLError):
        # An error that Python code raised has no `reason`, not even None.
        reason = f"{getattr(error, 'reason', None) or ''} {error}".upper().replace(" ", "_")
        return next((remedy for part, remedy in _REASONS if part in reason), None)
    if isinstance(error, (ConnectionError, EOFError)):
        return _HUNG_UP
    return None


def _explain_verification(code: int | None, context: ssl.SSLContext | None) -> str | None:
    if code in _STRICT_CODES:
        return _STRICT
    verify = getattr(context, "_verify", None)
    path = os.fsdecode(verify) if isinstance(verify, (str, os.PathLike)) else None
    if path is not None and (code in _ISSUER_UNKNOWN or code == _ROOT_UNKNOWN) and os.path.isdir(path) and not holds_hashed_names(path):
        return (
            f"verify= names the directory {path!r}, in which OpenSSL finds nothing: certificates must be named by their hash there "
            f"(such as 5ed36f99.0). Run: openssl rehash {path}"
        )
    template = _UNKNOWN_ISSUER if code in _ISSUER_UNKNOWN else _VERIFY_CODES.get(code or 0)
    if template is None:
        return None
    return template.format(
        today=time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
        trusted=_describe_trust(verify, path),
        trust_it="pass ssl_context=httpx.SSLContext(verify='path/to/it.pem')",
    )


def _describe_trust(verify: object, path: str | None) -> str:
    if path is not None:
        return f"verify={path!r}"
    return "certifi's bundle, verify=True" if verify is True else "what the ssl.SSLContext in use was given"
