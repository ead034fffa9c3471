"""From a host name to addresses.

The system's resolver blocks and has no time-out. So each look-up runs on a thread of its own, which whoever asks can
stop waiting for; requests for the same name at the same time wait for the same look-up.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
import typing
from collections.abc import Awaitable, Callable, Iterable

from .._exceptions import ConnectError, ConnectTimeout
from .addresses import literal_address, peer_name
from .base import Network
from .race import Address
from .words import seconds

if typing.TYPE_CHECKING:
    import concurrent.futures

    _Lookup = concurrent.futures.Future[list[Address]]

_CLOCK = 0.005  # seconds by which an event loop may be early

ResolvedAddresses = Iterable[str | tuple[str, int]]
"""IP addresses, each alone or with a port to use instead of the URL's."""

ResolverTypes = Callable[[str, int], ResolvedAddresses | Awaitable[ResolvedAddresses]]
"""A function from host name and port to addresses; an async one for an `AsyncClient` only."""


class Resolver:
    """The system's resolver behind a small cache: what clients use unless they are given a `resolver` of their own.

    * `ttl`: seconds for which an answer is kept; 10 by default, 0 to ask each time. Failures are not kept, and neither are
      addresses to which connecting failed.
    * `max_entries`: how many answers are kept; 256 by default.

    Calling it resolves a name, as a `resolver` of one's own may want to do for the names that it does not know itself.
    Thread-safe.
    """

    def __init__(self, *, ttl: float = 10.0, max_entries: int = 256) -> None:
        self._ttl = ttl
        self._max_entries = max_entries
        self._kept: dict[tuple[str, int], tuple[float, list[Address]]] = {}
        self._running: dict[tuple[int, str, int], _Lookup] = {}

    def __getstate__(self) -> dict[str, typing.Any]:
        # What is known here need not be true where it is unpickled.
        return {**self.__dict__, "_kept": {}, "_running": {}}

    def __call__(self, host: str, port: int) -> list[str]:
        """The IP addresses of `host`, best first. Blocks. Raises `OSError` if there are none."""
        found = self._recall(host, port)
        return [_spelled(address) for _, address in (self._look_up(host, port) if found is None else found)]

    def _start(self, host: str, port: int) -> _Lookup:
        # It cannot be cancelled: others may wait for it.
        from concurrent.futures import Future  # with it comes `logging`

        ours: _Lookup = Future()
        ours.set_running_or_notify_cancel()
        key = (os.getpid(), host, port)  # after a fork, nobody works on the parent's look-ups
        running = self._running.setdefault(key, ours)
        if running is ours:
            thread = threading.Thread(target=self._work, args=(key, ours), name=f"httpx-resolve-{host}", daemon=True)
            try:
                thread.start()
            except RuntimeError as error:  # the process has as many as it may have
                del self._running[key]
                ours.set_exception(OSError(str(error)))
        return running

    def _work(self, key: tuple[int, str, int], lookup: _Lookup) -> None:
        _, host, port = key
        try:
            found = self._look_up(host, port)
        except BaseException as error:
            del self._running[key]
            lookup.set_exception(error)
        else:
            del self._running[key]
            lookup.set_result(found)

    def _look_up(self, host: str, port: int) -> list[Address]:
        answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        found: list[Address] = list(dict.fromkeys((int(family), address) for family, _, _, _, address in answers))
        if self._ttl > 0 and self._max_entries > 0:
            with contextlib.suppress(KeyError, RuntimeError):  # another thread made room at the same time
                while len(self._kept) >= self._max_entries:
                    del self._kept[next(iter(self._kept))]
            self._kept[host, port] = (time.monotonic() + self._ttl, found)
        return found

    def _recall(self, host: str, port: int) -> list[Address] | None:
        kept = self._kept.get((host, port))
        if kept is None:
            return None
        if time.monotonic() < kept[0]:
            return kept[1]
        self._forget(host, port)
        return None

    def _forget(self, host: str, port: int) -> None:
        self._kept.pop((host, port), None)


async def resolve(network: Network, resolver: ResolverTypes, host: str, port: int, timeout: float | None) -> list[Address]:
    """The addresses of `host`, at least one; it may be an address itself. Raises `ConnectError` or `ConnectTimeout`."""
    literal = literal_address(host, port)
    if literal is not None:
        return literal
    deadline = float("inf") if timeout is None else time.monotonic() + timeout
    try:
        if isinstance(resolver, Resolver):
            kept = resolver._recall(host, port)
            found = await network.outcome(resolver._start(host, port), timeout) if kept is None else kept
        else:
            found = await _ask(network, resolver, host, port, timeout)
    except TimeoutError as error:
        if error.errno is not None:
            raise _unresolved(host, port, error) from error
        if time.monotonic() < deadline - _CLOCK:  # it is the resolver's own
            raise ConnectTimeout(str(_unresolved(host, port, error))) from error
        raise ConnectTimeout(f"Resolving the name {host!r} took longer than {seconds(timeout)}.") from None
    except (OSError, UnicodeError) as error:
        raise _unresolved(host, port, error) from error
    if not found:
        raise ConnectError(f"The name {host!r} has no address to connect to (for {peer_name(host, port)}).")
    return found


def forget(resolver: ResolverTypes, host: str, port: int) -> None:
    """Connecting to all addresses of `host` failed: the next attempt asks anew."""
    if isinstance(resolver, Resolver):
        resolver._forget(host, port)


async def _ask(network: Network, resolver: ResolverTypes, host: str, port: int, timeout: float | None) -> list[Address]:
    # A function may block, and so has a thread; what is async belongs to the event loop.
    import inspect

    deadline = None if timeout is None else time.monotonic() + timeout
    if inspect.iscoroutinefunction(resolver) or inspect.iscoroutinefunction(getattr(resolver, "__call__", None)):  # noqa: B004
        answer: typing.Any = resolver(host, port)
    else:
        answer = await network.outcome(_in_thread(resolver, host, port), timeout)
    if isinstance(answer, Awaitable):
        answer = await network.within(answer, None if deadline is None else deadline - time.monotonic())
    found: list[Address] = []
    if isinstance(answer, str) or not isinstance(answer, Iterable):
        raise _not_addresses(host, answer)
    for item in answer:
        match (item, port) if isinstance(item, str) else item:
            case (str(address), int(its_port)) if 0 <= its_port <= 65_535 and (literal := literal_address(address, its_port)):
                found += literal
            case _:
                raise _not_addresses(host, item)
    return found


def _not_addresses(host: str, returned: object) -> ValueError:
    return ValueError(f"resolver= must return a list of IP addresses for {host!r}, or of pairs of address and port, and not {returned!r}.")


def _in_thread(function: Callable[..., typing.Any], *arguments: typing.Any) -> concurrent.futures.Future[typing.Any]:
    from concurrent.futures import Future

    future: Future[typing.Any] = Future()
    future.set_running_or_notify_cancel()

    def work() -> None:
        try:
            result = function(*arguments)
        except BaseException as error:
            future.set_exception(error)
        else:
            future.set_result(result)

    try:
        threading.Thread(target=work, name="httpx-resolver", daemon=True).start()
    except RuntimeError as error:  # the process has as many as it may have
        future.set_exception(OSError(str(error)))
    return future


def _unresolved(host: str, port: int, error: Exception) -> ConnectError:
    return ConnectError(f"The name {host!r} could not be resolved: {str(error) or type(error).__name__} (for {peer_name(host, port)})")


def _spelled(address: typing.Any) -> str:
    scope = address[3] if len(address) > 3 else 0
    return f"{address[0]}%{scope}" if scope else str(address[0])
