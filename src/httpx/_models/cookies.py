"""Cookies (RFC 6265): a mapping of names to values over a jar of the standard library."""

from __future__ import annotations

import copy
import functools
import types
import typing
from collections.abc import Iterator, Mapping, MutableMapping

from .._exceptions import CookieConflict

if typing.TYPE_CHECKING:
    from http.cookiejar import Cookie, CookieJar

    from .._types import CookieTypes
    from .request import Request
    from .response import Response


@functools.cache
def _rules() -> types.ModuleType:
    # Imported when the first cookie comes or goes, and looked up once: an import within a function takes longer than a cookie.
    from . import cookie_store

    return cookie_store


class Cookies(MutableMapping[str, str]):
    """The cookies of a client or a response.

    Made from a dict, a list of pairs, other `Cookies` (which are copied) or an `http.cookiejar.CookieJar` (which is used
    as it is). What servers set is stored, and sent again, by the rules of RFC 6265bis: a cookie without `Domain` goes to
    its own host alone, one with `Domain` also to subdomains, never to a public suffix such as `co.uk`.

    A cookie that is set here without `domain` belongs to the first host it is sent to; with `domain` it goes to that
    host and its subdomains.

    `jar` is the `CookieJar` below. A policy that was set on it (`jar.set_policy`) is asked in addition.
    """

    __slots__ = ("__weakref__", "_jar")

    def __init__(self, cookies: CookieTypes | None = None) -> None:
        self._jar: CookieJar | None = None
        if cookies is None:
            return
        if isinstance(cookies, (Mapping, list, tuple)):
            self.update(cookies)
        elif hasattr(cookies, "set_cookie"):
            self._jar = cookies
        else:
            raise TypeError(f"Cookies are made from a dict, pairs, Cookies or a CookieJar, not {type(cookies).__name__}.")

    @property
    def jar(self) -> CookieJar:
        """The cookies with all that is known of them, as `http.cookiejar` has it."""
        # Made when needed: most clients never see a cookie.
        if self._jar is None:
            made: CookieJar = _rules().Jar()
            self._jar = made
        return self._jar

    @jar.setter
    def jar(self, jar: CookieJar) -> None:
        self._jar = jar

    def _all(self) -> list[Cookie]:
        if self._jar is None:
            return []
        found: list[Cookie] = _rules().snapshot(self._jar)
        return found

    def extract_cookies(self, response: Response) -> None:
        """Store the cookies that a response sets, for later requests. Raises `RuntimeError` if it has cookies and no request."""
        if fields := response._values(b"set-cookie"):
            _rules().store(self.jar, response.request.url, fields)

    def _extract_as_if_secure(self, response: Response) -> None:
        if fields := response._values(b"set-cookie"):
            url = response.request.url
            _rules().store(self.jar, url.copy_with(scheme="https") if url._scheme == "http" else url, fields)

    def set_cookie_header(self, request: Request, cookies: CookieTypes | None = None) -> None:
        """Give a request the `Cookie` field that its URL calls for, unless it has one.

        `cookies` are for this request alone, and stand in for stored ones of the same name.
        """
        headers = request.headers
        if (self._jar is None and cookies is None) or b"cookie" in headers._lookup():
            return
        found = [] if self._jar is None else _rules().find(self._jar, request.url)
        if cookies is not None:
            own = _rules().find(Cookies(cookies).jar, request.url)
            names = {cookie.name for cookie in own}
            found = [cookie for cookie in found if cookie.name not in names] + own
        if found:
            headers._append([(b"Cookie", _rules().serialize(found))])

    def set(self, name: str, value: str, domain: str = "", path: str = "/") -> None:
        """Set a cookie, for `domain` and its subdomains and `path` and what is below; without `domain`, for one host."""
        self.jar.set_cookie(_rules().make_cookie(name, value, domain, path))

    def get(  # type: ignore[override]
        self, name: str, default: str | None = None, domain: str | None = None, path: str | None = None
    ) -> str | None:
        """The value of a cookie, or `default`. Raises `CookieConflict` if there are several, of different domains or paths."""
        matching = self._matching(name, domain, path)
        if len(matching) > 1:
            raise CookieConflict(f"Multiple cookies exist with name={name}: say which with domain= and path=.")
        return matching[0].value if matching else default

    def delete(self, name: str, domain: str | None = None, path: str | None = None) -> None:
        """Remove the cookies of this name, domain and path. Raises `KeyError` if both are given and there is none."""
        matching = self._matching(name, domain, path)
        if not matching and domain is not None and path is not None:
            raise KeyError(name)
        for cookie in matching:
            self.jar.clear(cookie.domain, cookie.path, cookie.name)

    def clear(self, domain: str | None = None, path: str | None = None) -> None:
        """Remove all cookies, those of a `domain`, or those of a `domain` and `path`. Raises `KeyError` if there is no such one."""
        if domain is not None:
            self.jar.clear(domain, path)
        elif path is not None:
            raise ValueError("clear(path=...) needs a domain, too.")
        elif self._jar is not None:
            self._jar.clear()

    def update(self, cookies: CookieTypes | None = None) -> None:  # type: ignore[override]
        """Add cookies to these; those of the same name, domain and path are replaced."""
        if cookies is None:
            return
        if isinstance(cookies, (list, tuple)) or (isinstance(cookies, Mapping) and not isinstance(cookies, Cookies)):
            for name, value in dict(cookies).items():
                self.set(name, value)
        else:
            for cookie in (cookies if isinstance(cookies, Cookies) else Cookies(cookies))._all():
                self.jar.set_cookie(copy.copy(cookie))

    def _matching(self, name: str, domain: str | None, path: str | None) -> list[Cookie]:
        found = [cookie for cookie in self._all() if cookie.name == name and (path is None or cookie.path == path)]
        if not found or domain is None:
            return found
        return [cookie for cookie in found if _rules().same_domain(cookie.domain, domain)]

    def __setitem__(self, name: str, value: str) -> None:
        self.set(name, value)

    def __getitem__(self, name: str) -> str:
        value = self.get(name)
        if value is None:
            raise KeyError(name)
        return value

    def __delitem__(self, name: str) -> None:
        self.delete(name)

    def __iter__(self) -> Iterator[str]:
        return iter([cookie.name for cookie in self._all()])

    def __len__(self) -> int:
        return len(self._all())

    def __bool__(self) -> bool:
        return self._jar is not None and any(True for _ in self._jar)

    def __repr__(self) -> str:
        """The names and domains; a value may be what somebody is logged in with."""
        return f"<Cookies[{', '.join(f'<Cookie {cookie.name} for {cookie.domain} />' for cookie in self._all())}]>"

    def __getstate__(self) -> tuple[CookieJar | None]:
        return (None if self._jar is None else self._copied_jar(),)  # None alone would be no state, to pickle

    def __setstate__(self, state: tuple[CookieJar | None]) -> None:
        (self._jar,) = state

    def _copied_jar(self) -> CookieJar:
        jar: CookieJar = _rules().Jar(vars(self._jar)["_policy"])
        for cookie in self._all():
            jar.set_cookie(copy.copy(cookie))
        return jar

    def __copy__(self) -> Cookies:
        copied = Cookies()
        copied.__setstate__(self.__getstate__())
        return copied

    def __deepcopy__(self, memo: dict[int, typing.Any]) -> Cookies:
        return self.__copy__()
