"""The one place where the failures of `ssl` become exceptions of HTTPX."""

from __future__ import annotations

import ssl

from .._exceptions import ConnectError, ReadError
from .._tls.errors import explain_handshake_failure, explain_tls_error


def handshake_error(error: Exception, peer: str, context: ssl.SSLContext) -> ConnectError:
    """The `ConnectError` for a handshake that failed: OpenSSL's words first, the explanation in its notes."""
    host, _, port = peer.rpartition(":")
    message, notes = explain_handshake_failure(error, host, int(port) if port.isdigit() else None, context)
    failed = ConnectError(message)
    for note in notes:
        failed.add_note(note)
    return failed


def read_error(error: Exception, peer: str) -> ReadError | ConnectError:
    """The exception for a failed read.

    In TLS 1.3 a server that refuses the client's certificate says so after the handshake: that still is a failure to
    connect.
    """
    if isinstance(error, ssl.SSLError) and "ALERT" in (error.reason or ""):
        failed: ReadError | ConnectError = ConnectError(f"{error} (TLS with {peer})")
    else:
        failed = ReadError(f"Receiving from {peer} failed: {error}")
    remedy = explain_tls_error(error) if isinstance(error, ssl.SSLError) else None
    if remedy is not None:
        failed.add_note(remedy)
    return failed
