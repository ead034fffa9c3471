"""User names and passwords from a `.netrc` file."""

from __future__ import annotations

import os
from collections.abc import Generator

from .._models.request import Request
from .._models.response import Response
from .base import Auth
from .basic import basic_authorization


class NetRCAuth(Auth):
    """Basic authentication with the entry of a `.netrc` file for the host that the request goes to.

    `file` is its path, `~/.netrc` by default; it is read here and now. Raises `FileNotFoundError`, or
    `netrc.NetrcParseError` if it is malformed. Requests to a host without an entry, or whose entry has no password, are
    sent as they are. No `.netrc` file is ever read but through this class.
    """

    def __init__(self, file: str | os.PathLike[str] | None = None) -> None:
        import netrc

        self._netrc_info = netrc.netrc(None if file is None else os.fspath(file))

    def auth_flow(self, request: Request) -> Generator[Request, Response, None]:
        entry = self._netrc_info.authenticators(request.url.host)
        if entry is not None and entry[2]:
            login, account, password = entry
            request.headers["Authorization"] = basic_authorization(login or account or "", password or "")
        yield request
