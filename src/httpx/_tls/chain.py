"""The chains of a TLS connection, as DER: public in `ssl` since Python 3.13, and there before."""

from __future__ import annotations

import ssl
import typing

_DER = 2  # _ssl.ENCODING_DER


def verified_chain(tls: ssl.SSLObject | ssl.SSLSocket) -> tuple[bytes, ...]:
    """The chain that was verified, the server's certificate first, a trusted one last. Empty for a resumed session."""
    return _read(tls, "get_verified_chain")


def presented_chain(tls: ssl.SSLObject | ssl.SSLSocket) -> tuple[bytes, ...]:
    """The certificates that the server sent, also after a handshake that failed."""
    return _read(tls, "get_unverified_chain")


def _read(tls: ssl.SSLObject | ssl.SSLSocket, method: str) -> tuple[bytes, ...]:
    try:
        chain: typing.Any = getattr(tls._sslobj, method)()  # type: ignore[union-attr]
        return tuple(bytes(certificate.public_bytes(_DER)) for certificate in chain or ())
    except (AttributeError, ValueError, ssl.SSLError):
        return ()
