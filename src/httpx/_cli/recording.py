"""When each phase of each request began and ended, noted by the network itself.

The sync client runs on a network that is an object (`BlockingNetwork`); here is one that does the same and looks at the
clock before and after. So a client that nobody looks at pays nothing, and the phases are those that really took place.
"""

from __future__ import annotations

import contextlib
import datetime
import time
import typing
from collections.abc import Callable, Iterator

from .. import Client, HTTPTransport
from .._models.request import Request
from .._models.response import Response
from .._observability.recorded import RecordedExchange


class Recorder:
    """Looks at the clock for a client. `exchanges` are its requests so far, redirects included."""

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self.exchanges: list[RecordedExchange] = []
        self._clock = clock

    def watch(self, client: Client) -> None:
        """From here on, note what the network does for `client`."""
        for transport in (client._transport, *client._mounts.values()):
            if isinstance(transport, HTTPTransport):
                transport._network = typing.cast(typing.Any, _RecordedNetwork(transport._network, self))

    def begin(self, request: Request) -> None:
        """A request is about to be sent."""
        now = self._clock()
        self.exchanges.append(RecordedExchange(request, now, datetime.datetime.now().astimezone(), ended=now))

    def answered(self, response: Response) -> None:
        """The head of its response is here."""
        self.exchanges[-1].answered(response, self._clock())

    def failed(self, error: BaseException) -> None:
        """It will get no response."""
        self.exchanges[-1].failed(error, self._clock())

    @contextlib.contextmanager
    def phase(self, name: str) -> Iterator[RecordedExchange]:
        """Note when the block begins and ends; a phase that takes several steps lasts from the first to the last."""
        exchange = self.exchanges[-1]
        began = self._clock()
        try:
            yield exchange
        finally:
            exchange.ended = self._clock()
            exchange.phases[name] = (exchange.phases.get(name, (began, began))[0], exchange.ended)

    def to_proxy(self) -> None:
        """What was sent and received so far opened a tunnel: the request itself comes only now."""
        phases = self.exchanges[-1].phases
        talk = [phases.pop(name) for name in ("send", "wait") if name in phases]
        if talk:
            phases["proxy"] = (talk[0][0], talk[-1][1])


class _RecordedNetwork:
    def __init__(self, network: typing.Any, recorder: Recorder) -> None:
        self._network = network
        self._recorder = recorder

    def __getattr__(self, name: str) -> typing.Any:
        return getattr(self._network, name)

    async def outcome(self, *args: typing.Any) -> typing.Any:
        with self._recorder.phase("name") as exchange:
            result = await self._network.outcome(*args)
        # The look-up was started before anybody waited for it, on a thread of its own; nothing else comes before it.
        if next(iter(exchange.phases)) == "name":
            exchange.phases["name"] = (exchange.began, exchange.phases["name"][1])
        return result

    async def connect(self, *args: typing.Any, **kwargs: typing.Any) -> typing.Any:
        with self._recorder.phase("connect") as exchange:
            stream = await self._network.connect(*args, **kwargs)
        exchange.is_new_connection = True
        exchange.address = str(stream.info("server_addr")[0])
        return _RecordedStream(stream, self._recorder)

    async def connect_unix(self, *args: typing.Any) -> typing.Any:
        with self._recorder.phase("connect") as exchange:
            stream = await self._network.connect_unix(*args)
        exchange.is_new_connection = True
        return _RecordedStream(stream, self._recorder)


class _RecordedStream:
    def __init__(self, stream: typing.Any, recorder: Recorder) -> None:
        self._stream = stream
        self._recorder = recorder

    def __getattr__(self, name: str) -> typing.Any:
        return getattr(self._stream, name)

    def share(self) -> typing.Any:
        self._stream = self._stream.share()
        return self

    async def send(self, data: bytes, *args: typing.Any) -> None:
        with self._sending():
            await self._stream.send(data, *args)

    def send_now(self, data: bytes) -> bool:
        with self._sending():
            return bool(self._stream.send_now(data))

    def _sending(self) -> contextlib.AbstractContextManager[typing.Any]:
        # What HTTP/2 says while an answer is on its way (such as how much more may come) is no part of the request.
        exchange = self._recorder.exchanges[-1]
        return contextlib.nullcontext() if exchange.response is not None else self._recorder.phase("send")

    async def receive(self, *args: typing.Any) -> bytes:
        exchange = self._recorder.exchanges[-1]
        with self._recorder.phase("wait" if exchange.response is None else "body"):
            data: bytes = await self._stream.receive(*args)
        return data

    async def start_tls(self, *args: typing.Any) -> typing.Any:
        self._recorder.to_proxy()
        with self._recorder.phase("tls") as exchange:
            self._stream = await self._stream.start_tls(*args)
        tls = self._stream.info("ssl_object")
        if tls is not None and tls.cipher() is not None:
            exchange.tls = f"{tls.version()}, {tls.cipher()[0]}"
        return self
