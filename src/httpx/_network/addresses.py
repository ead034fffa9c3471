"""From a host name to addresses, and what to say when none of them answered."""

from __future__ import annotations

import os
import socket
import threading
import typing

from .._exceptions import ConnectError, ConnectTimeout

Address = tuple[socket.AddressFamily, typing.Any]
"""A family and the socket address in it."""

DEFAULT_SOCKET_OPTIONS = (
    (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
)


def literal_address(host: str, port: int) -> list[Address] | None:
    """The address that `host` spells out, or None if it is a name. Asks nobody."""
    if not (":" in host or host[-1:].isdigit()):
        return None
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except socket.gaierror:
        return None
    return [(family, address) for family, _, _, _, address in found]


def look_up(host: str, port: int) -> list[Address]:
    """Ask the system's resolver; blocks. Raises `ConnectError`."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError) as error:
        raise ConnectError(f"The name {host!r} could not be resolved: {error} (for {peer_name(host, port)})") from error
    return [(family, address) for family, _, _, _, address in found]


def look_up_within(host: str, port: int, timeout: float | None) -> list[Address]:
    """`look_up` under a time-out, which the system's resolver does not have. Raises `ConnectError` or `ConnectTimeout`."""
    if timeout is None:
        return look_up(host, port)
    outcome: list[list[Address] | BaseException] = []

    def work() -> None:
        try:
            outcome.append(look_up(host, port))
        except BaseException as error:
            outcome.append(error)

    thread = threading.Thread(target=work, name=f"httpx-resolve-{host}", daemon=True)
    thread.start()
    thread.join(timeout)
    if not outcome:
        raise ConnectTimeout(f"Resolving the name {host!r} took longer than {timeout:g} seconds.")
    if isinstance(outcome[0], BaseException):
        raise outcome[0]
    return outcome[0]


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


def connect_error(host: str, port: int, failures: list[tuple[typing.Any, OSError]]) -> ConnectError:
    """One error for all the attempts: it names each address and what became of it, and carries the causes."""
    peer = peer_name(host, port)
    if not failures:
        return ConnectError(f"The name {host!r} has no address to connect to (for {peer}).")
    attempts = [f"{peer_name(str(address[0]), address[1])}: {reason(error)}" for address, error in failures]
    if len(failures) == 1:
        told = f"Could not connect to {peer}: {reason(failures[0][1])}"
        failed = ConnectError(told if attempts[0].startswith(peer) else f"{told} ({attempts[0]})")
        failed.__cause__ = failures[0][1]
        return failed
    failed = ConnectError(f"Could not connect to {peer}, none of its addresses answered ({'; '.join(attempts)})")
    failed.__cause__ = ExceptionGroup(f"connecting to {peer}", [error for _, error in failures])
    return failed
