"""`--har`: what was recorded, as an archive."""

from __future__ import annotations

import typing
from collections.abc import Sequence

from .._exchange import har
from .recording import Exchange


def write_har(file: typing.TextIO, exchanges: Sequence[Exchange], *, with_secrets: bool = False) -> None:
    """Write the archive. Unless `with_secrets`, credentials and cookies are left out."""
    har.write_har(file, map(_entry, exchanges), with_secrets=with_secrets)


def _entry(exchange: Exchange) -> har.Entry:
    phases = {name: end - begin for name, (begin, end) in exchange.phases.items()}
    return har.Entry(exchange.request, exchange.response, exchange.error, exchange.date, exchange.duration, phases, exchange.address)
