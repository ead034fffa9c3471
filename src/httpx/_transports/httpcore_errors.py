"""Errors of a network stream that are httpcore's as well, for libraries that catch those.

httpx-ws speaks WebSocket on `response.extensions["network_stream"]` and expects `httpcore.ReadError` when the connection is
lost. Where httpcore has been imported, the errors that a network stream raises are therefore of both kinds.
"""

from __future__ import annotations

import sys
import typing

from .._exceptions import TransportError

_NAMES = ("ConnectError", "ConnectTimeout", "ReadError", "ReadTimeout", "WriteError", "WriteTimeout")
_both: dict[type[TransportError], type[TransportError]] = {}


def as_httpcore_has_it(error: TransportError) -> TransportError:
    """The same error, also an instance of httpcore's class of that name; `error` itself where there is no httpcore."""
    httpcore = sys.modules.get("httpcore")
    ours = type(error)
    if httpcore is None or ours.__name__ not in _NAMES:
        return error
    if ours not in _both:

        def reduce(self: TransportError) -> tuple[typing.Any, ...]:  # what is pickled or copied is ours alone
            return ours, (str(self),)

        _both[ours] = type(ours.__name__, (ours, getattr(httpcore, ours.__name__)), {"__module__": "httpx", "__reduce__": reduce})
    return _both[ours](str(error))
