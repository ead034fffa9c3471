"""One TLS connection for its own sake: what a server presents, and whether it would be trusted."""

from __future__ import annotations

import ssl
import time
import typing

from .._exceptions import ReadError, ReadTimeout, TLSError
from .._network.base import Network, Stream, drive
from .._network.failures import first_exchange_error, has_ticket
from .establish import Dialer, Route

if typing.TYPE_CHECKING:
    from .._tls.report import TLSReport


_PATIENCE = 0.5  # seconds that a server has to say that it does not accept us, if it does not say that it does
_GLANCE = 0.02  # seconds between two looks for what it says


def inspect_tls(
    host: str,
    port: int = 443,
    *,
    ssl_context: ssl.SSLContext | None = None,
    server_name: str | None = None,
    http2: bool = False,
    timeout: float | None = 5.0,
) -> TLSReport:
    """Connect once, do the TLS handshake, hang up, and report: the chain, what was checked, what is wrong and what to do.

    Whatever fails in TLS is in the report (`report.is_ok`, `report.cause`) and not raised; `print(report.render())` shows it.
    A server with TLS 1.3 has half a second to refuse our certificate, or its absence, unless it says earlier that it accepts us.
    `ssl_context` is what a client would be given, by default certifi's bundle; `server_name` the name to ask for and to
    verify, by default the host; with `http2` it is offered; `timeout` in seconds is for connecting and the handshake together.

    Raises `ConnectError` or `ConnectTimeout` if there is no connection on which to do a handshake.
    """
    from .._network.blocking import BlockingNetwork

    return drive(_inspect(BlockingNetwork(), host, port, ssl_context, server_name, http2, timeout))


async def ainspect_tls(
    host: str,
    port: int = 443,
    *,
    ssl_context: ssl.SSLContext | None = None,
    server_name: str | None = None,
    http2: bool = False,
    timeout: float | None = 5.0,
) -> TLSReport:
    """As `inspect_tls`, for asyncio and trio."""
    from .._network.runtime import current_network

    network = current_network()
    try:
        return await _inspect(network, host, port, ssl_context, server_name, http2, timeout)
    finally:
        await network.settle()


async def _inspect(
    network: Network,
    host: str,
    port: int,
    ssl_context: ssl.SSLContext | None,
    server_name: str | None,
    http2: bool,
    timeout: float | None,
) -> TLSReport:
    dialer = Dialer(ssl_context=ssl_context, http2=http2)
    host = host.strip("[]")
    try:
        stream = await dialer.dial(network, Route("https", host, port, server_name or host, network.realm()), timeout)
        try:
            await _until_accepted(stream)
            resumable = _is_resumable(stream)
        finally:
            stream.close()
    except TLSError as error:
        if error.report is None:
            raise
        return error.report
    from .._tls.default import default_context
    from .._tls.diagnosis import describe_trust
    from .._tls.report import TLSReport

    trusted = describe_trust(default_context() if ssl_context is None else ssl_context)
    chain = () if stream.tls is None else stream.tls.chain
    return TLSReport(server_name or host, port, None, None, None, None, trusted, chain, None, stream.tls, resumable)


def _is_resumable(stream: Stream) -> bool | None:
    # TLS 1.3 always does it with tickets (RFC 8446 section 2.2), TLS 1.2 also with what the server remembers (RFC 5246 section 7.3).
    tls = stream.info("ssl_object")
    if stream.tls is None or tls is None:
        return None
    if has_ticket(tls) or stream.tls.version == "TLSv1.3":
        return has_ticket(tls)
    try:
        return tls.session is not None and bool(tls.session.id)
    except (ssl.SSLError, ValueError):  # one that OpenSSL cannot encode is never resumed
        return False


async def _until_accepted(stream: Stream) -> None:
    # In TLS 1.3 the client is done before the server has seen its certificate, or that there is none. Raises `TLSError` if it is
    # refused; a session ticket comes only to those that are accepted (RFC 8446 section 4.6.1).
    if stream.tls is None or stream.tls.version != "TLSv1.3":
        return
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until and not has_ticket(stream.info("ssl_object")):
        try:
            if await stream.receive(_GLANCE):
                return
            raise first_exchange_error(ReadError(f"{stream.peer} hung up."), stream)
        except ReadTimeout:
            continue
        except ReadError as error:
            told = first_exchange_error(error, stream)
            if isinstance(told, TLSError):
                raise told from error
            return
