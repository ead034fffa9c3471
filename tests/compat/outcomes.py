"""What snippets of code that uses HTTPX come to, as text that can be compared between two implementations.

A snippet is an expression. Its outcome is its value, shown by `show()`, or the type of the exception that it raises, and
the warnings given meanwhile. The functions below are at hand in snippets, beside `httpx` and some of the standard library.

The outcomes with HTTPX 0.28.1 are recorded in httpx-0.28.1.json, by running this module where that is installed:

    HTTPX=httpx==0.28.1 scripts/dependants --collect-only
    .venv-dependants-3.13-peer/bin/python -m tests.compat.outcomes
"""

from __future__ import annotations

import asyncio
import contextlib
import copy
import io
import json
import pickle
import re
import ssl
import threading
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import httpx

FOLDER = Path(__file__).parent
RECORDED = FOLDER / "httpx-0.28.1.json"


def snippets() -> dict[str, list[str]]:
    """The snippets of each topic: the lines of snippets/*.txt that are neither empty nor comments."""
    topics = {}
    for path in sorted((FOLDER / "snippets").glob("*.txt")):
        lines = [line.strip() for line in path.read_text().splitlines()]
        topics[path.stem] = [line for line in lines if line and not line.startswith("#")]
    return topics


def outcome(snippet: str) -> str:
    """What comes of a snippet."""
    names = {**_AT_HAND}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            shown = show(eval(snippet, names))
        except Exception as error:
            shown = f"raises {type(error).__name__}"
    kinds = sorted({warning.category.__name__ for warning in caught if warning.category is not ResourceWarning})
    return shown + (f" [warns {', '.join(kinds)}]" if kinds else "")


def show(value: Any) -> str:
    """`repr`, but types of HTTPX by what they hold, and without what differs from run to run."""
    if isinstance(value, httpx.Headers):
        shown = repr(value.raw)
    elif isinstance(value, httpx.Request):
        shown = f"<{value.method} {value.url} {show(value.headers)} {_content(value)}>"
    elif isinstance(value, httpx.Response):
        shown = f"<{value.status_code} {show(value.headers)} {_content(value)}>"
    elif isinstance(value, (list, tuple)) and type(value).__name__ in ("list", "tuple"):
        left, right = "[]" if isinstance(value, list) else "()"
        shown = left + ", ".join(map(show, value)) + right
    elif isinstance(value, BaseException):
        shown = type(value).__name__
    else:
        shown = repr(value)
    shown = re.sub(r"python-httpx/[\w.]+", "python-httpx/VERSION", shown)
    shown = re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:PORT", shown)
    shown = re.sub(r"gzip, deflate(, br)?(, zstd)?", "CODINGS", shown)
    shown = re.sub(r" at 0x[0-9a-f]+", "", shown)
    return re.sub(r"\b[0-9a-f]{32}\b", "BOUNDARY", shown)


def _content(message: Any) -> str:
    try:
        return repr(message.content)
    except (httpx.RequestNotRead, httpx.ResponseNotRead):
        return type(message.stream).__name__ if hasattr(message, "stream") else "not read"


# ---- At hand in snippets


def sent(method: str, url: str, client: dict[str, Any] | None = None, **settings: Any) -> Any:
    """The request that a client of these settings sends."""
    requests: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(200)

    with httpx.Client(transport=httpx.MockTransport(answer), **(client or {})) as opened:
        opened.request(method, url, **settings)
    return requests[0]


def flow(
    answers: Iterable[httpx.Response] | Callable[[httpx.Request], httpx.Response],
    method: str = "GET",
    url: str = "https://example.org/",
    client: dict[str, Any] | None = None,
    **settings: Any,
) -> Any:
    """The requests that a client sends to servers that give these answers in turn, and what it returns in the end."""
    told: list[str] = []
    given = None if callable(answers) else list(answers)

    def answer(request: httpx.Request) -> httpx.Response:
        told.append(show(request))
        return answers(request) if given is None else given.pop(0)  # type: ignore[operator]

    with httpx.Client(transport=httpx.MockTransport(answer), **(client or {})) as opened:
        try:
            final: Any = opened.request(method, url, **settings)
        except Exception as error:
            final = error
    return [*told, show(final)]


def redirect(location: str, status: int = 302, **headers: str) -> httpx.Response:
    return httpx.Response(status, headers={"Location": location, **headers})


def ended(run: Callable[[], Any]) -> Any:
    """What an exception that `run` raises has to tell."""
    try:
        return run()
    except httpx.HTTPError as error:
        request = error.request if getattr(error, "_request", None) is not None else None
        return type(error).__mro__[:-4], request and str(request.url)


def says(words: str, run: Callable[[], Any]) -> tuple[str, bool]:
    """Which exception `run` raises, and whether its message begins with these words."""
    try:
        run()
    except Exception as error:
        return type(error).__name__, str(error).startswith(words)
    return "nothing", False


def told(run: Callable[[], Any]) -> tuple[str, str]:
    """Which exception `run` raises, and its message."""
    try:
        run()
    except Exception as error:
        return type(error).__name__, str(error)
    return "nothing", ""


async def asynchronous() -> Any:
    """A stream that only an async client reads."""
    yield b"abc"


def failed(answer: bytes, method: str = "GET", **settings: Any) -> None:
    """Raises what `talk` returns."""
    found = talk(answer, method, **settings)
    if isinstance(found[0], Exception):
        raise found[0]


def run(function: Callable[..., Any]) -> Any:
    """What a coroutine function returns."""
    return asyncio.run(function())


def wire(method: str, path: str = "/", client: dict[str, Any] | None = None, **settings: Any) -> Any:
    """The bytes that a client sends over a connection."""
    import socket

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(2)
        received: list[bytes] = []

        def serve() -> None:
            try:
                connection, _ = listener.accept()
            except OSError:  # the request was refused before it was sent
                return
            with connection:
                connection.settimeout(5)
                data = b""
                while b"\r\n\r\n" not in data:
                    data += connection.recv(65536)
                head, _, body = data.partition(b"\r\n\r\n")
                if b"transfer-encoding: chunked" in head.lower():
                    while not body.endswith(b"0\r\n\r\n"):
                        body += connection.recv(65536)
                elif length := re.search(rb"content-length: (\d+)", head.lower()):
                    while len(body) < int(length[1]):
                        body += connection.recv(65536)
                received.extend([head, body])
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            with httpx.Client(**(client or {})) as opened:
                opened.request(method, f"http://127.0.0.1:{listener.getsockname()[1]}{path}", **settings)
        finally:
            _unblock(listener, thread)
        head, body = received
        return [*re.sub(rb"(?mi)^accept-encoding:.*?$", b"Accept-Encoding: SOME", head).split(b"\r\n"), body]


def talk(answer: bytes, method: str = "GET", client: dict[str, Any] | None = None, reads: bool = True, **settings: Any) -> Any:
    """What a client makes of this answer, after which the connection is closed (or, if not `reads`, left open and silent)."""
    import socket

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(2)
        done = threading.Event()

        def serve() -> None:
            with contextlib.suppress(OSError):  # a client that refuses to send connects, or not, and leaves
                connection, _ = listener.accept()
                respond(connection)

        def respond(connection: socket.socket) -> None:
            with connection:
                connection.settimeout(2)
                data = b""
                while b"\r\n\r\n" not in data:
                    received = connection.recv(65536)
                    if not received:
                        return
                    data += received
                connection.sendall(answer)
                if not reads:
                    done.wait(5)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            with httpx.Client(**(client or {})) as opened:
                response = opened.request(method, f"http://127.0.0.1:{listener.getsockname()[1]}/", **settings)
                return response.http_version, response.reason_phrase, response
        except httpx.HTTPError as error:
            return error, type(error).__mro__[1].__name__, error.request.method
        finally:
            done.set()
            _unblock(listener, thread)


def _unblock(listener: Any, thread: threading.Thread) -> None:
    # Nobody came, perhaps: then nobody will any more.
    import socket

    with contextlib.suppress(OSError):
        listener.shutdown(socket.SHUT_RDWR)
    thread.join(5)


def echo(request: httpx.Request) -> httpx.Response:
    """An answer for `flow` and transports: what was asked."""
    headers = {name: value for name, value in request.headers.items() if name not in ("accept-encoding", "user-agent")}
    return httpx.Response(
        200, json={"method": request.method, "url": str(request.url), "headers": headers, "body": request.read().decode()}
    )


def asgi(*messages: dict[str, Any]) -> Any:
    """An ASGI application that sends these messages."""

    async def application(scope: Any, receive: Any, send: Any) -> None:
        for message in messages:
            await send(message)

    return application


class Gives(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A stream of these parts."""

    def __init__(self, *parts: bytes) -> None:
        self.parts = parts

    def __iter__(self) -> Any:
        yield from self.parts

    async def __aiter__(self) -> Any:
        for part in self.parts:
            yield part


def changed(thing: Any, *steps: Callable[[Any], Any]) -> Any:
    """`thing`, after these steps were taken with it."""
    for step in steps:
        step(thing)
    return thing


_AT_HAND = {
    "httpx": httpx,
    "asyncio": asyncio,
    "copy": copy,
    "io": io,
    "json": json,
    "pickle": pickle,
    "ssl": ssl,
    **{f.__name__: f for f in (sent, flow, redirect, ended, run, wire, talk, echo, Gives, changed, says, told, asynchronous, failed, asgi)},
}


def main() -> None:
    """Record the outcome of every snippet with HTTPX 0.28.1."""
    assert httpx.__version__ == "0.28.1", f"this is HTTPX {httpx.__version__}"
    recorded = {topic: {line: outcome(line) for line in lines} for topic, lines in snippets().items()}
    RECORDED.write_text(json.dumps(recorded, indent=0, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
