"""The URL model: an immutable value, parsed once, that knows what goes on the wire.

A URL is made for every request, so the common form (lower-case http(s) name or IPv4 address, nothing to encode) is recognised by
one regular expression; everything else takes the general way through `urlparse`. What the transport needs is computed at once,
what is for people (`host` decoded, `params`, `str()` of a URL that was changed) when it is asked for.
"""

from __future__ import annotations

import functools
import typing

from .._exceptions import InvalidURL
from . import urlparse
from .query import QueryParams
from .urlparse import DEFAULT_PORTS, MAX_HOST_LENGTH, MAX_URL_LENGTH, ParseResult, percent_decode

# What the keyword arguments of URL() and copy_with() must be; None is accepted for each and means "not there".
_COMPONENTS: dict[str, type | None] = {
    "scheme": str,
    "username": str,
    "password": str,
    "userinfo": bytes,
    "host": str,
    "port": int,
    "netloc": bytes,
    "path": str,
    "query": bytes,
    "raw_path": bytes,
    "fragment": str,
    "params": None,  # whatever QueryParams takes
}

# Schemes whose references may repeat the base's scheme and still be relative: "http:x" (RFC 3986 section 5.2.2, not strict).
_WEB_SCHEMES = ("http", "https", "ws", "wss", "ftp")


class RawURL(typing.NamedTuple):
    """The parts of a URL as bytes: see `URL.raw`."""

    raw_scheme: bytes
    raw_host: bytes
    port: int | None
    raw_path: bytes


class URL:
    """An absolute URL or a relative reference (RFC 3986), immutable, hashable and normalised.

    Normalised means: scheme and host in lower case, names outside ASCII as A-labels (IDNA 2008), the scheme's default port left
    out, "." and ".." segments removed, characters that a component cannot hold percent-encoded as UTF-8. Escapes that are
    already there are never touched, nor is "+".

    `url` is a str or another `URL`. Keyword arguments replace components of it; None removes one:

    * `scheme`, `host`, `path`, `fragment`: str
    * `port`: int
    * `username`, `password`: str, encoded here. One without the other means that there is only that one.
    * `userinfo`, `netloc` (host and port), `query`, `raw_path` (path and query): bytes, as `URL` gives them
    * `params`: a query in any form that `QueryParams` takes. It replaces the query.

    Raises `InvalidURL` for a URL that is malformed, longer than 65,536 characters, or that different programs would send to
    different hosts; `TypeError` for arguments of another type or name.
    """

    __slots__ = (
        "__weakref__",
        "_fragment",
        "_host",
        "_netloc",
        "_origin",
        "_params",
        "_path",
        "_port",
        "_query",
        "_scheme",
        "_shown_host",
        "_string",
        "_target",
        "_userinfo",
        "_zone",
    )

    # The client and the transport read these directly; they never change.
    _scheme: str  # lower case, "" in a relative reference
    _userinfo: bytes  # percent-encoded
    _host: str  # as it goes on the wire: ASCII, lower case, no brackets, no zone
    _zone: str  # the interface of a link-local IPv6 address: for connecting ("fe80::1%eth0"), never for Host, SNI or matching
    _port: int | None  # None for the default
    _netloc: bytes  # host[:port], as the Host field has it (RFC 9110 section 7.2)
    _target: bytes  # path and query, the origin form (RFC 9112 section 3.2.1)
    _origin: tuple[str, str, int | None]  # scheme, host (IPv6 in canonical spelling, with its zone), port with default filled in
    _path: str  # encoded; may be empty
    _query: str | None
    _fragment: str | None
    _string: str | None  # str(self), once known
    _shown_host: str | None
    _params: QueryParams | None

    def __init__(self, url: URL | str = "", **kwargs: typing.Any) -> None:
        if isinstance(url, str):
            if not kwargs:
                if len(url) <= MAX_URL_LENGTH and self._set_plain(url):
                    return
                self._set(urlparse.parse(url))
                return
            parts = urlparse.parse(url)
        elif isinstance(url, URL):
            parts = url._uri_reference
        else:
            raise TypeError(f"Invalid type for url.  Expected str or httpx.URL, got {type(url)}")
        self._set(_replace(parts, kwargs) if kwargs else parts)

    def _set_plain(self, url: str) -> bool:
        """Takes a URL that is normalised already; False if it may not be."""
        match = urlparse.plain_url(url)
        if match is None:
            return False
        scheme, host, port, path, query, fragment = match.groups()
        if "xn--" in host or (path and "/." in path) or len(host) > MAX_HOST_LENGTH:
            return False
        default = DEFAULT_PORTS[scheme]
        string: str | None = url
        if port is None:
            self._port = None
            self._netloc = host.encode()
            self._origin = (scheme, host, default)
        else:
            number = int(port)
            if not 0 < number <= 65_535:
                return False
            self._origin = (scheme, host, number)
            if number == default:
                self._port = string = None
                self._netloc = host.encode()
            else:
                self._port = number
                self._netloc = f"{host}:{number}".encode()
                if port[0] == "0":
                    string = None
        self._scheme = scheme
        self._userinfo = b""
        self._host = host
        self._zone = ""
        self._path = path = path or ""
        self._query = query
        self._fragment = fragment
        self._target = (path or "/").encode() if query is None else f"{path or '/'}?{query}".encode()
        self._string = string
        self._shown_host = host
        self._params = None
        return True

    def _set(self, parts: ParseResult) -> None:
        scheme, userinfo, host, port, path, query, fragment, zone = parts
        if ":" in host:
            netloc, peer = f"[{host}]", urlparse.canonical_ipv6(host)
            if zone:
                peer = f"{peer}%{zone}"
        else:
            netloc = peer = host
        self._scheme = scheme
        self._userinfo = userinfo.encode()
        self._host = host
        self._zone = zone
        self._port = port
        self._netloc = netloc.encode() if port is None else f"{netloc}:{port}".encode()
        self._origin = (scheme, peer, DEFAULT_PORTS.get(scheme) if port is None else port)
        self._path = path
        self._query = query
        self._fragment = fragment
        self._target = (path or "/").encode() if query is None else f"{path or '/'}?{query}".encode()
        self._string = None
        self._shown_host = None if "xn--" in host else host
        self._params = None

    @classmethod
    def _of(cls, parts: ParseResult) -> URL:
        made = cls.__new__(cls)
        made._set(parts)
        return made

    @property
    def _uri_reference(self) -> ParseResult:
        """The components by name; other libraries read them under this name."""
        return ParseResult(
            self._scheme, self._userinfo.decode(), self._host, self._port, self._path, self._query, self._fragment, self._zone
        )

    @property
    def scheme(self) -> str:
        """The scheme in lower case, such as "https"; empty in a relative reference (RFC 3986 section 3.1)."""
        return self._scheme

    @property
    def raw_scheme(self) -> bytes:
        """The scheme as bytes."""
        return self._scheme.encode()

    @property
    def userinfo(self) -> bytes:
        """User name and password as they stand in the URL, percent-encoded: `b"jo%40email.com:a%20secret"` (section 3.2.1)."""
        return self._userinfo

    @property
    def username(self) -> str:
        """The user name, decoded; empty if there is none."""
        return percent_decode(self._userinfo.decode().partition(":")[0])

    @property
    def password(self) -> str:
        """The password, decoded; empty if there is none."""
        return percent_decode(self._userinfo.decode().partition(":")[2])

    @property
    def host(self) -> str:
        """The host for people: lower case, names of other scripts decoded, IPv6 addresses without brackets (section 3.2.2).

        The zone of a link-local address is not part of it, as it means nothing outside this machine.
        """
        shown = self._shown_host
        if shown is None:
            shown = self._shown_host = urlparse.decode_host(self._host)
        return shown

    @property
    def raw_host(self) -> bytes:
        """The host as it goes on the wire: ASCII, A-labels for names of other scripts, IPv6 without brackets."""
        return self._host.encode()

    @property
    def port(self) -> int | None:
        """The port, or None for the scheme's default: `URL("https://host:443").port` is None (section 6.2.3)."""
        return self._port

    @property
    def netloc(self) -> bytes:
        """Host and port without user information, as in a Host field: `b"host:8080"`, `b"[::1]"` (RFC 9110 section 7.2)."""
        return self._netloc

    @property
    def path(self) -> str:
        """The path, decoded; "/" for an empty one (section 3.3). "%2F" and "/" look the same here: see `raw_path`."""
        return percent_decode(self._path or "/")

    @property
    def query(self) -> bytes:
        """The query as it goes on the wire, without "?" (section 3.4)."""
        return self._query.encode() if self._query else b""

    @property
    def params(self) -> QueryParams:
        """The query, decoded as a form."""
        params = self._params
        if params is None:
            params = self._params = QueryParams(self._query)
        return params

    @property
    def raw_path(self) -> bytes:
        """Path and query as they go on the wire, the target of the request (RFC 9112 section 3.2.1)."""
        return self._target

    @property
    def fragment(self) -> str:
        """The fragment, decoded, without "#" (section 3.5). It is never sent."""
        return percent_decode(self._fragment or "")

    @property
    def is_absolute_url(self) -> bool:
        """Whether the URL has both a scheme and a host, which sending a request takes."""
        return bool(self._scheme and self._host)

    @property
    def is_relative_url(self) -> bool:
        """The opposite of `is_absolute_url`."""
        return not (self._scheme and self._host)

    @property
    def raw(self) -> RawURL:
        """Scheme, host, port and path with query as a tuple of bytes. Kept for old code: prefer the single properties."""
        return RawURL(self._scheme.encode(), self._host.encode(), self._port, self._target)

    def copy_with(self, **kwargs: typing.Any) -> URL:
        """A copy with components replaced: the keyword arguments are those of `URL`.

        Raises `InvalidURL` if a component cannot stand where it is put, `TypeError` for arguments of another type or name.
        """
        return type(self)(self, **kwargs)

    def copy_set_param(self, key: str, value: typing.Any = None) -> URL:
        """A copy in whose query `value` is the only value of `key`. The query is encoded anew."""
        return self.copy_with(params=self.params.set(key, value))

    def copy_add_param(self, key: str, value: typing.Any = None) -> URL:
        """A copy in whose query `key` has another value. The query is encoded anew."""
        return self.copy_with(params=self.params.add(key, value))

    def copy_remove_param(self, key: str) -> URL:
        """A copy without `key` in its query. The query is encoded anew."""
        return self.copy_with(params=self.params.remove(key))

    def copy_merge_params(self, params: typing.Any) -> URL:
        """A copy in whose query `params` are added; a name that occurs there loses its former values."""
        return self.copy_with(params=self.params.merge(params))

    def join(self, url: URL | str) -> URL:
        """The URL that `url`, an absolute URL or a relative reference, stands for in a document at this one.

        As RFC 3986 section 5.2 has it, with the tolerance of section 5.2.2 for "http:path". This URL may be relative itself.

        Raises `InvalidURL` if `url` is malformed, or begins with "//" but names no host.
        """
        reference = url if isinstance(url, URL) else URL(url)
        if reference._host:
            if reference._scheme or not self._scheme:
                return reference
            return URL(f"{self._scheme}:{reference}")  # again, by the rules of this scheme
        if isinstance(url, str) and urlparse.split(url)[1] == "" and (reference._scheme or self._scheme) in urlparse.RESOLVED_SCHEMES:
            raise InvalidURL("The URL has no host after '//'.")
        if reference._scheme and not (reference._scheme == self._scheme in _WEB_SCHEMES and self._host):
            return reference
        return self._of(urlparse.join(self._uri_reference, reference._uri_reference))

    def __hash__(self) -> int:
        return hash(str(self))

    def __eq__(self, other: object) -> bool:
        """Whether both are written the same when normalised. A str is compared as the URL it is; a malformed one is not equal."""
        if isinstance(other, str):
            try:
                other = parse_url(other)
            except InvalidURL:
                return False
        return str(self) == str(other) if isinstance(other, URL) else NotImplemented

    def __str__(self) -> str:
        """The URL as text, with the password if it has one: for logs, use `repr()`."""
        string = self._string
        if string is None:
            string = self._string = urlparse.unparse(self._uri_reference)
        return string

    def __repr__(self) -> str:
        """The URL as text, with "[secure]" for the password."""
        shown = str(self)
        if b":" in self._userinfo:
            username = self._userinfo.decode().partition(":")[0]
            shown = urlparse.unparse(self._uri_reference._replace(userinfo=f"{username}:[secure]"))
        return f"{type(self).__name__}({shown!r})"

    def __reduce__(self) -> tuple[typing.Any, ...]:
        return type(self), (str(self),)

    def __copy__(self) -> URL:
        return self

    def __deepcopy__(self, memo: dict[int, typing.Any]) -> URL:
        return self


def _replace(parts: ParseResult, given: dict[str, typing.Any]) -> ParseResult:
    """`parts` with the components in `given`. Raises `TypeError` and `InvalidURL` as documented at `URL`."""
    for name, value in given.items():
        try:
            expected = _COMPONENTS[name]
        except KeyError:
            raise TypeError(f"{name!r} is an invalid keyword argument for URL()") from None
        if value is not None and expected is not None and (not isinstance(value, expected) or isinstance(value, bool)):
            raise TypeError(f"Argument {name!r} must be {expected.__name__} but got {type(value).__name__}")
    scheme, userinfo, host, port, path, query, fragment, zone = parts
    if "scheme" in given:
        scheme = urlparse.parse_scheme(given["scheme"] or "")
    if not given.keys().isdisjoint(("username", "password", "userinfo")):
        userinfo = _given_userinfo(given)
    if not given.keys().isdisjoint(("host", "port", "netloc")) or "scheme" in given:
        host, zone, port = _given_authority(given, scheme, host, zone, port)
    if "raw_path" in given:
        path, mark, query = _ascii("raw_path", given["raw_path"]).partition("?")
        path, query = _checked_path(path), _checked_query(query) if mark else None
    else:
        if "path" in given:
            path = _checked_path(given["path"] or "")
        if "params" not in given and "query" in given:
            query = None if given["query"] is None else _checked_query(_ascii("query", given["query"]))
    if "params" in given:
        query = _given_params(given["params"])
    if "fragment" in given:
        fragment = given["fragment"]
        if fragment is not None:
            fragment = urlparse.encode_component("fragment", fragment, urlparse.FRAGMENT_UNSAFE)
    if not scheme and not host and ("path" in given or "raw_path" in given):
        if path.startswith(":"):
            raise InvalidURL("Relative URLs cannot have a path starting with ':'")
        path = urlparse.guard_first_segment(path)
    return urlparse.finish(ParseResult(scheme, userinfo, host, port, path, query, fragment, zone))


def _given_userinfo(given: dict[str, typing.Any]) -> str:
    if "username" in given or "password" in given:
        unsafe = urlparse.USERINFO_UNSAFE
        username = urlparse.encode_component("username", given.get("username") or "", unsafe).replace(":", "%3A")
        password = urlparse.encode_component("password", given.get("password") or "", unsafe).replace(":", "%3A")
        return f"{username}:{password}" if password else username
    userinfo = _ascii("userinfo", given["userinfo"])
    if any(delimiter in userinfo for delimiter in "/?#@"):
        raise InvalidURL("The userinfo of a URL cannot hold '/', '?', '#' or '@'.")
    return urlparse.encode_component("userinfo", userinfo, urlparse.USERINFO_UNSAFE)


def _given_authority(given: dict[str, typing.Any], scheme: str, host: str, zone: str, port: int | None) -> tuple[str, str, int | None]:
    """Host, zone and port. A host that stays is examined again, since what it may be depends on the scheme."""
    if "netloc" in given:
        netloc = _ascii("netloc", given["netloc"])
        if "@" in netloc:
            raise InvalidURL("The netloc of a URL is host and port only: give user information as username and password.")
        urlparse.refuse_length_and_controls(netloc, "netloc")
        return urlparse.parse_hostport(netloc, scheme)
    if "host" in given:
        host, zone = given["host"] or "", ""
        urlparse.refuse_length_and_controls(host, "host")
    if zone:
        host = f"{host}%25{zone}"
    if ":" in host and host[0] != "[":
        host = f"[{host}]"
    host, zone = urlparse.parse_host(host, scheme)
    if "port" in given:
        port = given["port"]
        if port is not None:
            port = urlparse.parse_port(str(int(port)))
    return host, zone, port


def _given_params(params: typing.Any) -> str | None:
    try:
        query = str(QueryParams(params))
    except UnicodeEncodeError:
        raise InvalidURL("The query of the URL holds a surrogate, which cannot be encoded.") from None
    return _checked_query(query) or None


def _checked_path(path: str) -> str:
    if "?" in path or "#" in path:
        raise urlparse.invalid_component("path", "'?' and '#' would end the path: encode them as %3F and %23.")
    return urlparse.encode_component("path", path, urlparse.PATH_UNSAFE)


def _checked_query(query: str) -> str:
    if "#" in query:
        raise urlparse.invalid_component("query", "'#' would end the query: encode it as %23.")
    return urlparse.encode_component("query", query, urlparse.QUERY_UNSAFE)


def _ascii(name: str, value: bytes | None) -> str:
    try:
        return (value or b"").decode("ascii")
    except UnicodeDecodeError as error:
        octet = error.object[error.start]
        raise InvalidURL(f"The {name} of a URL is ASCII, but octet 0x{octet:02X} is at position {error.start}.") from None


@functools.lru_cache(maxsize=1024)
def _parse_cached(url: str) -> URL:
    return URL(url)


def parse_url(url: str) -> URL:
    """`URL(url)`, shared between calls: the last 1,024 URLs of up to 2,048 characters are kept. Raises `InvalidURL`."""
    return _parse_cached(url) if len(url) <= 2_048 else URL(url)
