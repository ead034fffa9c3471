"""Settings that a caller passes around: time-outs and limits, with their defaults."""

from __future__ import annotations

import time
import types
import typing

from ._exceptions import ConnectTimeout, PoolTimeout, ReadTimeout, TimeoutException, WriteTimeout
from ._types import TimeoutTypes as TimeoutTypes


class UnsetType:
    """The type of `UNSET`: told apart from None, which means "no limit" or "disabled"."""

    def __repr__(self) -> str:
        return "<unset>"

    def __reduce__(self) -> str:
        return "UNSET"  # stays the one object through pickle and copy


UNSET = UnsetType()
_NOTHING = (UNSET,) * 4
_SECONDS = (float, int, types.NoneType, UnsetType)
_FOR_EVER = 1e9  # seconds; sockets take neither infinity nor numbers that are much larger


class Timeout:
    """How long each phase of an exchange may take, in seconds; None means without limit.

    * `connect`: name resolution, TCP and TLS, together.
    * `read`: until the head of the response is complete, then for each further piece of its body.
    * `write`: for each piece of the request that is handed to the network.
    * `pool`: waiting for a free connection.
    * `total`: the whole exchange, from sending the request to the last byte of the response, redirects and all that a
      client sends by itself included. Not set unless it is given.

    `Timeout(5.0)` sets the first four, `Timeout(5.0, connect=60.0)` all but one, `Timeout(None)` none,
    `Timeout(total=30.0)` nothing but the deadline. Without a default all four must be given, or `ValueError` is raised.
    Clients use `Timeout(5.0)` unless told otherwise.
    """

    __slots__ = ("_phases", "connect", "pool", "read", "total", "write")

    def __init__(
        self,
        timeout: TimeoutTypes | UnsetType = UNSET,
        *,
        connect: float | None | UnsetType = UNSET,
        read: float | None | UnsetType = UNSET,
        write: float | None | UnsetType = UNSET,
        pool: float | None | UnsetType = UNSET,
        total: float | None | UnsetType = UNSET,
    ) -> None:
        default: typing.Sequence[typing.Any]
        if isinstance(timeout, Timeout):
            default = (timeout.connect, timeout.read, timeout.write, timeout.pool)
        elif isinstance(timeout, tuple):
            if not 2 <= len(timeout) <= 4:
                raise ValueError(
                    "A timeout tuple holds two to four values: (connect, read, write, pool); those left out are without limit."
                )
            default = (*timeout, None, None)[:4]
        elif timeout is UNSET and total is not UNSET:
            default = (None,) * 4
        else:
            default = (timeout,) * 4
        given = (connect, read, write, pool)
        values: typing.Sequence[typing.Any] = default
        if given != _NOTHING:
            values = [fallback if value is UNSET else value for value, fallback in zip(given, default, strict=True)]
        if UNSET in values:
            raise ValueError("httpx.Timeout must either include a default, or set all four parameters explicitly.")
        if isinstance(total, UnsetType):
            total = getattr(timeout, "total", None)
        is_endless = False
        for value in (*values, total):
            if type(value) not in _SECONDS and not isinstance(value, (float, int)) and not hasattr(value, "__float__"):
                raise TypeError(f"A time-out is a number of seconds, or None, not {value!r}.")
            if isinstance(value, (float, int)) and not value <= _FOR_EVER:
                if value != value:
                    raise ValueError("A time-out is a number of seconds, or None, not NaN.")
                is_endless = True
        self.connect: float | None
        self.read: float | None
        self.write: float | None
        self.pool: float | None
        self.connect, self.read, self.write, self.pool = typing.cast("list[float | None]", values)
        self.total: float | None = typing.cast("float | None", total)
        self._phases = {"connect": self.connect, "read": self.read, "write": self.write, "pool": self.pool}
        if self.total is not None:
            self._phases["total"] = self.total
        if is_endless:
            limits = {phase: seconds for phase, seconds in self._phases.items() if seconds is not None and seconds <= _FOR_EVER}
            self._phases = {"connect": None, "read": None, "write": None, "pool": None, **limits}

    def as_dict(self) -> dict[str, float | None]:
        """The values by name, as transports receive them in `request.extensions["timeout"]`; `total` only if it is set."""
        return self._phases.copy()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Timeout) and self._phases == other._phases

    def __hash__(self) -> int:
        return hash(tuple(self._phases.values()))

    def __repr__(self) -> str:
        total = "" if self.total is None else f", total={self.total}"
        if self.connect == self.read == self.write == self.pool:
            return f"Timeout(timeout={self.connect}{total})"
        return f"Timeout(connect={self.connect}, read={self.read}, write={self.write}, pool={self.pool}{total})"


class Countdown(dict[str, float | None]):
    """The time-outs of an exchange that has a deadline: none of them is longer than what is left.

    One that is shared goes on over all attempts to send a request.
    """

    def __init__(self, timeouts: typing.Mapping[str, float | None], is_shared: bool = False) -> None:
        super().__init__(timeouts)
        self.is_shared = is_shared
        self.total: float = timeouts["total"] or 0.0
        self.deadline = time.monotonic() + self.total

    def get(self, phase: str, default: typing.Any = None) -> typing.Any:
        """The seconds that a phase which begins now may take. Raises its exception if none are left."""
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise _OUT_OF_TIME[phase](f"The {self.total:g} seconds for the whole exchange were over.")
        seconds = super().get(phase, default)
        return left if seconds is None else min(seconds, left)

    def explain(self, error: BaseException) -> None:
        """Say so, if it is the deadline that `error` comes from."""
        if isinstance(error, TimeoutException) and time.monotonic() > self.deadline - 0.05 and not hasattr(error, "__notes__"):
            error.add_note(f"The whole exchange was to take {self.total:g} seconds at most: Timeout(total={self.total:g}).")


_OUT_OF_TIME: dict[str, type[TimeoutException]] = {
    "connect": ConnectTimeout,
    "read": ReadTimeout,
    "write": WriteTimeout,
    "pool": PoolTimeout,
}


class Limits:
    """How many connections a client keeps.

    * `max_connections`: open at once, idle ones included; None (the default here) for no limit.
    * `max_keepalive_connections`: kept open while idle; None for no limit.
    * `keepalive_expiry`: seconds an idle connection is kept; 5 by default, None for ever.
    * `max_connections_per_host`: open at once to one origin (scheme, host and port); None, the default, for no limit.
    * `max_connection_age`: seconds after which a connection begins no further request; None, the default, for no limit.
    * `http2_ping_interval`: seconds of silence after which the server of an HTTP/2 connection is asked for a sign of life (PING); the
      connection is given up if none comes for as long again. None, the default, asks only before a connection that was idle is used.

    Clients use `Limits(max_connections=100, max_keepalive_connections=20)` unless told otherwise.
    """

    __slots__ = (
        "http2_ping_interval",
        "keepalive_expiry",
        "max_connection_age",
        "max_connections",
        "max_connections_per_host",
        "max_keepalive_connections",
    )

    def __init__(
        self,
        *,
        max_connections: int | None = None,
        max_keepalive_connections: int | None = None,
        keepalive_expiry: float | None = 5.0,
        max_connections_per_host: int | None = None,
        max_connection_age: float | None = None,
        http2_ping_interval: float | None = None,
    ) -> None:
        self.max_connections: int | None = max_connections
        self.max_keepalive_connections: int | None = max_keepalive_connections
        self.keepalive_expiry: float | None = keepalive_expiry
        self.max_connections_per_host: int | None = max_connections_per_host
        self.max_connection_age: float | None = max_connection_age
        self.http2_ping_interval: float | None = http2_ping_interval

    def _values(self) -> tuple[float | None, ...]:
        return (
            self.max_connections,
            self.max_keepalive_connections,
            self.keepalive_expiry,
            self.max_connections_per_host,
            self.max_connection_age,
            self.http2_ping_interval,
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Limits) and self._values() == other._values()

    def __hash__(self) -> int:
        return hash(self._values())

    def __repr__(self) -> str:
        ours = ("max_connections_per_host", "max_connection_age", "http2_ping_interval")
        added = "".join(f", {name}={value}" for name in ours if (value := getattr(self, name)) is not None)
        return (
            f"Limits(max_connections={self.max_connections}, "
            f"max_keepalive_connections={self.max_keepalive_connections}, keepalive_expiry={self.keepalive_expiry}{added})"
        )


DEFAULT_TIMEOUT_CONFIG = Timeout(5.0)
DEFAULT_LIMITS = Limits(max_connections=100, max_keepalive_connections=20)
DEFAULT_MAX_REDIRECTS = 20

MAX_EVENT_SIZE = 4_194_304
"""Characters of a server-sent event that are kept at most unless another bound is given."""


def __getattr__(name: str) -> typing.Any:
    # Other libraries import these from here as well.
    if name == "create_ssl_context":
        from ._tls.default import create_ssl_context

        return create_ssl_context
    if name == "Proxy":
        from ._proxy import Proxy

        return Proxy
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
