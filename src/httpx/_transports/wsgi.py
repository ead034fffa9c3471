"""A transport that calls a WSGI application in this process (PEP 3333)."""

from __future__ import annotations

import io
import itertools
import re
import sys
import types
import typing
from collections.abc import Callable, Iterable, Iterator

from .._content.streams import SyncByteStream
from .._exceptions import RemoteProtocolError
from .._models.request import Request
from .._models.response import Response
from .answers import check_fields, check_piece, shown
from .base import BaseTransport

ExcInfo = tuple[type[BaseException], BaseException, types.TracebackType | None] | tuple[None, None, None]
WSGIApp = Callable[..., Iterable[bytes]]


class WSGITransport(BaseTransport):
    """Sends the requests of a `Client` to a WSGI application, without a network.

    * `app`: the application.
    * `raise_app_exceptions`: whether an exception of the application, also one that it passes to `start_response`, is raised
      to the caller, which is the default; else what was not answered makes a response of status 500.
    * `script_name`: the path that the application is mounted at.
    * `remote_addr`: the address that the application sees as the client's.
    * `wsgi_errors`: a text file for what the application reports; `sys.stderr` by default.

    The content of a request is read first. The response is streamed as the application yields it.
    """

    def __init__(
        self,
        app: WSGIApp,
        raise_app_exceptions: bool = True,
        script_name: str = "",
        remote_addr: str = "127.0.0.1",
        wsgi_errors: typing.TextIO | None = None,
    ) -> None:
        self.app = app
        self.raise_app_exceptions = raise_app_exceptions
        self.script_name = script_name
        self.remote_addr = remote_addr
        self.wsgi_errors = wsgi_errors

    def handle_request(self, request: Request) -> Response:
        start = _Start()
        result: Iterable[bytes] = ()
        try:
            result = self.app(self._environ(request), start)
            body = iter(result)
            # An application may start its response as late as with the first piece that is not empty.
            first = next((piece for piece in map(check_piece, body) if piece), b"")
        except BaseException as error:
            _close(result)
            if self.raise_app_exceptions or not isinstance(error, Exception):
                raise
            return Response(500, request=request)
        if start.error is not None and self.raise_app_exceptions:
            _close(result)
            raise start.error
        if start.status is None:
            _close(result)
            raise RemoteProtocolError("The WSGI application ended without calling start_response().", request=request)
        start.has_begun = True
        pieces = start.pieces(itertools.chain((first,) if first else (), body))
        return Response(start.status, headers=start.headers, stream=_Body(pieces, result, self.raise_app_exceptions), request=request)

    def _environ(self, request: Request) -> dict[str, typing.Any]:
        from urllib.parse import unquote_to_bytes

        url = request.url
        scheme, _, port = url._origin
        path, _, query = url.raw_path.partition(b"?")
        content = request.read()
        environ = {
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": scheme,
            "wsgi.input": io.BytesIO(content),
            "wsgi.errors": self.wsgi_errors or sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
            "REQUEST_METHOD": request.method,
            "SCRIPT_NAME": self.script_name,
            "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
            "QUERY_STRING": query.decode("ascii"),
            "SERVER_NAME": url.host,
            "SERVER_PORT": str(port or 80),
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": self.remote_addr,
        }
        for name, value in request.headers._lookup().items():
            key = name.decode("ascii").upper().replace("-", "_")
            environ[key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"] = value.decode("latin-1")
        if content and "CONTENT_LENGTH" not in environ:
            # It was to go out in chunks, and is here as a whole now.
            environ["CONTENT_LENGTH"] = str(len(content))
            environ.pop("HTTP_TRANSFER_ENCODING", None)
        return environ


_STATUS = re.compile(r"\s*([1-9]\d\d)(?:[ \t][^\r\n\0]*)?\Z", re.ASCII)


class _Start:
    # `start_response`, and what it was told.

    def __init__(self) -> None:
        self.status: int | None = None
        self.headers: list[tuple[bytes, bytes]] = []
        self.error: BaseException | None = None
        self.has_begun = False
        self._written: list[bytes] = []

    def __call__(self, status: str, headers: list[tuple[str, str]], exc_info: ExcInfo | None = None) -> Callable[[bytes], object]:
        error = exc_info[1] if exc_info else None
        if error is None and self.status is not None:
            raise RuntimeError("The application called start_response() twice.")
        if error is not None and self.has_begun:
            raise error  # too late to answer with something else (PEP 3333)
        found = _STATUS.match(status) if isinstance(status, str) else None
        if found is None:
            raise ValueError(f"The application sent the status {shown(status)}, which is not like '200 OK'.")
        fields = [(name.encode("ascii"), value.encode("latin-1")) for name, value in headers]
        check_fields(fields)
        self.status, self.headers, self.error = int(found[1]), fields, error
        return self._write

    def _write(self, data: bytes) -> None:
        self._written.append(check_piece(data))

    def pieces(self, body: Iterable[bytes]) -> Iterator[bytes]:
        """What was written, and what the application yields, in their order."""
        for piece in body:
            yield from self._take_written()
            yield check_piece(piece)
        yield from self._take_written()

    def _take_written(self) -> list[bytes]:
        written, self._written = self._written, []
        return written


class _Body(SyncByteStream):
    def __init__(self, pieces: Iterator[bytes], result: Iterable[bytes], raises: bool) -> None:
        self._pieces = pieces
        self._result = result
        self._raises = raises

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._pieces
        except Exception as error:
            if self._raises:
                raise
            raise RemoteProtocolError("The WSGI application failed within the body of its response.") from error

    def close(self) -> None:
        _close(self._result)


def _close(result: typing.Any) -> None:
    close = getattr(result, "close", None)
    if close is not None:
        close()
