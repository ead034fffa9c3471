"""Which transport serves which URLs: those that the user mounted, and those that go through proxies."""

from __future__ import annotations

import typing
from collections.abc import Callable, Iterable, Mapping

from .._proxy import Proxy
from .._types import ProxyTypes
from .environment import get_environment_proxies
from .url_pattern import URLPattern

T = typing.TypeVar("T")


def arrange(
    mounts: Mapping[str, T | None] | None, proxy: ProxyTypes | None, reads_environment: bool, make: Callable[[Proxy], T]
) -> dict[URLPattern, T | None]:
    """Transports by pattern in the order in which they are to be looked at; None is the client's own.

    `proxy` serves all URLs; without it the environment is asked, if it may be. `mounts` override both.
    """
    proxies: Mapping[str, ProxyTypes | None] = {}
    if proxy is not None:
        proxies = {"all://": proxy}
    elif reads_environment:
        proxies = get_environment_proxies()
    table: dict[URLPattern, T | None] = {}
    if mounts or any(proxies.values()):  # an exemption (NO_PROXY) is one from proxies that were mounted, too
        for key, via in proxies.items():
            table[URLPattern(key)] = None if via is None else make(via if isinstance(via, Proxy) else Proxy(via))
    for key, transport in (mounts or {}).items():
        table[URLPattern(key)] = transport
    return dict(sorted(table.items()))


def refuse_other_kind(transports: Iterable[object], method: str, others_method: str) -> None:
    """Raise `TypeError` for a transport of the other kind of client, which would fail at the first request."""
    for transport in transports:
        if not hasattr(transport, method) and hasattr(transport, others_method):
            kind = "a Client" if others_method == "handle_request" else "an AsyncClient"
            raise TypeError(f"{type(transport).__name__} is a transport of {kind}: it has no {method}().")
