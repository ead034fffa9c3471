from __future__ import annotations

import contextlib
import os
import socket
import ssl
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.support.certificates import Authority

PATIENCE = 10.0  # seconds; nothing here waits that long unless it is broken


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """An authority that nobody trusts by default."""
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Another authority, unknown to the first."""
    return Authority(tmp_path_factory.mktemp("stranger"))


class Meeting(NamedTuple):
    """What came of a handshake and one exchange after it, as the client saw it."""

    error: Exception | None
    handshake_done: bool
    client_subject: Any  # of the client's certificate, as the server saw it
    alpn: str | None


Server = ssl.SSLContext | Callable[[socket.socket], None]
Meet = Callable[..., Meeting]


@pytest.fixture
def meet() -> Meet:
    """`meet(server, client_context, host)`: the two shake hands over loopback, the server says hello and closes.

    The server is a context, or a function that does with the accepted socket what it wants. With `through="bio"` the
    client's side is an `SSLObject` on memory, as event loops have it.
    """

    def run(server: Server, context: ssl.SSLContext, host: str = "localhost", through: str = "socket") -> Meeting:
        seen: list[Any] = []
        with socket.create_server(("127.0.0.1", 0)) as listener:
            listener.settimeout(PATIENCE)
            thread = threading.Thread(target=_serve, args=(listener, server, seen))
            thread.start()
            try:
                with socket.create_connection(listener.getsockname(), timeout=PATIENCE) as connection:
                    error, done, alpn = (_talk if through == "socket" else _talk_through_memory)(connection, context, host)
            finally:
                thread.join()
        return Meeting(error, done, seen[0] if seen else None, alpn)

    return run


def _serve(listener: socket.socket, server: Server, seen: list[Any]) -> None:
    connection, _ = listener.accept()
    connection.settimeout(PATIENCE)
    with connection, contextlib.suppress(OSError):
        if not isinstance(server, ssl.SSLContext):
            server(connection)
            return
        with server.wrap_socket(connection, server_side=True) as tls:
            certificate = tls.getpeercert()
            seen.append(certificate and certificate["subject"])
            tls.sendall(b"hello")
            tls.unwrap()


def _talk(connection: socket.socket, context: ssl.SSLContext, host: str) -> tuple[Exception | None, bool, str | None]:
    done = False
    try:
        with context.wrap_socket(connection, server_hostname=host) as tls:
            done = True
            assert tls.recv(100) == b"hello"
            return None, True, tls.selected_alpn_protocol()
    except OSError as error:
        return error, done, None


def _talk_through_memory(connection: socket.socket, context: ssl.SSLContext, host: str) -> tuple[Exception | None, bool, str | None]:
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    done = False

    def pump(step: Callable[..., Any], *arguments: Any) -> Any:
        while True:
            try:
                return step(*arguments)
            except ssl.SSLWantReadError:
                connection.sendall(outgoing.read())
                received = connection.recv(65536)
                incoming.write(received) if received else incoming.write_eof()

    try:
        tls = context.wrap_bio(incoming, outgoing, server_hostname=host)
        pump(tls.do_handshake)
        done = True
        connection.sendall(outgoing.read())
        assert pump(tls.read, 100) == b"hello"
        return None, True, tls.selected_alpn_protocol()
    except OSError as error:
        return error, done, None


@pytest.fixture
def as_nobody() -> Callable[[], contextlib.AbstractContextManager[None]]:
    """`with as_nobody():` permissions of files count, even if the tests are run by root."""

    @contextlib.contextmanager
    def drop() -> Iterator[None]:
        if not hasattr(os, "geteuid"):
            pytest.skip("permissions are different here")
        before = os.geteuid()
        if before == 0:
            os.seteuid(65534)
        try:
            yield
        finally:
            os.seteuid(before)

    return drop


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that everybody may enter, unlike pytest's."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        yield Path(folder)
