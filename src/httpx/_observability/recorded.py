"""An exchange that somebody has recorded, and how it is described to people: what an archive and a waterfall are made from."""

from __future__ import annotations

import dataclasses
import datetime

from .._models.credentials import CREDENTIAL_FIELDS, without_userinfo
from .._models.headers import Headers
from .._models.request import Request
from .._models.response import Response
from .watching import peer_address

PHASES = ("pool", "name", "connect", "proxy", "tls", "send", "wait", "body")
"""The phases of an exchange, in the order in which they happen; those that did not happen are left out."""

LABELS = {
    "pool": "pool",
    "name": "name lookup",
    "connect": "connect",
    "proxy": "proxy",
    "tls": "TLS",
    "send": "send",
    "wait": "wait",
    "body": "body",
}


REDACTED = "[secure]"
"""What stands in place of a secret."""

_SECRET = CREDENTIAL_FIELDS | {"set-cookie"}


@dataclasses.dataclass(slots=True)
class RecordedExchange:
    """One request on its way: seconds by the monotonic clock, as `(begin, end)` for each phase."""

    request: Request
    began: float
    date: datetime.datetime
    response: Response | None = None
    error: BaseException | None = None
    ended: float = 0.0
    phases: dict[str, tuple[float, float]] = dataclasses.field(default_factory=dict)
    is_new_connection: bool | None = False
    """None if nobody knows."""
    address: str | None = None
    """The address that it went to."""
    tls: str | None = None
    """The TLS version and cipher of a new connection."""

    @property
    def duration(self) -> float:
        """From its beginning to the end of the body, in seconds."""
        return self.ended - self.began

    def answered(self, response: Response, now: float) -> None:
        """The head of the response is here."""
        self.response = response
        self.ended = now
        if self.address is None and isinstance(address := peer_address(response), tuple):
            self.address = str(address[0])

    def failed(self, error: BaseException, now: float) -> None:
        """There will be no response."""
        self.error = error
        self.ended = now


def header_pairs(headers: Headers, *, with_secrets: bool) -> list[tuple[str, str]]:
    """Names and values; unless `with_secrets`, without credentials and cookies, and without those in the URLs of other fields."""
    pairs = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers.raw]
    if with_secrets:
        return pairs
    return [(name, REDACTED if name.lower() in _SECRET else without_userinfo(value)) for name, value in pairs]


def describe_outcome(exchange: RecordedExchange) -> str:
    """The status and the version of HTTP, or the name of what failed."""
    if exchange.response is not None:
        return f"{exchange.response.status_code} {exchange.response.http_version}"
    return type(exchange.error).__name__ if exchange.error is not None else "no response"


def describe_connection(exchange: RecordedExchange) -> str:
    """Where a new connection leads and what protects it; of a reused one this was told before."""
    if not exchange.phases or exchange.is_new_connection is None:
        return ""
    return ", ".join(filter(None, [exchange.address, exchange.tls])) if exchange.is_new_connection else "connection reused"


def describe_seconds(seconds: float) -> str:
    """A duration in a unit that is easy to read: `12.3 ms`."""
    if seconds >= 1:
        return f"{seconds:.2f} s"
    return f"{seconds * 1000:.1f} ms" if seconds >= 0.001 else f"{seconds * 1000:.2f} ms"
