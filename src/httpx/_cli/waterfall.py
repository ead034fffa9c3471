"""`--timing`: a drawing of how long each phase of each request took, below one another on one scale."""

from __future__ import annotations

import typing

from rich.console import Console
from rich.text import Text

from .._models.credentials import shown_url
from .._observability.recorded import LABELS, PHASES, RecordedExchange, describe_connection, describe_outcome, describe_seconds
from .body import safe

_COLORS = {"name": "cyan", "connect": "yellow", "proxy": "yellow", "tls": "magenta", "send": "blue", "wait": "green", "body": "blue"}
_LABEL_WIDTH, _TIME_WIDTH = 13, 11


def draw(console: Console, exchanges: typing.Sequence[RecordedExchange]) -> None:
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


def _title(exchange: RecordedExchange) -> Text:
    request = Text(safe(f"{exchange.request.method} {shown_url(exchange.request.url)}"), style="bold")
    title = Text.assemble(request, f"  {describe_outcome(exchange)}")
    return title.append(f"  ({describe_connection(exchange)})", style="dim") if exchange.phases else title


def _row(phase: str, when: tuple[float, float], begin: float, total: float, room: int, bar: str) -> Text:
    start = min(int((when[0] - begin) / total * room), room - 1)
    length = max(round((when[1] - when[0]) / total * room), 1)
    length = min(length, room - start)
    drawn = Text(" " * start + bar * length + " " * (room - start - length), style=_COLORS[phase])
    return Text.assemble(f"  {LABELS[phase]:<{_LABEL_WIDTH}}", drawn, f"{describe_seconds(when[1] - when[0]):>{_TIME_WIDTH}}")
