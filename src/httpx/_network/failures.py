"""The one place where a failed TLS handshake becomes an exception of HTTPX."""

from __future__ import annotations

import ssl

from .._exceptions import ConnectError
from .._tls.errors import explain_handshake_failure


def handshake_error(error: Exception, peer: str, context: ssl.SSLContext) -> ConnectError:
    """The `ConnectError` for a handshake that failed: OpenSSL's words first, the explanation in its notes."""
    host, _, port = peer.rpartition(":")
    message, notes = explain_handshake_failure(error, host, int(port) if port.isdigit() else None, context)
    failed = ConnectError(message)
    for note in notes:
        failed.add_note(note)
    return failed
