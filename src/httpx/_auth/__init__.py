"""Ways to authenticate requests: each is a flow of requests and responses, driven by the client."""

from .base import Auth, FunctionAuth
from .basic import BasicAuth
from .digest import DigestAuth
from .netrc import NetRCAuth

__all__ = ["Auth", "BasicAuth", "DigestAuth", "FunctionAuth", "NetRCAuth"]
