"""`httpx.Proxy`: which proxy to go through, and what it may know."""

from __future__ import annotations

import typing

from ._models.headers import Headers, HeaderTypes
from ._models.url import URL

if typing.TYPE_CHECKING:
    import ssl

_SCHEMES = ("http", "https", "socks5", "socks5h", "socks4a")


class Proxy:
    """A proxy server.

    * `url`: `http://`, `https://` (TLS to the proxy), `socks5://`, `socks5h://` or `socks4a://`. All of the SOCKS schemes
      leave it to the proxy to resolve names. Credentials in the URL are moved to `auth`.
    * `ssl_context`: how an `https://` proxy is verified, see `httpx.SSLContext`; the default verifies against certifi's
      bundle. Servers behind the proxy are verified as the client says, not by this.
    * `auth`: user name and password for the proxy; those in the URL take precedence.
    * `headers`: sent to an HTTP proxy only: with each CONNECT, and with each request that it forwards.

    Nothing of it reaches the servers behind the proxy. Raises `ValueError` for a URL of another scheme or without a host.
    """

    def __init__(
        self,
        url: URL | str,
        *,
        ssl_context: ssl.SSLContext | None = None,
        auth: tuple[str, str] | None = None,
        headers: HeaderTypes | None = None,
    ) -> None:
        url = URL(url)
        if url.scheme not in _SCHEMES:
            raise ValueError(f"Unknown scheme for proxy URL {_shown(url)}: it must begin with one of {'://, '.join(_SCHEMES)}://.")
        if not url.host:
            raise ValueError(f"The proxy URL {_shown(url)} names no host.")
        if url.userinfo:
            auth = (url.username, url.password)
            url = url.copy_with(userinfo=None)
        if auth is not None and not (isinstance(auth, (tuple, list)) and len(auth) == 2 and all(isinstance(part, str) for part in auth)):
            raise TypeError("auth= of a Proxy is a pair of strings, user name and password.")
        self.url: URL = url
        self.auth: tuple[str, str] | None = auth
        self.headers: Headers = Headers(headers)
        self.ssl_context: ssl.SSLContext | None = ssl_context

    @property
    def raw_auth(self) -> tuple[bytes, bytes] | None:
        """`auth` as it goes over the wire, in UTF-8."""
        return None if self.auth is None else (self.auth[0].encode(), self.auth[1].encode())

    def __repr__(self) -> str:
        """The proxy without its password."""
        auth = "" if self.auth is None else f", auth={(self.auth[0], '********')!r}"
        headers = f", headers={repr(self.headers)[8:-1]}" if self.headers else ""
        return f"Proxy({str(self.url)!r}{auth}{headers})"


def _shown(url: URL) -> str:
    # Of "user:password@proxy", whose scheme was forgotten, the URL does not know that there is a password in it.
    return f"URL('{url.scheme}:[secure]')" if "@" in url.path else repr(url)
