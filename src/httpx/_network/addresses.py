"""Socket addresses: the sockets that connect to them, and what to say when none of them answered."""

from __future__ import annotations

import os
import socket
import typing

from .._exceptions import ConnectError, ConnectTimeout
from .race import Address, Race
from .words import seconds

DEFAULT_SOCKET_OPTIONS = (
    (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
)


def literal_address(host: str, port: int) -> list[Address] | None:
    """The address that `host` spells out, or None if it is a name. Asks nobody."""
    if not (":" in host or host[-1:].isdigit()):
        return None
    try:
        socket.inet_pton(socket.AF_INET, host)  # what getaddrinfo() takes twenty times as long for
        return [(socket.AF_INET, (host, port))]
    except (OSError, ValueError):
        pass
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except (socket.gaierror, UnicodeError):
        return None
    return [(family, address) for family, _, _, _, address in found]


def peer_name(host: str, port: int) -> str:
    """`host:port`, with the brackets that an IPv6 address needs."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def new_socket(family: int, local_address: str | None, options: typing.Iterable[typing.Any]) -> socket.socket:
    """A TCP socket with the options set, bound to `local_address` if one is given. Raises `OSError`."""
    connection = socket.socket(family, socket.SOCK_STREAM)
    try:
        for option in (*DEFAULT_SOCKET_OPTIONS, *options):
            connection.setsockopt(*option)
        if local_address is not None:
            connection.bind((local_address, 0))
    except BaseException:
        connection.close()
        raise
    return connection


def reason(error: OSError) -> str:
    """What the operating system says: "Connection refused". asyncio puts words of its own in its place."""
    return os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)


def connect_error(peer: str, failures: typing.Sequence[tuple[Address, OSError]]) -> ConnectError:
    """One error for all the attempts: it names each address and what became of it, and carries the causes."""
    attempts = _attempts(failures)
    if len(failures) == 1:
        told = f"Could not connect to {peer}: {reason(failures[0][1])}"
        failed = ConnectError(told if attempts[0].startswith(peer) else f"{told} ({attempts[0]})")
        failed.__cause__ = failures[0][1]
        return failed
    failed = ConnectError(f"Could not connect to {peer}, none of its addresses answered ({'; '.join(attempts)})")
    failed.__cause__ = ExceptionGroup(f"connecting to {peer}", [error for _, error in failures])
    return failed


def connect_timeout(peer: str, timeout: float | None, race: Race | None = None) -> ConnectTimeout:
    """The error for attempts that did not end in time; it names each address if there were several."""
    told = f"Connecting to {peer} took longer than {seconds(timeout)}"
    if race is None:
        return ConnectTimeout(f"{told}.")
    attempts = _attempts(race.failures)
    attempts += [f"{_shown(address)}: no answer" for address in race.unanswered]
    attempts += [f"{_shown(address)}: not tried yet" for address in race.untried]
    return ConnectTimeout(f"{told} ({'; '.join(attempts)}).")


def _attempts(failures: typing.Sequence[tuple[Address, OSError]]) -> list[str]:
    return [f"{_shown(address)}: {reason(error)}" for address, error in failures]


def _shown(address: Address) -> str:
    return peer_name(str(address[1][0]), address[1][1])
