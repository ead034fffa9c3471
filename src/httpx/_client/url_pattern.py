"""Patterns that say which URLs a transport is for.

    all://                       everything
    http://                      a scheme
    all://example.org            a host; https://example.org:8443 with scheme and port
    all://*.example.org          its subdomains
    all://*example.org           itself and its subdomains
    all://*:8080                 a port
    all://10.0.0.0/8             addresses; also all://[::1] and all://fd00::/8

The most specific pattern wins: with a port before without, then the longer host, then the longer scheme.
"""

from __future__ import annotations

import functools
import re
import typing

from .._exceptions import InvalidURL
from .._models.url import URL

if typing.TYPE_CHECKING:
    import ipaddress

    Address = ipaddress.IPv4Address | ipaddress.IPv6Address
    Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_BRACKETED_NETWORK = re.compile(r"^\[([^\]]*)\](?=/)")


class URLPattern:
    """A set of URLs, as described above. Raises `ValueError` for a pattern without `://`, `InvalidURL` for one that is malformed."""

    def __init__(self, pattern: str) -> None:
        scheme, mark, authority = pattern.partition("://")
        if pattern and not mark:
            raise ValueError(
                f'Proxy keys should use proper URL forms rather than plain scheme strings. Instead of "{pattern}", use "{pattern}://"'
            )
        self.pattern = pattern
        self.scheme = "" if scheme.lower() == "all" else scheme.lower()
        self.host = ""
        self.port: int | None = None
        self._network = _parse_network(_BRACKETED_NETWORK.sub(r"\1", authority)) if "/" in authority else None
        if self._network is not None:
            self.host = str(self._network)
        else:
            self.host, self.port = _split_authority(authority.partition("/")[0], pattern)
            self._network = _parse_network(self.host)
        self._is_wildcard = self.host.startswith("*")
        self._suffix = "." + self.host.lstrip("*.")
        self._includes_apex = self._is_wildcard and not self.host.startswith("*.")

    def matches(self, url: URL) -> bool:
        """Whether `url` is in the set."""
        scheme, host, port = url._origin
        if self.scheme and self.scheme != scheme:
            return False
        if self.port is not None and self.port != port:
            return False
        if not self.host:
            return True
        if self._network is not None:
            address = _address(host)
            return address is not None and address in self._network
        host = host.rstrip(".")
        if not self._is_wildcard:
            return host == self.host
        return host.endswith(self._suffix) or (self._includes_apex and host == self._suffix[1:])

    @property
    def priority(self) -> tuple[int, int, int]:
        """What patterns are sorted by, the most specific one first."""
        return (self.port is None, -len(self.host), -len(self.scheme))

    def __lt__(self, other: URLPattern) -> bool:
        return self.priority < other.priority

    def __eq__(self, other: object) -> bool:
        return isinstance(other, URLPattern) and self.pattern == other.pattern

    def __hash__(self) -> int:
        return hash(self.pattern)

    def __repr__(self) -> str:
        return f"URLPattern({self.pattern!r})"


def _split_authority(authority: str, pattern: str) -> tuple[str, int | None]:
    host, port = authority.rpartition("@")[2], ""
    if host.startswith("["):
        host, bracket, port = host[1:].partition("]")
        if not bracket or (port and not port.startswith(":")):
            raise InvalidURL(f"The pattern {pattern!r} has a malformed IPv6 address.")
        port = port[1:]
    elif host.count(":") == 1:
        host, _, port = host.partition(":")
    if port and not (port.isascii() and port.isdigit() and int(port) <= 65_535):
        raise InvalidURL(f"The pattern {pattern!r} has the port {port!r}, which is none.")
    return _normalized(host, pattern), int(port) if port else None


def _normalized(host: str, pattern: str) -> str:
    # As hosts are in URLs: lower case, names of other scripts as A-labels.
    if host in ("", "*"):
        return ""
    if ":" in host:
        if _address(host) is None:
            raise InvalidURL(f"The pattern {pattern!r} has a malformed IPv6 address.")
        return host.partition("%")[0].lower()
    name = host.lstrip("*").strip(".")
    wildcard = host[: len(host) - len(host.lstrip("*."))]
    if wildcard not in ("", "*", "*.") or "*" in name:
        raise InvalidURL(f"The pattern {pattern!r} may have a wildcard only at the beginning of its host: '*.' or '*'.")
    return wildcard + URL(f"http://{name}/").raw_host.decode("ascii")


def _parse_network(text: str) -> Network | None:
    # An address is a network of one.
    text = text.partition("%")[0]
    if not text or not (text[0].isdigit() or ":" in text):
        return None
    import ipaddress

    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None
    mapped = network.network_address.ipv4_mapped if isinstance(network, ipaddress.IPv6Network) else None
    return network if mapped is None else ipaddress.ip_network((mapped, max(network.prefixlen - 96, 0)), strict=False)


@functools.lru_cache(maxsize=1024)
def _address(host: str) -> Address | None:
    # Without its zone, which means nothing to others; an IPv4 address in the clothes of IPv6 is what it is.
    import ipaddress

    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
