"""What a request takes from its client when it says nothing itself."""

from __future__ import annotations

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
    return Headers([("Accept", "*/*"), ("Accept-Encoding", accept_encoding()), ("Connection", "keep-alive"), ("User-Agent", USER_AGENT)])
