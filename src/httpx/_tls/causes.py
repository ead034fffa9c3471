"""Why a TLS connection fails, in words: for each cause what it means, and what to do.

The names are stable: `error.report.cause` is one of them, and each is a section of docs/tls-errors.md. The braces are
filled in by diagnosis.py.
"""

from __future__ import annotations

import typing


class Cause(typing.NamedTuple):
    """What happened, and what to do about it. Templates, until a diagnosis fills them in."""

    meaning: str
    remedy: str


_TRUST_IT = "ssl_context=httpx.SSLContext(verify='path/to/it.pem')"
_ADD_IT = "{add_it}"
GIVE_CERT = "ssl_context=httpx.SSLContext(cert=('client.pem', 'client.key'))"
_RENEW = "The server's operator must get a new certificate"
ASK_WHICH = "Ask the server's operator which certificates are accepted."

CAUSES = {
    # Verification of the server's certificate failed.
    "certificate-expired": Cause(
        "The server's certificate expired{on_expiry}.",
        "The server's operator must renew it. If others can connect, set this machine's clock: it says {today}.",
    ),
    "certificate-not-yet-valid": Cause(
        "{not_yet_valid}",
        "Either this machine's clock is slow (it says {today}) and must be set, or the server's operator installed the certificate early.",
    ),
    "authority-expired": Cause(
        "{authority_expiry}",
        "{renew_authority} If others can connect, set this machine's clock: it says {today}.",
    ),
    "wrong-name": Cause(
        "The certificate is for another host: {names}, and not {host}{and_expired}.",
        "Check the host in the URL, and that it leads to the server that you mean. {similar}",
    ),
    "no-names": Cause(
        "The certificate names no host or address as subject alternative name; its common name does not count (RFC 9110 section 4.3.4).",
        f"{_RENEW}, for the name {{host}}.",
    ),
    "self-signed": Cause(
        "The server's certificate is self-signed: no authority vouches for it.",
        "If it is the one that you expect (SHA-256 {fingerprint}), save it (error.report.chain[0].as_pem() is its PEM form) and trust "
        f"exactly this one: {_TRUST_IT}.{{besides}}",
    ),
    "untrusted-root": Cause(
        "The chain ends in a root certificate that is not trusted here ({trusted}): {root}.",
        "If it belongs to your organisation (a private authority, or a proxy that inspects TLS), get it from there as PEM and add it: "
        f"{_ADD_IT}.{{besides}}",
    ),
    "intercepted": Cause(
        "The certificate was not issued by a public authority, but by {product}: something on the way inspects TLS, and is not trusted "
        "here ({trusted}).",
        f"If your organisation does this on purpose, get its root certificate and add it: {_ADD_IT}. If not, someone is reading along."
        "{besides}",
    ),
    "trusted-by-system-only": Cause(
        "This operating system trusts the authority that issued the certificate ({issuer}), but what is trusted here does not include it "
        "({trusted}).",
        "Ask the operating system: ssl_context=ssl.create_default_context(), or a context of the truststore package.{besides}",
    ),
    "missing-intermediate": Cause(
        "The server left out an intermediate certificate: {issuer}, which issued {subject}.",
        f"The server's operator must add it to the chain{{where_to_get_it}}. Until then, save it as PEM and add it: {_ADD_IT}.{{besides}}",
    ),
    "unknown-authority": Cause(
        "No authority that is trusted here ({trusted}) vouches for the server's certificate: its chain ends with {issuer}, which is not "
        "known here.",
        f"If that is a private authority, or a proxy that inspects TLS, add its root certificate: {_ADD_IT}. Otherwise the server may have "
        "left out an intermediate certificate, which its operator must add.{besides}",
    ),
    "not-a-root": Cause(
        "The server's certificate, or one above it, is trusted here ({trusted}), but is no root certificate, and OpenSSL wants the root.",
        f"Add the root certificate: {_ADD_IT}. Or let it do as it is, Python's default since 3.13: context = httpx.SSLContext(...); "
        "context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN.{besides}",
    ),
    "unhashed-directory": Cause(
        "verify= names the directory {directory!r}, in which OpenSSL finds nothing: certificates must be named by their hash there (such "
        "as 5ed36f99.0).",
        "Run: openssl rehash {directory}",
    ),
    "weak-key": Cause(
        "A key in the chain of certificates is too small to be safe{weak_key}.",
        f"{_RENEW} with a larger key (RSA 2048 or P-256 at least).",
    ),
    "weak-signature": Cause(
        "A certificate in the chain is signed with an algorithm that is no longer safe{weak_signature}.",
        f"{_RENEW}, signed over SHA-256 or better.",
    ),
    "bad-signature": Cause(
        "The signature of a certificate in the chain does not belong to it: it was altered, or another authority has the same name.",
        "The server's operator must correct the chain of certificates.",
    ),
    "wrong-purpose": Cause(
        "A certificate in the chain is used for what it was not issued for: the server's own must be meant for servers.",
        f"{_RENEW} with the extended key usage serverAuth and the key usage digitalSignature.",
    ),
    "not-an-authority": Cause(
        "A certificate in the chain is used as an authority's, but is none.",
        "The server's operator must correct the chain of certificates.",
    ),
    "name-constraints": Cause(
        "An authority in the chain may not issue certificates for this name: its name constraints forbid it.",
        f"{_RENEW} of another authority.",
    ),
    "chain-too-long": Cause(
        "The server's certificates are too many or too large: an authority in the chain allows fewer below it, or OpenSSL takes no more "
        "(100 certificates, 100 kB).",
        "The server's operator must send the intermediate certificates that are needed, and no others.",
    ),
    "unknown-critical-extension": Cause(
        "A certificate in the chain has an extension that must not be ignored, and that OpenSSL cannot judge or finds invalid.",
        f"{_RENEW}.",
    ),
    "strict-rules": Cause(
        "A certificate in the chain breaks a rule of RFC 5280 ({check}), which VERIFY_X509_STRICT enforces, Python's default since 3.13.",
        f"{_RENEW}. Until then: context = httpx.SSLContext(...); context.verify_flags &= ~ssl.VERIFY_X509_STRICT.",
    ),
    "revoked": Cause(
        "The authority has revoked {revoked}: its key may be in the wrong hands.",
        "Do not trust this server until it has a new certificate.",
    ),
    "no-revocation-list": Cause(
        "Certificates are to be checked against revocation lists here, and {list_problem}.",
        "Pass its current list: httpx.SSLContext(..., crl='path/to/list.pem').",
    ),
    "pin-mismatch": Cause(
        "No public key in the verified chain is one of those that pins= names for {host}; the server's own is {pin}.",
        "If the server's key was changed on purpose, add this pin. If not, someone may have got hold of a certificate for the name.",
    ),
    "not-verified": Cause(
        "The server's certificate was refused: {check}.",
        "The words are OpenSSL's, or those of the ssl.SSLContext in use; its documentation tells more.",
    ),
    # The server refuses us, or our certificate.
    "client-certificate-required": Cause(
        "The server wants a client certificate.",
        f"Pass one: {GIVE_CERT}.",
    ),
    "client-certificate-refused": Cause(
        "The server does not accept our client certificate{refusal}.",
        "{after_refusal}{if_none}",
    ),
    "access-denied": Cause(
        "The server's rules do not let us in.",
        f"{ASK_WHICH}{{if_none}}",
    ),
    "unknown-name": Cause(
        "The server has no site of the name {host}.",
        "Check the host in the URL, and that it leads to the server that you mean.",
    ),
    # The two sides have nothing in common.
    "protocol-version": Cause(
        "The server speaks none of the TLS versions that are allowed here ({versions}).",
        "{allow_version}",
    ),
    "no-common-cipher": Cause(
        "The server can use nothing of what is offered here ({versions}, {ciphers} ciphers): there is no cipher, group, or kind of key in "
        "common. Some servers say the same if they want a client certificate.",
        "The server's operator must allow current ciphers, and use a common kind of key (RSA 2048, P-256). Until then, for this server "
        "alone: context.set_ciphers('DEFAULT:@SECLEVEL=0').{if_wanted}",
    ),
    "nothing-to-offer": Cause(
        "The ssl.SSLContext in use is at odds with itself: {nothing}. The server was asked nothing.",
        "Change its minimum_version and maximum_version, its options (ssl.OP_NO_TLSv1_2 and the like), or what it was given with "
        "set_ciphers().",
    ),
    "weak-key-exchange": Cause(
        "The server's key exchange is too weak to be safe.",
        "The server's operator must configure a larger group, or elliptic curves. Until then, for this server alone: "
        "context.set_ciphers('DEFAULT:@SECLEVEL=1').",
    ),
    "unsafe-renegotiation": Cause(
        "The server lacks secure renegotiation (RFC 5746).",
        "The server's operator must update it. Until then, for this server alone: context.options |= 0x4 "
        "(ssl.OP_LEGACY_SERVER_CONNECT, a name since Python 3.12).",
    ),
    "renegotiation-refused": Cause(
        "The server wanted to negotiate TLS anew in the middle of the connection, which is refused here.",
        f"It may want a client certificate: {GIVE_CERT}. If it insists: context.options &= ~ssl.OP_NO_RENEGOTIATION.",
    ),
    "no-common-protocol": Cause(
        "The server speaks none of the HTTP versions that this side offers (ALPN).",
        "Allow another version: http1=True or http2=True of the client.",
    ),
    # It never was TLS, or ended early.
    "not-tls": Cause(
        "The server did not answer in TLS.",
        "If this port speaks plain HTTP, use http:// in the URL. If another service answers there (mail, SSH, a database), the port is "
        "wrong.",
    ),
    "hung-up": Cause(
        "The server hung up in the middle of the handshake.",
        "It may not speak TLS on this port (then use http:// in the URL), or refuse us; its log may tell.",
    ),
    "hung-up-after-handshake": Cause(
        "The server broke the connection off right after the TLS handshake.",
        f"It may want a client certificate: {GIVE_CERT}; or accept another one than ours. Its log may tell.",
    ),
    "server-error": Cause(
        "The server failed by its own account.",
        "Its operator finds the reason in its log.",
    ),
    "broken-off": Cause(
        "The server broke the handshake off, since it cannot do with what it was sent{alert}.",
        "Its operator finds the reason in its log. Old servers, and boxes on the way, fail at what is new to them; this tells whether it "
        "is TLS 1.3: context.maximum_version = ssl.TLSVersion.TLSv1_2.",
    ),
    "against-the-rules": Cause(
        "What the server sent breaks the rules of TLS.",
        "Its TLS is broken, or a box on the way alters what it sends: try from another network, and tell its operator.",
    ),
    "handshake-failed": Cause(
        "The TLS handshake failed, for none of the usual reasons.",
        "OpenSSL's words above are all that is known. If the ssl.SSLContext in use was changed, try without the changes.",
    ),
}

# By X509_V_ERR_* code (openssl/x509_vfy.h).
BY_VERIFY_CODE = {
    2: "not-a-root",
    **dict.fromkeys((20, 21), "unknown-authority"),
    **dict.fromkeys((3, 5, 8, 11, 12, 15, 16, 33, 35, 36, 44, 54), "no-revocation-list"),
    **dict.fromkeys((4, 6, 7, 24, 76, 77, 78), "bad-signature"),
    **dict.fromkeys((9, 13), "certificate-not-yet-valid"),
    **dict.fromkeys((10, 14), "certificate-expired"),
    18: "self-signed",
    19: "untrusted-root",
    **dict.fromkeys((22, 25), "chain-too-long"),
    23: "revoked",
    26: "wrong-purpose",
    **dict.fromkeys((32, 37, 79), "not-an-authority"),
    **dict.fromkeys((34, 40, 41, 42, 45), "unknown-critical-extension"),
    **dict.fromkeys((47, 48, 49, 51, 52, 53), "name-constraints"),
    **dict.fromkeys((62, 64), "wrong-name"),
    **dict.fromkeys((66, 67), "weak-key"),
    68: "weak-signature",
    **dict.fromkeys(range(80, 95), "strict-rules"),
}

# By OpenSSL's reason, or its words where it gives no reason; the first that is part of it counts. What a server sends
# as an alert (RFC 8446 section 6.2) has ALERT in its name with few exceptions.
BY_REASON = (
    ("WRONG_VERSION_NUMBER", "not-tls"),
    ("RECORD_LAYER_FAILURE", "not-tls"),
    ("PACKET_LENGTH_TOO_LONG", "not-tls"),
    ("HTTP_REQUEST", "not-tls"),
    ("BAD_CERTIFICATE_STATUS_RESPONSE", "broken-off"),
    ("BAD_CERTIFICATE_HASH_VALUE", "broken-off"),
    ("CERTIFICATE_REQUIRED", "client-certificate-required"),
    ("UNKNOWN_CA", "client-certificate-refused"),
    ("BAD_CERTIFICATE", "client-certificate-refused"),
    ("UNSUPPORTED_CERTIFICATE", "client-certificate-refused"),
    ("CERTIFICATE_EXPIRED", "client-certificate-refused"),
    ("CERTIFICATE_REVOKED", "client-certificate-refused"),
    ("CERTIFICATE_UNKNOWN", "client-certificate-refused"),
    ("DECRYPT_ERROR", "client-certificate-refused"),
    ("ACCESS_DENIED", "access-denied"),
    ("INSUFFICIENT_SECURITY", "no-common-cipher"),
    ("HANDSHAKE_FAILURE", "no-common-cipher"),
    ("NO_SHARED_CIPHER", "no-common-cipher"),
    ("NO_CIPHERS_AVAILABLE", "nothing-to-offer"),
    ("PROTOCOL_VERSION", "protocol-version"),
    ("UNSUPPORTED_PROTOCOL", "protocol-version"),
    ("NO_PROTOCOLS_AVAILABLE", "nothing-to-offer"),
    ("NO_APPLICATION_PROTOCOL", "no-common-protocol"),
    ("UNRECOGNIZED_NAME", "unknown-name"),
    ("UNSAFE_LEGACY_RENEGOTIATION", "unsafe-renegotiation"),
    ("DH_KEY_TOO_SMALL", "weak-key-exchange"),
    ("BAD_ECPOINT", "weak-key-exchange"),
    ("EE_KEY_TOO_SMALL", "weak-key"),
    ("CA_KEY_TOO_SMALL", "weak-key"),
    ("CA_MD_TOO_WEAK", "weak-signature"),
    ("WRONG_SIGNATURE_TYPE", "weak-signature"),
    ("INTERNAL_ERROR", "server-error"),
    ("EXCESSIVE_MESSAGE_SIZE", "chain-too-long"),
    ("UNEXPECTED_EOF", "hung-up"),
    ("CONNECTION_HAS_BEEN_CLOSED", "hung-up"),
    ("ALERT", "broken-off"),
    ("TLSV1_", "broken-off"),  # alerts that OpenSSL calls otherwise
    ("UNKNOWN_ERROR", "broken-off"),  # and those that it does not know
    *(
        (part, "against-the-rules")
        for part in ("UNEXPECTED_", "BAD_", "WRONG_", "INVALID_", "LENGTH_", "DECODE_", "DECRYPTION_", "UNKNOWN_")
    ),
)

REFUSALS = {
    "UNKNOWN_CA": Cause(
        "it does not trust the authority that issued it",
        "Use one of an authority that the server trusts. If there are intermediate certificates, they belong into its file, below it.",
    ),
    "CERTIFICATE_EXPIRED": Cause("it says that it has expired", "Renew it. If it is in date, the server's clock is wrong."),
    "CERTIFICATE_REVOKED": Cause("it says that it was revoked", "Get a new one."),
    "UNSUPPORTED_CERTIFICATE": Cause(
        "it cannot use this kind of key, or what it was issued for",
        "Get one with the extended key usage clientAuth, and a common kind of key (RSA 2048, P-256).",
    ),
    "DECRYPT_ERROR": Cause("it could not verify a signature of the handshake", "Its operator finds the reason in its log."),
}

# Products that decrypt TLS on its way, by what their root certificates are called.
INSPECTORS = (
    ("zscaler", "Zscaler"),
    ("netskope", "Netskope"),
    ("fortinet", "Fortinet FortiGate"),
    ("fortigate", "Fortinet FortiGate"),
    ("palo alto", "Palo Alto Networks"),
    ("blue coat", "Blue Coat"),
    ("bluecoat", "Blue Coat"),
    ("cisco umbrella", "Cisco Umbrella"),
    ("forcepoint", "Forcepoint"),
    ("websense", "Websense"),
    ("sophos", "Sophos"),
    ("check point", "Check Point"),
    ("watchguard", "WatchGuard"),
    ("barracuda", "Barracuda"),
    ("skyhigh", "Skyhigh Security"),
    ("mcafee web gateway", "McAfee Web Gateway"),
    ("cloudflare gateway", "Cloudflare Gateway"),
    ("cloudflare for teams", "Cloudflare Gateway"),
    ("kaspersky", "Kaspersky"),
    ("avast", "Avast"),
    ("avg technologies", "AVG"),
    ("bitdefender", "Bitdefender"),
    ("eset ssl filter", "ESET"),
    ("mitmproxy", "mitmproxy"),
    ("charles proxy", "Charles Proxy"),
    ("do_not_trust_fiddlerroot", "Fiddler"),
    ("portswigger", "Burp Suite"),
    ("owasp zed attack proxy", "ZAP"),
)
