"""Basic authentication (RFC 7617)."""

from __future__ import annotations

import base64
from collections.abc import Generator

from .._models.request import Request
from .._models.response import Response
from .base import Auth


class BasicAuth(Auth):
    """Sends user name and password with every request, in UTF-8. Raises `ValueError` for a user name with a colon."""

    def __init__(self, username: str | bytes, password: str | bytes) -> None:
        self._auth_header = basic_authorization(username, password)

    def auth_flow(self, request: Request) -> Generator[Request, Response, None]:
        request.headers["Authorization"] = self._auth_header
        yield request


def basic_authorization(username: str | bytes, password: str | bytes) -> str:
    """The value of the `Authorization` field. Raises `ValueError` if it would be read as another user name (section 2)."""
    name = to_bytes(username)
    if b":" in name:
        raise ValueError("Basic authentication has no way to send a user name with a colon (RFC 7617 section 2).")
    return "Basic " + base64.b64encode(name + b":" + to_bytes(password)).decode("ascii")


def to_bytes(text: str | bytes) -> bytes:
    """`text` in UTF-8."""
    return text.encode("utf-8") if isinstance(text, str) else text
