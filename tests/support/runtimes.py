"""One test body for every way to run the client.

A test that asks for the `runtime` fixture is a coroutine written for `AsyncClient`, and runs once per runtime:

    async def test_get(runtime, app):
        async with runtime.client() as client:
            response = await client.get(app.url + "/json")
            assert response.status_code == 200

On "asyncio", "uvloop" and "trio" the client is an `httpx.AsyncClient`. On "sync" it is an adaptor around `httpx.Client`, whose
methods are coroutines that never suspend; the body is then stepped once and must be finished. Where behaviour really
differs, the test says so with `runtime.is_async`. Transports and hooks given to the client are the runtime's own kind.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from typing import Any, TypeVar

import trio

import httpx

T = TypeVar("T")
Body = Callable[[], Coroutine[Any, Any, T]]

_METHODS = frozenset({"get", "options", "head", "post", "put", "patch", "delete", "request", "send", "download"})
_ITERATORS = frozenset({"iter_bytes", "iter_text", "iter_lines", "iter_raw", "iter_ndjson"})


def drive(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine that never suspends."""
    try:
        coroutine.send(None)
    except StopIteration as finished:
        return finished.value  # type: ignore[no-any-return]
    coroutine.close()
    raise RuntimeError("the body of a test suspended on the sync runtime: it awaits something other than the client")


class SyncResponse:
    """An `httpx.Response` from `httpx.Client` with the asynchronous names; everything else is passed on."""

    def __init__(self, response: httpx.Response) -> None:
        self.wrapped = response

    def __getattr__(self, name: str) -> Any:
        if name[:1] == "a" and name[1:] in _ITERATORS:
            return lambda *args, **kwargs: _iterate(getattr(self.wrapped, name[1:])(*args, **kwargs))
        return getattr(self.wrapped, name)

    def __repr__(self) -> str:
        return repr(self.wrapped)

    async def aread(self) -> bytes:
        return self.wrapped.read()

    async def aclose(self) -> None:
        self.wrapped.close()


async def _iterate(iterator: Iterator[T]) -> AsyncIterator[T]:
    for item in iterator:
        yield item


class SyncClient:
    """An `httpx.Client` with the interface of `AsyncClient`."""

    wrapped: httpx.Client

    def __init__(self, **settings: Any) -> None:
        self.__dict__["wrapped"] = httpx.Client(**settings)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self.wrapped, name, value)

    def __getattr__(self, name: str) -> Any:
        if name not in _METHODS:
            return getattr(self.wrapped, name)

        async def method(*args: Any, **kwargs: Any) -> Any:
            result = getattr(self.wrapped, name)(*args, **kwargs)
            return SyncResponse(result) if isinstance(result, httpx.Response) else result

        return method

    @contextlib.asynccontextmanager
    async def stream(self, *args: Any, **kwargs: Any) -> AsyncIterator[SyncResponse]:
        with self.wrapped.stream(*args, **kwargs) as response:
            yield SyncResponse(response)

    async def aclose(self) -> None:
        self.wrapped.close()

    async def __aenter__(self) -> SyncClient:
        self.wrapped.__enter__()
        return self

    async def __aexit__(self, *exc_info: Any) -> None:
        self.wrapped.__exit__(*exc_info)


class SyncRuntime:
    name = "sync"
    is_async = False

    def client(self, **settings: Any) -> Any:
        return SyncClient(**settings)

    def transport(self, **settings: Any) -> Any:
        return httpx.HTTPTransport(**settings)

    def run(self, body: Body[T]) -> T:
        return drive(body())

    async def gather(self, *bodies: Body[Any]) -> list[Any]:
        """Run coroutine functions at the same time (here: a thread each); their results, or the first one's exception."""
        outcomes: list[Any] = [None] * len(bodies)

        def work(index: int) -> None:
            try:
                outcomes[index] = drive(bodies[index]())
            except BaseException as error:
                outcomes[index] = error

        threads = [threading.Thread(target=work, args=(index,)) for index in range(len(bodies))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome
        return outcomes

    async def in_thread(self, function: Callable[..., T], *args: Any) -> T:
        """Call something that blocks, such as `app.arrived(...)`, without holding up the client."""
        return function(*args)

    async def turn(self) -> None:
        """Let the event loop, if there is one, take notice of what has arrived."""


class AsyncioRuntime:
    is_async = True

    def __init__(self, name: str) -> None:
        self.name = name

    def client(self, **settings: Any) -> Any:
        return httpx.AsyncClient(**settings)

    def transport(self, **settings: Any) -> Any:
        return httpx.AsyncHTTPTransport(**settings)

    def run(self, body: Body[T]) -> T:
        loop_factory = importlib.import_module("uvloop").new_event_loop if self.name == "uvloop" else None
        with asyncio.Runner(loop_factory=loop_factory) as runner:
            return runner.run(body())

    async def gather(self, *bodies: Body[Any]) -> list[Any]:
        return list(await asyncio.gather(*(body() for body in bodies)))

    async def in_thread(self, function: Callable[..., T], *args: Any) -> T:
        return await asyncio.to_thread(function, *args)

    async def turn(self) -> None:
        await asyncio.sleep(0)


class TrioRuntime:
    name = "trio"
    is_async = True

    def client(self, **settings: Any) -> Any:
        return httpx.AsyncClient(**settings)

    def transport(self, **settings: Any) -> Any:
        return httpx.AsyncHTTPTransport(**settings)

    def run(self, body: Body[T]) -> T:
        return trio.run(body)

    async def gather(self, *bodies: Body[Any]) -> list[Any]:
        outcomes: list[Any] = [None] * len(bodies)

        async def work(index: int) -> None:
            try:
                outcomes[index] = await bodies[index]()
            except Exception as error:
                outcomes[index] = error

        async with trio.open_nursery() as nursery:
            for index in range(len(bodies)):
                nursery.start_soon(work, index)
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome
        return outcomes

    async def in_thread(self, function: Callable[..., T], *args: Any) -> T:
        return await trio.to_thread.run_sync(lambda: function(*args))

    async def turn(self) -> None:
        await trio.lowlevel.checkpoint()


Runtime = SyncRuntime | AsyncioRuntime | TrioRuntime

RUNTIMES: dict[str, Runtime] = {
    "sync": SyncRuntime(),
    "asyncio": AsyncioRuntime("asyncio"),
    "uvloop": AsyncioRuntime("uvloop"),
    "trio": TrioRuntime(),
}
