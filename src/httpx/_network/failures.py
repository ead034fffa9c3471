"""The one place where the failures of `ssl` become exceptions of HTTPX."""

from __future__ import annotations

import ssl
import typing

from .._exceptions import CertificateVerifyError, ReadError, TLSError, TransportError, WriteError
from .._tls.connection import context_of
from .words import receiving_failed

if typing.TYPE_CHECKING:
    from .base import Stream


def handshake_error(error: BaseException, peer: str, context: ssl.SSLContext) -> TLSError:
    """The exception for a handshake that failed: OpenSSL's words first, then what they mean and what to do."""
    if not isinstance(error, ssl.SSLError) and isinstance(error.__cause__, ssl.SSLError):
        error = error.__cause__  # runtimes may wrap it
    return _tls_error(error, peer, context, f"TLS handshake with {peer}")


def read_error(error: Exception, peer: str) -> ReadError | TLSError:
    """The exception for a failed read.

    In TLS 1.3 a server that refuses the client's certificate says so after the handshake: that still is a failure to
    connect.
    """
    if isinstance(error, ssl.SSLError) and "ALERT" in (error.reason or ""):
        return _tls_error(error, peer, None, f"TLS with {peer}", after_handshake=True)
    return receiving_failed(peer, error)


def first_exchange_error(error: TransportError, stream: Stream) -> TransportError:
    """The exception for a new connection that broke before the first byte of an answer.

    In TLS 1.3 the client is done before the server has seen its certificate, or that there is none. A server that then
    refuses it sends an alert and hangs up, and the reset may overtake the alert. Session tickets, on the other hand, come only
    after the server has accepted the client (RFC 8446 section 4.6.1).
    """
    if stream.tls is None:
        error.add_note("If the server speaks TLS on this port, use https:// in the URL.")
        return error
    tls = stream.info("ssl_object")
    if stream.tls.version != "TLSv1.3" or has_ticket(tls):  # the TLS object forgets its version when it fails
        return error
    if isinstance(error, (ReadError, WriteError)):
        context = None if tls is None else context_of(tls)
        return _tls_error(error.__cause__ or error, stream.peer, context, f"TLS with {stream.peer}", after_handshake=True)
    from .._tls.causes import CAUSES

    error.add_note(CAUSES["hung-up-after-handshake"].remedy)
    return error


def has_ticket(tls: ssl.SSLObject | ssl.SSLSocket | None) -> bool:
    """Whether the server has sent a session ticket, before which TLS 1.3 leaves open whether it accepts the client."""
    try:  # a transport that has failed may have let go of its TLS object
        return tls is not None and tls.session is not None and tls.session.has_ticket
    except (ssl.SSLError, ValueError):
        return False


def _tls_error(error: BaseException, peer: str, context: ssl.SSLContext | None, where: str, after_handshake: bool = False) -> TLSError:
    from .._tls.diagnosis import diagnose, notes_on  # what only failures need is imported by failures only

    host, _, port = peer.rpartition(":") if ":" in peer else (peer, "", "")
    report = diagnose(error, host, int(port) if port.isdigit() else None, context, after_handshake)
    message = f"{_words_of(error)} ({where}). {report.meaning} {report.remedy} (Documentation: TLS errors, {report.cause}.)"
    failed = (CertificateVerifyError if isinstance(error, ssl.SSLCertVerificationError) else TLSError)(message)
    failed.report = report
    for note in notes_on(report):
        failed.add_note(note)
    return failed


def _words_of(error: BaseException) -> str:
    # An end of the connection is found by OpenSSL on some runtimes, and by the event loop on others: it is told in the same words.
    if isinstance(error, (EOFError, ssl.SSLEOFError)) or (isinstance(error, ConnectionError) and error.errno is None):
        return "[SSL: UNEXPECTED_EOF_WHILE_READING] EOF occurred in violation of protocol"
    # An SSLError with nothing but words shows them as a tuple.
    return str(error.args[0] if isinstance(error, ssl.SSLError) and len(error.args) == 1 else error)
