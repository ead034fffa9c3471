"""`--timing`: a drawing of how long each phase of each request took, below one another on one scale."""

from __future__ import annotations

import typing

from rich.console import Console
from rich.text import Text

from .._models.url import URL
from .body import safe
from .recording import PHASES, Exchange

LABELS = {
    "name": "name lookup",
    "connect": "connect",
    "proxy": "proxy",
    "tls": "TLS",
    "send": "send",
    "wait": "wait",
    "body": "body",
}
_COLORS = {"name": "cyan", "connect": "yellow", "proxy": "yellow", "tls": "magenta", "send": "blue", "wait": "green", "body": "blue"}
_LABEL_WIDTH, _TIME_WIDTH = 13, 11


def draw(console: Console, exchanges: typing.Sequence[Exchange]) -> None:
    """Print the drawing, as wide as the console, at most 100 columns."""
    if not exchanges:
        return
    width = min(console.width, 100)
    begin = exchanges[0].began
    total = max(max(exchange.ended for exchange in exchanges) - begin, 1e-9)
    bar = "█" if console.encoding.lower().startswith("utf") else "#"
    room = max(width - _LABEL_WIDTH - _TIME_WIDTH - 3, 10)
    for exchange in exchanges:
        console.print(_title(exchange), soft_wrap=True)
        for phase in PHASES:
            if phase in exchange.phases:
                console.print(_row(phase, exchange.phases[phase], begin, total, room, bar), soft_wrap=True)
    took = f"{describe_seconds(total):>{_TIME_WIDTH}}"
    console.print(Text.assemble((f"  {'total':<{_LABEL_WIDTH}}{'':{room}}", "bold"), (took, "bold")), soft_wrap=True)


def _title(exchange: Exchange) -> Text:
    request = Text(safe(f"{exchange.request.method} {shown_url(exchange.request.url)}"), style="bold")
    title = Text.assemble(request, f"  {describe_outcome(exchange)}")
    return title.append(f"  ({describe_connection(exchange)})", style="dim") if exchange.phases else title


def shown_url(url: URL) -> URL:
    """A URL without the password that may be in it."""
    return url.copy_with(username=None, password=None) if url.userinfo else url


def describe_outcome(exchange: Exchange) -> str:
    """The status and the version of HTTP, or the name of what failed."""
    if exchange.response is not None:
        return f"{exchange.response.status_code} {exchange.response.http_version}"
    return type(exchange.error).__name__ if exchange.error is not None else "no response"


def describe_connection(exchange: Exchange) -> str:
    """Where a new connection leads and what protects it; of a reused one this was told before."""
    if not exchange.phases:
        return ""
    return ", ".join(filter(None, [exchange.address, exchange.tls])) if exchange.is_new_connection else "connection reused"


def _row(phase: str, when: tuple[float, float], begin: float, total: float, room: int, bar: str) -> Text:
    start = min(int((when[0] - begin) / total * room), room - 1)
    length = max(round((when[1] - when[0]) / total * room), 1)
    length = min(length, room - start)
    drawn = Text(" " * start + bar * length + " " * (room - start - length), style=_COLORS[phase])
    return Text.assemble(f"  {LABELS[phase]:<{_LABEL_WIDTH}}", drawn, f"{describe_seconds(when[1] - when[0]):>{_TIME_WIDTH}}")


def describe_seconds(seconds: float) -> str:
    """A duration in a unit that is easy to read: `12.3 ms`."""
    if seconds >= 1:
        return f"{seconds:.2f} s"
    return f"{seconds * 1000:.1f} ms" if seconds >= 0.001 else f"{seconds * 1000:.2f} ms"
