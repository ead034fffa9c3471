"""Ways to authenticate requests: each is a flow of requests and responses, driven by the client."""

import typing

from .base import Auth, FunctionAuth
from .basic import BasicAuth

if typing.TYPE_CHECKING:
    from .digest import DigestAuth
    from .netrc import NetRCAuth

__all__ = ["Auth", "BasicAuth", "DigestAuth", "FunctionAuth", "NetRCAuth"]


def __getattr__(name: str) -> typing.Any:
    if name == "DigestAuth":
        from .digest import DigestAuth

        return DigestAuth
    if name == "NetRCAuth":
        from .netrc import NetRCAuth

        return NetRCAuth
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
