"""Exchanges as a waterfall: a page of HTML that stands alone, with the heads that were exchanged."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from html import escape

from .._models.credentials import shown_url
from .._models.headers import Headers
from .recorded import LABELS, PHASES, RecordedExchange, describe_connection, describe_outcome, describe_seconds, header_pairs

# Nothing may be loaded or run, whatever a server has sent: what it sent is text, and the page says so to the browser too.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"

_STYLE = """
:root { color-scheme: light dark; --line: light-dark(#ddd, #444); --dim: light-dark(#666, #aaa); }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.3rem; overflow-wrap: anywhere; }
h2 { font-size: 1rem; margin: 0; overflow-wrap: anywhere; }
section { border-top: 1px solid var(--line); margin-top: 1rem; padding: 1rem 0 0; }
p, summary { color: var(--dim); margin: .2rem 0 .6rem; }
.row { display: grid; grid-template-columns: 7rem 1fr 5.5rem; gap: .5rem; align-items: center; }
.over { grid-template-columns: minmax(0, 18rem) 1fr 5.5rem; }
.over a { color: inherit; white-space: nowrap; overflow: hidden; text-overflow: ellipsis; text-decoration: none; }
.over a:hover { text-decoration: underline; }
.row span { white-space: nowrap; }
.row b { font-weight: normal; text-align: right; font-variant-numeric: tabular-nums; }
.scale { height: .8rem; position: relative; background: light-dark(#f4f4f4, #2a2a2a); }
.scale i { position: absolute; top: 0; bottom: 0; min-width: 2px; border-radius: 2px; }
.pool { background: #888; }
.name { background: #17a2b8; } .connect { background: #e0a800; } .proxy { background: #c77d0a; } .tls { background: #a64ca6; }
.send { background: #6c8ebf; } .wait { background: #4caf50; } .body { background: #3f72d8; }
table { border-collapse: collapse; font: 13px/1.5 ui-monospace, monospace; margin-bottom: .8rem; }
td { padding: 0 1rem 0 0; vertical-align: top; overflow-wrap: anywhere; }
td:first-child { color: var(--dim); white-space: nowrap; }
@media (max-width: 40rem) { .row { grid-template-columns: 6.5rem 1fr 4.5rem; } .over { grid-template-columns: 9rem 1fr 4.5rem; } }
@media (max-width: 40rem) { td:first-child { white-space: normal; } }
""".strip()


def save_page(path: str | os.PathLike[str], exchanges: Sequence[RecordedExchange]) -> None:
    """Write the page. Credentials and cookies are left out."""
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(f"{line}\n" for line in _page(exchanges))


def _page(exchanges: Sequence[RecordedExchange]) -> Iterator[str]:
    begin = min((exchange.began for exchange in exchanges), default=0.0)
    total = max((exchange.ended for exchange in exchanges), default=0.0) - begin
    title = escape(f"{exchanges[0].request.method} {shown_url(exchanges[0].request.url)}" if exchanges else "No request")
    more = f", in {len(exchanges)} requests" if len(exchanges) > 1 else ""
    yield '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">'
    yield f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f"<title>{title}</title>\n<style>\n{_STYLE}\n</style>\n</head>\n<body>"
    yield f"<h1>{title}</h1>\n<p>{describe_seconds(total)} in all{more}</p>"
    scale = (begin, max(total, 1e-9))
    if len(exchanges) > 1:
        for number, exchange in enumerate(exchanges, 1):
            yield _overview(number, exchange, scale)
    for number, exchange in enumerate(exchanges, 1):
        yield from _section(number, exchange, scale)
    yield "</body>\n</html>"


def _overview(number: int, exchange: RecordedExchange, scale: tuple[float, float]) -> str:
    request, response = exchange.request, exchange.response
    outcome = "failed" if response is None else response.status_code
    label = escape(f"{outcome} {request.method} {request.url.raw_path.decode('ascii')}")
    bars = "".join(_bar(phase, *exchange.phases[phase], scale) for phase in PHASES if phase in exchange.phases)
    shown = f'<a href="#request-{number}" title="{label}">{label}</a><span class="scale">{bars}</span>'
    return f'<div class="row over">{shown}<b>{describe_seconds(exchange.duration)}</b></div>'


def _bar(phase: str, start: float, end: float, scale: tuple[float, float]) -> str:
    begin, total = scale
    return f'<i class="{phase}" style="left: {(start - begin) / total:.2%}; width: {(end - start) / total:.2%}"></i>'


def _section(number: int, exchange: RecordedExchange, scale: tuple[float, float]) -> Iterator[str]:
    request, response = exchange.request, exchange.response
    yield f'<section id="request-{number}">\n<h2>{escape(f"{request.method} {shown_url(request.url)}")}</h2>'
    yield f"<p>{escape(' · '.join(filter(None, [describe_outcome(exchange), describe_connection(exchange)])))}</p>"
    for phase in PHASES:
        if phase in exchange.phases:
            start, end = exchange.phases[phase]
            yield f'<div class="row"><span>{LABELS[phase]}</span><span class="scale">{_bar(phase, start, end, scale)}</span>'
            yield f"<b>{describe_seconds(end - start)}</b></div>"
    if exchange.error is not None:
        yield f"<p>{escape(str(exchange.error))}</p>"
    yield from _fields("Request", request.headers)
    if response is not None:
        yield from _fields("Response", response.headers)
    yield "</section>"


def _fields(title: str, headers: Headers) -> Iterator[str]:
    rows = "".join(f"<tr><td>{escape(name)}<td>{escape(value)}" for name, value in header_pairs(headers, with_secrets=False))
    yield f"<details><summary>{title}</summary><table>{rows}</table></details>"
