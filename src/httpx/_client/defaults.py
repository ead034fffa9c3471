"""What a request takes from its client when it says nothing itself."""

from __future__ import annotations

import functools

from ..__version__ import __version__
from .._content.codings import accept_encoding
from .._models.headers import Headers

USER_AGENT = f"python-httpx/{__version__}"


class UseClientDefault:
    """The type of `USE_CLIENT_DEFAULT`: told apart from None, which means "none at all"."""

    def __repr__(self) -> str:
        return "USE_CLIENT_DEFAULT"


USE_CLIENT_DEFAULT = UseClientDefault()


def default_headers() -> Headers:
    """The fields that every request has unless its client or its caller says otherwise."""
    return _default_headers(accept_encoding()).copy()


@functools.cache
def _default_headers(codings: str) -> Headers:
    return Headers([("Accept", "*/*"), ("Accept-Encoding", codings), ("Connection", "keep-alive"), ("User-Agent", USER_AGENT)])
