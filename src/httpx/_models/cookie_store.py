"""Storing and finding cookies as RFC 6265bis (sections 5.7 and 5.8) has it, in a jar of the standard library.

`http.cookiejar` has rules of its own, from the time of Netscape: with them a cookie without `Domain` goes to subdomains.
Here they are ours, and the jar is what keeps the cookies: `domain_specified` tells a cookie for a domain from one for a
host alone. A policy that somebody has set on a jar is asked as well. Imported when the first cookie comes or goes.
"""

from __future__ import annotations

import copy
import http.cookiejar
import itertools
import re
import time
import typing
from collections.abc import Sequence
from http.cookiejar import Cookie, CookieJar

from .public_suffix import is_public_suffix
from .set_cookie import SetCookie, parse_set_cookie
from .url import URL

MAX_COOKIES_PER_RESPONSE = 50
MAX_COOKIES_PER_DOMAIN = 200
MAX_COOKIES = 3_000
"""Cookies in a jar that came from servers, of all domains together."""

MAX_COOKIES_SENT = 150
MAX_COOKIE_HEADER_SIZE = 8190
MAX_AGE = 400 * 24 * 3600
"""Seconds that a cookie is kept at most."""

_Domains = dict[str, dict[str, dict[str, Cookie]]]  # cookies by domain, path and name
_Known = dict[tuple[bytes, str, str, str], tuple[Cookie, dict[str, typing.Any]]]  # by the field and where it came from
_MAX_KNOWN = 32

_SECURE_SCHEMES = ("https", "wss")
_NEEDLESS_ESCAPE = re.compile(
    r"%(2[DdEe]|3[0-9]|[46][1-9A-Fa-f]|[57][0-9]|[57][Aa]|5[Ff]|7[Ee])"
)  # of what is unreserved (RFC 3986 section 2.3)
_NO_POLICY = {**vars(http.cookiejar.DefaultCookiePolicy()), "_now": None}  # of a jar whose policy nobody has chosen
_OURS = http.cookiejar.DefaultCookiePolicy()  # of the jars that are made here: told from a chosen one at a glance
_BLANK = vars(Cookie(0, "", "", None, False, "", False, False, "", False, False, None, True, None, None, {}))
_created = itertools.count(1)


class Jar(CookieJar):
    """A `CookieJar` that survives `pickle` and `copy`.

    It remembers what put a cookie without expiry here, and what the cookie was then: servers say the same again and again, and as long as
    the cookie is still that, nothing has to be done.
    """

    def __init__(self, policy: http.cookiejar.CookiePolicy | None = None) -> None:
        super().__init__(_OURS if policy is None else policy)
        self._known: _Known = {}

    def __getstate__(self) -> dict[str, typing.Any]:
        # Lock and index are made anew.
        return {"policy": self._policy, "cookies": [copy.copy(cookie) for cookie in self]}  # type: ignore[attr-defined]

    def __setstate__(self, state: dict[str, typing.Any]) -> None:
        self.__init__(state["policy"])  # type: ignore[misc]
        for cookie in state["cookies"]:
            self.set_cookie(cookie)


def make_cookie(name: str, value: str | None, domain: str = "", path: str = "/") -> Cookie:
    """A cookie that the caller sets: with a `domain` for that and its subdomains, else for the first host it is sent to."""
    return _cookie(SetCookie(name, typing.cast(str, value), "utf-8"), domain, bool(domain), path, None)


def _cookie(said: SetCookie, domain: str, for_domain: bool, path: str, expires: int | None) -> Cookie:
    rest: dict[str, typing.Any] = {}
    if said.http_only:
        rest["HttpOnly"] = None
    if said.same_site is not None:
        rest["SameSite"] = said.same_site
    # Its constructor takes longer than all the rest, and attributes are read twice as fast from a dictionary that is set as a whole.
    cookie = Cookie.__new__(Cookie)
    cookie.__dict__ = {
        **_BLANK,
        "name": said.name,
        "value": said.value,
        "domain": domain,
        "domain_specified": for_domain,
        "domain_initial_dot": domain.startswith("."),
        "path": path,
        "path_specified": said.path is not None or for_domain,
        "secure": said.secure,
        "expires": expires,
        "discard": expires is None,
        "_rest": rest,
        "charset": said.charset,
        "created": next(_created),
    }
    return cookie


def snapshot(jar: CookieJar) -> list[Cookie]:
    """The cookies of a jar, safe from other threads that change it meanwhile."""
    with vars(jar)["_cookies_lock"]:
        return _every(jar)


def _every(jar: CookieJar) -> list[Cookie]:
    # What iterating the jar gives, at a fraction of the cost.
    domains: _Domains = vars(jar)["_cookies"]
    return [cookie for paths in domains.values() for names in paths.values() for cookie in names.values()]


# Storing.


def store(jar: CookieJar, url: URL, fields: Sequence[bytes]) -> None:
    """Put the cookies of a response from `url` into the jar, or out of it if they have expired."""
    policy = _chosen_policy(jar)
    known: _Known | None = vars(jar).get("_known") if policy is None else None
    has_grown = False
    for field in fields[:MAX_COOKIES_PER_RESPONSE]:
        source = (field, url._scheme, url._host, url._path)
        if known is not None and (before := known.get(source)) is not None and _is_still(jar, *before):
            continue
        said = parse_set_cookie(field)
        cookie = None if said is None else _accept(said, url)
        if cookie is None or (policy is not None and not policy.set_ok(_spelled(cookie), _PolicyRequest(url))):
            continue
        vars(cookie)["received"] = True
        with vars(jar)["_cookies_lock"]:
            has_grown = _put(jar, cookie, url) or has_grown
        if known is not None and cookie.expires is None:
            if len(known) >= _MAX_KNOWN:
                known.clear()
            known[source] = cookie, vars(cookie).copy()
    if has_grown:
        with vars(jar)["_cookies_lock"]:
            _make_room(jar)


def _is_still(jar: CookieJar, cookie: Cookie, state: dict[str, typing.Any]) -> bool:
    # Whether the cookie is where it was put, and as it was: programs may change both.
    domains: _Domains = jar.__dict__["_cookies"]
    try:
        return domains[cookie.domain][cookie.path][cookie.name] is cookie and cookie.__dict__ == state
    except KeyError:
        return False


def _accept(said: SetCookie, url: URL) -> Cookie | None:
    # The cookie as it is to be stored, None if this host must not set it.
    is_secure = url._scheme in _SECURE_SCHEMES
    host = url._host
    domain = said.domain
    if domain == f"{host}.local" and "." not in host:
        domain = None  # a name of one label, as the standard library spells it, and so servers that are tested under such a name
    if domain is not None and (not domain or is_public_suffix(domain)):
        if domain != host:
            return None
        domain = None
    if (domain is not None and not _covers(domain, host)) or (said.secure and not is_secure):
        return None
    path = said.path or _default_path(url)
    prefix = said.name.lower()
    if prefix.startswith("__secure-") and not said.secure:
        return None
    if prefix.startswith("__host-") and not (said.secure and domain is None and said.path == "/"):
        return None
    expires = None if said.max_age is None and said.expires is None else _expiry(said)
    return _cookie(said, host if domain is None else f".{domain}", domain is not None, path, expires)


def _expiry(said: SetCookie) -> int | None:
    now = time.time()
    if said.max_age is not None:
        return int(now + min(said.max_age, MAX_AGE)) if said.max_age > 0 else 0
    return None if said.expires is None else int(max(min(said.expires, now + MAX_AGE), 0))


def _put(jar: CookieJar, cookie: Cookie, url: URL) -> bool:
    # Returns whether there is one more cookie now.
    domains: _Domains = vars(jar)["_cookies"]
    if not cookie.secure and url._scheme not in _SECURE_SCHEMES:
        for domain, paths in domains.items():
            for path, names in paths.items():
                other = names.get(cookie.name)
                if other is not None and other.secure and _shadows(domain, path, cookie):
                    return False
    is_expired = cookie.expires is not None and cookie.is_expired()
    replaced = domains.get(cookie.domain, {}).get(cookie.path, {}).get(cookie.name)
    if replaced is not None:
        vars(cookie)["created"] = vars(replaced).get("created", 0)
        if is_expired:
            jar.clear(replaced.domain, replaced.path, replaced.name)
    if is_expired:
        return False
    jar.set_cookie(cookie)
    if replaced is not None:
        return False
    paths = domains[cookie.domain]
    if sum(map(len, paths.values())) > MAX_COOKIES_PER_DOMAIN:
        oldest = min((other for names in paths.values() for other in names.values()), key=_age)
        jar.clear(oldest.domain, oldest.path, oldest.name)
    return True


def _shadows(domain: str, path: str, cookie: Cookie) -> bool:
    # Whether `cookie` would come before a secure one that is stored there. Plain HTTP must not do that ("leave secure cookies alone").
    theirs, ours = domain.lstrip("."), cookie.domain.lstrip(".")
    return (_covers(theirs, ours) or _covers(ours, theirs)) and _path_matches(path, cookie.path)


def _make_room(jar: CookieJar) -> None:
    # Who has many hosts can fill a jar: what goes first is what came first to the domain that has the most.
    domains: _Domains = vars(jar)["_cookies"]
    if sum([len(names) for paths in domains.values() for names in paths.values()]) <= MAX_COOKIES:
        return
    received: dict[str, list[Cookie]] = {}
    for cookie in _every(jar):
        if "received" in vars(cookie):
            received.setdefault(cookie.domain, []).append(cookie)
    for _ in range(sum(map(len, received.values())) - MAX_COOKIES):
        largest = max(received.values(), key=len)
        oldest = min(largest, key=_age)
        largest.remove(oldest)
        jar.clear(oldest.domain, oldest.path, oldest.name)


# Finding.


def find(jar: CookieJar, url: URL) -> list[Cookie]:
    """The cookies for a request to `url`, those of longer paths first, then those that came earlier.

    Those of its domains that have expired are dropped from the jar, and those that the caller set without a domain become cookies
    of this host. What the jar holds for other domains is not looked at: it may be much.
    """
    held = jar.__dict__
    if not held["_cookies"]:
        return []
    host, is_secure = url._host, url._scheme in _SECURE_SCHEMES
    path = _NEEDLESS_ESCAPE.sub(_unescape, url._path) if "%" in url._path else url._path or "/"
    policy = None if held["_policy"] is _OURS else _chosen_policy(jar)
    now = time.time()
    found: list[tuple[int, int, int, Cookie]] = []  # in order, each behind what the order goes by
    with held["_cookies_lock"]:
        for cookie in _of_domains(jar, host):
            if cookie.expires is not None and cookie.expires <= now:
                jar.clear(cookie.domain, cookie.path, cookie.name)
                continue
            if not cookie.domain and host:
                cookie = _bind(jar, cookie, host)
            if (
                (cookie.domain == host or _is_for(cookie, host))
                and (cookie.path == "/" or _path_matches(cookie.path, path))
                and (is_secure or not cookie.secure)
                and (policy is None or _allows(policy, cookie, url))
            ):
                found.append((-len(cookie.path), cookie.__dict__.get("created", 0), len(found), cookie))
    found.sort()
    return [cookie for _, _, _, cookie in found]


def _of_domains(jar: CookieJar, host: str) -> list[Cookie]:
    # The cookies that may be for this host, by what their domain is called.
    domains: _Domains = vars(jar)["_cookies"]
    return [
        cookie
        for domain, paths in domains.items()
        if domain == host or not domain or same_domain(domain, host) or _covers(domain.removeprefix(".").lower(), host)
        for names in paths.values()
        for cookie in names.values()
    ]


def serialize(cookies: Sequence[Cookie]) -> bytes:
    """The value of a Cookie field, within what servers take."""
    text = "; ".join([cookie.name if cookie.value is None else f"{cookie.name}={cookie.value}" for cookie in cookies])
    if text.isascii() and len(cookies) <= MAX_COOKIES_SENT and len(text) <= MAX_COOKIE_HEADER_SIZE:
        return text.encode("ascii")
    pairs: list[bytes] = []
    size = 0
    for cookie in cookies:
        pair = cookie.name if cookie.value is None else f"{cookie.name}={cookie.value}"
        encoded = pair.encode(vars(cookie).get("charset", "utf-8"))
        if len(pairs) < MAX_COOKIES_SENT and size + len(encoded) <= MAX_COOKIE_HEADER_SIZE:
            pairs.append(encoded)
            size += len(encoded) + 2
    return b"; ".join(pairs)


def _bind(jar: CookieJar, cookie: Cookie, host: str) -> Cookie:
    # A cookie for nobody in particular must not become one for everybody: it stays with the first host.
    bound = copy.copy(cookie)
    bound.domain = host
    jar.clear(cookie.domain, cookie.path, cookie.name)
    jar.set_cookie(bound)
    return bound


def _is_for(cookie: Cookie, host: str) -> bool:
    # A cookie of another domain than `host` itself.
    domain = cookie.domain
    if not cookie.domain_specified:
        return same_domain(domain, host) and "." not in host and not vars(cookie).get("created")
    if "." not in host and not domain.startswith(".") and same_domain(domain, host):
        return True  # as a caller writes it who knows the standard library's spelling, "localhost.local"
    return _covers(domain.removeprefix(".").lower(), host)


def same_domain(one: str, other: str) -> bool:
    """Whether two domains are the same; the standard library writes a host of one label with ".local" behind it."""
    return one == other or _without_local(one) == _without_local(other)


def _without_local(domain: str) -> str:
    name = domain.removesuffix(".local")
    return domain if "." in name.removeprefix(".") else name


def _covers(domain: str, host: str) -> bool:
    # RFC 6265 section 5.1.3: the same, or a subdomain, which an address never is.
    return domain == host or (bool(domain) and host.endswith("." + domain) and ":" not in host and not host.replace(".", "").isdigit())


def _path_matches(cookie_path: str, path: str) -> bool:
    # RFC 6265 section 5.1.4.
    return path.startswith(cookie_path) and (len(path) == len(cookie_path) or cookie_path.endswith("/") or path[len(cookie_path)] == "/")


def _default_path(url: URL) -> str:
    path = url._path
    return (path[: path.rindex("/")] or "/") if path.startswith("/") else "/"


def _unescape(escape: re.Match[str]) -> str:
    return chr(int(escape[1], 16))


def _age(cookie: Cookie) -> int:
    created: int = vars(cookie).get("created", 0)
    return created


# A policy of the user's own, which expects the standard library's requests and its way of writing hosts.


def _chosen_policy(jar: CookieJar) -> typing.Any:
    # None if nobody has chosen one.
    policy: typing.Any = vars(jar)["_policy"]
    if policy is _OURS:
        return None
    if type(policy) is http.cookiejar.DefaultCookiePolicy and {**_NO_POLICY, **vars(policy), "_now": None} == _NO_POLICY:
        return None
    vars(policy)["_now"] = int(time.time())  # where the standard library's policies look
    return policy


def _allows(policy: typing.Any, cookie: Cookie, url: URL) -> bool:
    request, spelled = _PolicyRequest(url), _spelled(cookie)
    return bool(
        policy.domain_return_ok(spelled.domain, request)
        and policy.path_return_ok(spelled.path, request)
        and policy.return_ok(spelled, request)
    )


def _spelled(cookie: Cookie) -> Cookie:
    if "." in cookie.domain:
        return cookie
    spelled = copy.copy(cookie)
    spelled.domain += ".local"
    return spelled


class _PolicyRequest:
    # The part of urllib.request.Request that policies look at.
    unverifiable = False

    def __init__(self, url: URL) -> None:
        self.type = url.scheme
        self.host = url.netloc.decode("ascii")
        self.origin_req_host = url._host
        self._url = str(url)

    def get_full_url(self) -> str:
        return self._url

    def get_header(self, name: str, default: typing.Any = None) -> typing.Any:
        return default

    def has_header(self, name: str) -> bool:
        return False

    def is_unverifiable(self) -> bool:
        return False
