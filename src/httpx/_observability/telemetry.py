"""Requests as OpenTelemetry sees them: a span and a duration for each, by the stable semantic conventions of HTTP clients."""

from __future__ import annotations

import itertools
import re
import time
import typing
from collections.abc import AsyncIterator, Iterable, Iterator

from ..__version__ import __version__
from .._content.streams import AsyncByteStream, ByteStream, SyncByteStream
from .._models.request import Request
from .._models.response import Response
from .._models.url import URL
from .._transports.http import AsyncHTTPTransport, HTTPTransport
from .watching import peer_address, watch

if typing.TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import Span, TracerProvider

_SCHEMA = "https://opentelemetry.io/schemas/1.23.1"
_METHODS = frozenset(("CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "QUERY", "TRACE"))
_DURATION = "http.client.request.duration"
_BOUNDARIES = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)
_OF_DURATION = ("http.request.method", "server.address", "server.port", "url.scheme")
_SENDS = "opentelemetry.sends"

# Parameters that hold a signature or a token by their name, as the conventions list them, and those of AWS beside.
_SIGNATURE = re.compile(rb"(?:awsaccesskeyid|signature|sig|x-goog-signature|x-amz-(?:signature|security-token|credential))", re.IGNORECASE)
_REDACTED = b"REDACTED"


class OpenTelemetry:
    """Spans and metrics of what clients do, for OpenTelemetry (extra `otel`).

        telemetry = httpx.OpenTelemetry()
        with httpx.Client() as client:
            telemetry.watch(client)
            client.get("https://www.example.org/")

    Each exchange is a client span of its own, those of redirects, challenges and retries too, and goes into the histogram
    `http.client.request.duration`, by the stable semantic conventions. It ends when the response is closed; where its time went
    is in `httpx.timings.*`, the seconds of `response.timings`.

    * `tracer_provider`, `meter_provider`: those of the process by default.
    * `propagate`: whether servers are told of the trace (`traceparent` and what else the global propagator writes).
    * `with_queries`: whether `url.full` has the values in queries, signatures excepted. They are hidden by default: they are
      credentials too often. Passwords never get there.

    Raises `ImportError` if the package opentelemetry-api is missing.
    """

    def __init__(
        self,
        *,
        tracer_provider: TracerProvider | None = None,
        meter_provider: MeterProvider | None = None,
        propagate: bool = True,
        with_queries: bool = False,
    ) -> None:
        try:
            from opentelemetry import metrics, trace
        except ImportError:
            missing = "OpenTelemetry needs the opentelemetry-api package, which is not installed: pip install 'httpx[otel]'."
            raise ImportError(missing) from None
        self._propagate = propagate
        self._with_queries = with_queries
        self._tracer = trace.get_tracer("httpx", __version__, tracer_provider, _SCHEMA)
        self._duration = metrics.get_meter("httpx", __version__, meter_provider, _SCHEMA).create_histogram(
            _DURATION,
            unit="s",
            description="Duration of HTTP client requests.",
            explicit_bucket_boundaries_advisory=_BOUNDARIES,
        )

    def watch(self, client: typing.Any) -> None:
        """Report from here on what `client`, a `Client` or an `AsyncClient`, does. Any number of clients may be watched."""
        watch(client, self._begin)

    def _begin(self, client: typing.Any, request: Request) -> _Watched | _Unwatched:
        from opentelemetry import context, propagate, trace

        # An exporter at work must not give itself more of it; and somebody above may report this request already.
        is_http_told = context._SUPPRESS_HTTP_INSTRUMENTATION_KEY
        if context.get_value(context._SUPPRESS_INSTRUMENTATION_KEY) or context.get_value(is_http_told):
            return _Unwatched()
        described = _describe(request, self._with_queries)
        method = described["http.request.method"]
        span = self._tracer.start_span("HTTP" if method == "_OTHER" else method, kind=trace.SpanKind.CLIENT, attributes=described)
        current = trace.set_span_in_context(span)
        if self._propagate:
            propagate.inject(request.headers, current)
        if isinstance(client._transport_for_url(request.url), (HTTPTransport, AsyncHTTPTransport)):
            current = context.set_value(is_http_told, True, current)  # opentelemetry-instrumentation-httpx need not tell it again
        return _Watched(self._record, span, current, {name: described[name] for name in _OF_DURATION})

    def _record(self, seconds: float, attributes: dict[str, typing.Any], current: Context) -> None:
        self._duration.record(seconds, attributes, current)


def _describe(request: Request, with_queries: bool) -> dict[str, typing.Any]:
    # What is known before the request goes out, and what samplers decide by.
    url = request.url
    method = request.method if request.method in _METHODS else "_OTHER"
    described: dict[str, typing.Any] = {
        "http.request.method": method,
        "server.address": url.host,
        "server.port": url._origin[2] or 0,
        "url.full": redacted(url, with_queries=with_queries),
        "url.scheme": url.scheme,
    }
    if method == "_OTHER":
        described["http.request.method_original"] = request.method
    # Redirects and retries carry on the extensions of the request that they follow.
    if resends := next(request.extensions.setdefault(_SENDS, itertools.count())):
        described["http.request.resend_count"] = resends
    return described


def redacted(url: URL, *, with_queries: bool) -> str:
    """The URL without user, password and fragment, and with the values in its query hidden: all, or those of signatures."""
    query = url.query
    if query:
        query = b"&".join(_redacted_parameter(part, with_queries) for part in query.split(b"&"))
    return str(url.copy_with(userinfo=None, fragment=None, query=query or None))


def _redacted_parameter(parameter: bytes, with_queries: bool) -> bytes:
    name, equals, _ = parameter.partition(b"=")
    if with_queries and not _SIGNATURE.fullmatch(name):
        return parameter
    return name + equals + _REDACTED if equals else _REDACTED


class _Unwatched:
    # A request that is not to be reported.

    def answered(self, response: Response) -> None: ...

    def failed(self, error: BaseException) -> None: ...


class _Watched:
    # One exchange: its span is the current one while it is sent, and ends when its response is closed.

    def __init__(self, record: typing.Any, span: Span, current: Context, measured: dict[str, typing.Any]) -> None:
        from opentelemetry import context

        self._record = record
        self._span = span
        self._current = current
        self._measured = measured  # the attributes of the duration
        self._began = time.perf_counter()
        self._response: Response | None = None
        self._is_over = False
        self._token = context.attach(current)

    def answered(self, response: Response) -> None:
        self._detach()
        self._response = response
        described: dict[str, typing.Any] = {
            "http.response.status_code": response.status_code,
            "network.protocol.version": response.http_version.removeprefix("HTTP/"),
        }
        if response.status_code >= 400:
            described["error.type"] = str(response.status_code)
        self._measured |= described
        if self._span.is_recording():
            self._span.set_attributes(described | _peer(response))
        if response.status_code == 101 or type(response.stream) is ByteStream:
            self.end(None)  # no body, or all of it came with the head
        elif isinstance(response.stream, AsyncByteStream):
            response.stream = _AsyncBody(response.stream, self)
        else:
            response.stream = _SyncBody(response.stream, self)

    def failed(self, error: BaseException) -> None:
        self._detach()
        self.end(error)

    def _detach(self) -> None:
        from opentelemetry import context

        context.detach(self._token)

    def end(self, error: BaseException | None) -> None:
        """The body has ended or was left, or there is an `error` instead."""
        if self._is_over:
            return
        from opentelemetry.trace import StatusCode

        self._is_over = True
        timings = None if self._response is None else self._response.timings
        if error is not None:
            kind = type(error)
            self._measured["error.type"] = f"{kind.__module__}.{kind.__qualname__}".removeprefix("builtins.")
            self._span.set_attribute("error.type", self._measured["error.type"])
            self._span.record_exception(error)
            self._span.set_status(StatusCode.ERROR, str(error))
        elif "error.type" in self._measured:
            self._span.set_status(StatusCode.ERROR)
        if timings is not None:
            known = {f"httpx.timings.{name}": seconds for name, seconds in timings._asdict().items() if seconds is not None}
            self._span.set_attributes(known)
        self._span.end()
        self._record(time.perf_counter() - self._began, self._measured, self._current)


def _peer(response: Response) -> dict[str, typing.Any]:
    address = peer_address(response)
    if isinstance(address, tuple):
        return {"network.peer.address": str(address[0]), "network.peer.port": int(address[1])}
    return {"network.peer.address": address} if isinstance(address, str) and address else {}


class _Body:
    # The body of a response, whose end or failure is told.

    def __init__(self, body: typing.Any, watched: _Watched) -> None:
        self._body = body
        self._watched = watched

    def __getattr__(self, name: str) -> typing.Any:
        return getattr(self._body, name)


class _SyncBody(_Body, SyncByteStream):
    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from typing.cast(Iterable[bytes], self._body)
        except Exception as error:
            self._watched.end(error)
            raise

    def close(self) -> None:
        self._body.close()
        self._watched.end(None)


class _AsyncBody(_Body, AsyncByteStream):
    def __aiter__(self) -> AsyncIterator[bytes]:
        return _Pieces(self._body, self._watched)

    async def aclose(self) -> None:
        await self._body.aclose()
        self._watched.end(None)


class _Pieces(AsyncIterator[bytes]):
    # Leaving the iteration is not the end: the response, which closes its body next, knows then how long all of it took.

    def __init__(self, body: typing.Any, watched: _Watched) -> None:
        self._body = body
        self._pieces = body.__aiter__()
        self._watched = watched

    async def __anext__(self) -> bytes:
        try:
            piece: bytes = await self._pieces.__anext__()
        except Exception as error:
            if not isinstance(error, StopAsyncIteration):
                self._watched.end(error)
            raise
        return piece

    async def aclose(self) -> None:
        if self._pieces is not self._body and (close := getattr(self._pieces, "aclose", None)) is not None:
            await close()
