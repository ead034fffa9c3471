"""Taking a URL apart (RFC 3986), strictly where two readers could disagree about the host.

A URL decides which server receives the request and its credentials. Where RFC 3986, browsers and C libraries read the same text
as different hosts (a backslash before the path, `0x7f.1`, `%2f` in a host, control characters), this parser refuses instead of
choosing. Everywhere else it changes as little as possible: a percent-encoded octet is never decoded, re-encoded or given
another case, so a signed URL reaches the server as it was signed.

    URI = scheme ":" ["//" [userinfo "@"] host [":" port]] path ["?" query] ["#" fragment]

Nothing here opens sockets or keeps state. `idna` and `unicodedata` are imported only when a host needs them.
"""

from __future__ import annotations

import re
import typing

from .._exceptions import InvalidURL

MAX_URL_LENGTH = 65_536  # characters, of the whole URL and of each component given separately

MAX_HOST_LENGTH = 255  # octets of a name or address (RFC 1035 section 2.3.4)

DEFAULT_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443, "ftp": 21}

# Schemes whose hosts are names or addresses that we or a proxy would resolve. "" is a reference without a scheme and "all"
# the wild card of `mounts`. Hosts of other schemes are the business of whoever serves them ("http+unix://%2Frun%2Fapp.sock").
RESOLVED_SCHEMES = frozenset({"", "all", "http", "https", "ws", "wss", "ftp", "socks5", "socks5h"})

_QUAD = r"(?:(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])\.){3}(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"

# The common case in one match: nothing to encode, lower or decode. A last label that starts with a letter is not a number.
plain_url = re.compile(
    r"(https?|wss?)://"
    rf"((?:[a-z0-9_-]+\.)*[a-z_][a-z0-9_-]*|{_QUAD})"
    r"(?::([0-9]{1,5}))?"
    r"(/[!$-;=@-_a-z|~]*)?"
    r"(?:\?([!$-;=?-~]*))?"
    r"(?:#([!#-;=?-_a-~]*))?"
).fullmatch

# RFC 3986 appendix B, with the scheme's own alphabet. Every URL matches.
_split = re.compile(r"(?:([a-zA-Z][a-zA-Z0-9+.-]*):)?(?://([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#(.*))?", re.DOTALL).fullmatch

_scheme = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*").fullmatch
_control = re.compile(r"[\x00-\x1f\x7f]").search
_host_forbidden = re.compile(r"[\x00-\x20\x7f#/:<>?@\[\\\]^|]").search
_ends_in_number = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)\.?").fullmatch
_dot_segment = re.compile(r"(?:^|/)\.\.?(?:/|$)").search
_escapes = re.compile(r"(?:%[0-9a-fA-F]{2})+")

# Runs of characters that a component cannot hold literally. "%" is never among them: what is escaped stays as it is.
USERINFO_UNSAFE = re.compile(r"[^!$-.0-:A-Z_a-z~%]+")
PATH_UNSAFE = re.compile(r"[^!$-;=@-_a-z|~]+")
QUERY_UNSAFE = re.compile(r"[^!$-;=?-~]+")
FRAGMENT_UNSAFE = re.compile(r"[^!#-;=?-_a-~]+")

_HEXADECIMAL = frozenset("0123456789abcdef")
_OTHER_FULL_STOPS = "\u3002\uff0e\uff61"  # what IDNA counts as the dot between labels, too (RFC 3490 section 3.1)
_OCTETS = [f"%{octet:02X}" for octet in range(256)]


class ParseResult(typing.NamedTuple):
    """The components of one URL, normalised and percent-encoded; None for a query or fragment that is not there."""

    scheme: str
    userinfo: str
    host: str
    port: int | None
    path: str
    query: str | None
    fragment: str | None
    zone: str = ""


# Percent-encoding (RFC 3986 section 2.1)


def _encode_run(match: re.Match[str]) -> str:
    return "".join([_OCTETS[octet] for octet in match[0].encode("utf-8")])


def percent_encode(text: str, unsafe: re.Pattern[str]) -> str:
    """`text` with every character of the `unsafe` runs as percent-encoded UTF-8. Raises `UnicodeEncodeError` for surrogates."""
    return unsafe.sub(_encode_run, text)


def _decode_run(match: re.Match[str]) -> str:
    return bytes.fromhex(match[0].replace("%", "")).decode("utf-8", "replace")


def percent_decode(text: str) -> str:
    """`text` with its escapes decoded as UTF-8; octets that are not UTF-8 become U+FFFD, and a lone "%" stays."""
    return _escapes.sub(_decode_run, text) if "%" in text else text


def encode_component(name: str, text: str, unsafe: re.Pattern[str]) -> str:
    """`text` ready to stand as the component `name`. Raises `InvalidURL` if it is too long or holds control characters."""
    refuse_length_and_controls(text, name)
    return unsafe.sub(_encode_run, text)


def refuse_length_and_controls(text: str, name: str) -> None:
    """Raises `InvalidURL` for a component, or a whole URL if `name` is empty, that is too long or has characters which no URL holds.

    Not even encoded: CR and LF would split the request.
    """
    if len(text) > MAX_URL_LENGTH:
        raise InvalidURL(f"URL component {name!r} too long" if name else "URL too long")
    where = f"URL {name} component" if name else "URL"
    found = _control(text)
    if found:
        raise InvalidURL(f"Invalid non-printable ASCII character in {where}, {found[0]!r} at position {found.start()}.")
    if not text.isascii():
        try:
            text.encode("utf-8")
        except UnicodeEncodeError as error:
            raise InvalidURL(f"Invalid surrogate in {where}, U+{ord(text[error.start]):04X} at position {error.start}.") from None


def invalid_component(name: str, hint: str) -> InvalidURL:
    """The error for a component that cannot stand where it is put; what to do about it is a note."""
    error = InvalidURL(f"Invalid URL component {name!r}")
    error.add_note(hint)
    return error


def cut(text: str) -> str:
    """`text` quoted for an error message, at most some 60 characters of it."""
    return repr(text) if len(text) <= 60 else f"{text[:57]!r}..."


# The whole


def split(url: str) -> tuple[str | None, str | None, str, str | None, str | None]:
    """Scheme, authority, path, query and fragment as they stand (RFC 3986 appendix B); None for what is absent."""
    match = _split(url)
    assert match is not None  # the path takes whatever the other parts do not
    return match.groups()  # type: ignore[return-value]


def parse(url: str) -> ParseResult:
    """The normalised components of an absolute URL or a relative reference. Raises `InvalidURL`."""
    refuse_length_and_controls(url, "")
    if url[:1] == " ":
        raise InvalidURL("The URL begins with a space.")
    raw_scheme, authority, path, query, fragment = split(url)
    scheme = raw_scheme.lower() if raw_scheme else ""
    resolved = scheme in RESOLVED_SCHEMES
    userinfo = host = zone = ""
    port: int | None = None
    if authority:
        userinfo, _, hostport = authority.rpartition("@")
        if "\\" in authority:
            # Browsers end the host here, RFC 3986 reads on to the "@".
            raise InvalidURL(f"Backslash at position {url.index(authority) + authority.index(chr(92))} of the URL, before the path.")
        # A password with "/" in it ends the authority early: what is then taken for host and port must not be quoted.
        host, zone, port = parse_hostport(hostport, scheme, quote="@" not in url)
        userinfo = percent_encode(userinfo, USERINFO_UNSAFE)
        if resolved and not host:
            raise InvalidURL("The URL has user information or a port, but no host.")
    elif resolved and authority is not None and (path or query is not None or fragment is not None):
        raise InvalidURL("The URL has no host between '//' and what follows.")
    return finish(
        ParseResult(
            scheme,
            userinfo,
            host,
            port,
            percent_encode(path, PATH_UNSAFE),
            query if query is None else percent_encode(query, QUERY_UNSAFE),
            fragment if fragment is None else percent_encode(fragment, FRAGMENT_UNSAFE),
            zone,
        )
    )


def finish(parts: ParseResult) -> ParseResult:
    """`parts` with what depends on several of them: the default port, dot segments, and paths that would read as a host."""
    scheme, userinfo, host, port, path, _, _, _ = parts
    if port is not None and DEFAULT_PORTS.get(scheme) == port:
        parts = parts._replace(port=None)
    if not host and scheme in RESOLVED_SCHEMES:
        if userinfo or port is not None:
            raise InvalidURL("The URL has user information or a port, but no host.")
        if path.startswith("//"):
            raise InvalidURL("Relative URLs cannot have a path starting with '//'")
        if path[:2] in ("\\\\", "\\/", "/\\"):
            raise InvalidURL("The URL has a backslash where '//' and the host would stand.")
    if host and path and path[0] != "/":
        raise InvalidURL("For absolute URLs, path must be empty or begin with '/'")
    if (scheme or host) and _dot_segment(path):
        return finish(parts._replace(path=remove_dot_segments(path)))  # "/.//x" may have become "//x"
    return parts


def unparse(parts: ParseResult) -> str:
    """The URL as text (RFC 3986 section 5.3). An authority that is empty is left out unless the path needs it."""
    scheme, userinfo, host, port, path, query, fragment, zone = parts
    authority = host
    if ":" in host:
        authority = f"[{host}%25{zone}]" if zone else f"[{host}]"
    if port is not None:
        authority = f"{authority}:{port}"
    if userinfo:
        authority = f"{userinfo}@{authority}"
    text = f"{scheme}:" if scheme else ""
    if authority or path.startswith("//"):
        text = f"{text}//{authority}"
    text += path
    if query is not None:
        text = f"{text}?{query}"
    return text if fragment is None else f"{text}#{fragment}"


def parse_scheme(text: str) -> str:
    """The scheme in lower case; the empty string stands for none (RFC 3986 section 3.1). Raises `InvalidURL`."""
    if text and not _scheme(text):
        raise invalid_component("scheme", f"{cut(text)} is not a letter followed by letters, digits, '+', '-' and '.'.")
    return text.lower()


def remove_dot_segments(path: str) -> str:
    """The path without "." and ".." segments, in one pass (RFC 3986 section 5.2.4). "%2e" and "%2f" are ordinary characters.

    A path that does not begin with "/" stays relative; ".." at the top is dropped.
    """
    if not _dot_segment(path):
        return path
    absolute = path.startswith("/")
    segments = path[1:].split("/") if absolute else path.split("/")
    kept: list[str] = []
    for segment in segments:
        if segment == "..":
            if kept:
                kept.pop()
        elif segment != ".":
            kept.append(segment)
    if segments[-1] in (".", "..") and kept:
        kept.append("")
    merged = "/".join(kept)
    if absolute:
        return f"/{merged}"
    return f".{merged}" if merged.startswith("/") else merged


def join(base: ParseResult, reference: ParseResult) -> ParseResult:
    """A reference without a host resolved against `base` (RFC 3986 section 5.2.2). Raises `InvalidURL`."""
    path, query = reference.path, reference.query
    if not path:
        path = base.path
        if query is None:
            query = base.query
    elif not path.startswith("/"):
        # Section 5.2.3: everything of the base's path up to its last slash, then the reference.
        parent = base.path[: base.path.rfind("/") + 1]
        path = (parent or "/" if base.host else parent) + path
    path = remove_dot_segments(path)
    if not base.scheme and not base.host:
        path = guard_first_segment(path)
    return finish(base._replace(path=path, query=query, fragment=reference.fragment))


def guard_first_segment(path: str) -> str:
    """A relative path whose first segment would read as a scheme, made safe with "./" (RFC 3986 section 4.2)."""
    colon = path.find(":")
    return f"./{path}" if colon >= 0 and _scheme(path[:colon]) else path


# The authority (RFC 3986 section 3.2)


def parse_hostport(text: str, scheme: str, quote: bool = True) -> tuple[str, str, int | None]:
    """Host, zone and port of `host[:port]`. With `quote` false the messages say nothing of the text. Raises `InvalidURL`."""
    if text[:1] == "[":
        end = text.find("]") + 1
        if not end:
            raise InvalidURL("The host begins with '[' but has no closing ']'.")
        hosttext, rest = text[:end], text[end:]
        if rest and rest[0] != ":":
            raise InvalidURL("Only ':' and a port may follow the ']' of an IPv6 address.")
        porttext = rest[1:]
    else:
        hosttext, _, porttext = text.partition(":")
    host, zone = parse_host(hosttext, scheme, quote)
    return host, zone, parse_port(porttext, quote)


def parse_port(text: str, quote: bool = True) -> int | None:
    """The port: ASCII digits, 1 to 65535, since nobody can listen on 0; empty means the scheme's default, None. Raises `InvalidURL`."""
    if not text:
        return None
    digits = text.lstrip("0")
    if not (text.isascii() and digits.isdigit()) or len(digits) > 5 or int(digits) > 65_535:
        reason = " (it is a decimal number from 1 to 65535)" if text.isdigit() or not quote else ""
        raise InvalidURL(f"Invalid port{': ' + cut(text) if quote else ''}{reason}")
    return int(digits)


def parse_host(text: str, scheme: str, quote: bool = True) -> tuple[str, str]:
    """The host as it goes on the wire (lower-case ASCII, no brackets) and the zone of a link-local IPv6 address.

    A name outside ASCII becomes A-labels (RFC 5891). Raises `InvalidURL`: see the head of this module for what is refused.
    """
    shown = f" {cut(text)}" if quote else ""
    if text[:1] == "[" and text[-1] == "]":
        return _parse_ipv6(text[1:-1], shown)
    found = _host_forbidden(text)
    if found:
        raise InvalidURL(f"Invalid host{shown}: character {found[0]!r} at its position {found.start()}.")
    resolved = scheme in RESOLVED_SCHEMES
    if "%" in text:
        if resolved:
            raise InvalidURL(f"Invalid host{shown}: percent-encoding is not accepted in the host of such a URL.")
        host = text  # opaque: in "http+unix://%2Frun%2FApp.sock" even the case matters
    elif text.isascii():
        host = text.lower()
    else:
        host = _encode_idna(text, shown)
    if not host.isascii():
        raise InvalidURL(f"Invalid host{shown}: characters outside ASCII cannot be mixed with percent-encoding.")
    if resolved:
        if len(host) > MAX_HOST_LENGTH:
            raise InvalidURL(f"Invalid host{shown}: {len(host)} characters are too long for a name.")
        if _ends_in_number(host) and not _is_quad(host):
            # "127.1", "0x7f.1", "2130706433", "0177.0.0.1": the C library reads these as addresses, people read names.
            reason = "" if host.count(".") == 3 else " (it is written as four decimal numbers from 0 to 255)"
            raise InvalidURL(f"Invalid IPv4 address{shown and ':' + shown}{reason}")
        if "xn--" in host:
            for label in host.split("."):
                if label.startswith("xn--"):
                    _check_alabel(label, shown)
    return host, ""


def _parse_ipv6(text: str, shown: str) -> tuple[str, str]:
    address, percent, zone = text.partition("%")
    address = address.lower()
    groups = _ipv6_groups(address)
    if groups is None:
        raise InvalidURL(f"Invalid IPv6 address{shown and ':' + shown}")
    if percent:
        # RFC 6874. Zones mean something for link-local addresses only; elsewhere they are a way to smuggle a name in.
        zone = zone.removeprefix("25")
        if groups[0] & 0xFFC0 != 0xFE80 or not re.fullmatch(r"[A-Za-z0-9._~-]{1,32}", zone):
            raise InvalidURL(f"Invalid host{shown}: only a link-local address has a zone, the name or number of an interface.")
    return address, zone


def _is_quad(text: str) -> bool:
    """Whether this is an IPv4 address as RFC 3986 section 3.2.2 has it: leading zeros would mean octal to some."""
    numbers = text.split(".")
    return len(numbers) == 4 and all(
        0 < len(number) <= 3 and number.isascii() and number.isdigit() and int(number) <= 255 and str(int(number)) == number
        for number in numbers
    )


def _is_hextet(text: str) -> bool:
    return 0 < len(text) <= 4 and _HEXADECIMAL.issuperset(text)


def _ipv6_groups(text: str) -> list[int] | None:
    """The eight 16-bit groups of an IPv6 address in lower case (RFC 4291 section 2.2), or None if it is not one."""
    if len(text) > 45:
        return None
    head, colon, quad = text.rpartition(":")
    if "." in quad:
        if not _is_quad(quad):
            return None
        a, b, c, d = map(int, quad.split("."))
        text = f"{head}{colon}{a << 8 | b:x}:{c << 8 | d:x}"
    left, gap, right = text.partition("::")
    before = left.split(":") if left else []
    after = right.split(":") if right else []
    missing = 8 - len(before) - len(after)
    if (missing < 1 if gap else missing != 0) or not all(map(_is_hextet, before + after)):
        return None
    return [int(group, 16) for group in before + ["0"] * missing + after]


def canonical_ipv6(text: str) -> str:
    """A valid IPv6 address in the one spelling of RFC 5952 section 4, so that equal addresses compare equal."""
    groups = _ipv6_groups(text)
    assert groups is not None
    best = start = length = 0
    for position, group in enumerate(groups):
        length = 0 if group else length + 1
        if length > best:
            best, start = length, position - length + 1
    words = [f"{group:x}" for group in groups]
    if best < 2:
        return ":".join(words)
    return f"{':'.join(words[:start])}::{':'.join(words[start + best :])}"


# Internationalised names (RFC 5890 to 5893)


def _encode_idna(text: str, shown: str) -> str:
    if len(text) > 254:  # first: the tables behind IDNA are slow
        raise InvalidURL(f"Invalid host{shown}: {len(text)} characters are too long for a name.")
    import idna

    for stop in _OTHER_FULL_STOPS:
        text = text.replace(stop, ".")
    encoded = []
    # Letter by letter: lower() on a word would end it in a final sigma, another name than the one browsers look up.
    labels = "".join([char.lower() for char in text]).split(".")
    for number, label in enumerate(labels):
        if not label and (number != len(labels) - 1 or number == 0):
            raise InvalidURL(f"Invalid host{shown}: a label is empty.")
        if label and not label.isascii():
            try:
                label = idna.alabel(label).decode("ascii")
            except UnicodeError:
                raise InvalidURL(f"Invalid IDNA hostname{shown and ':' + shown}") from None
        encoded.append(label)
    host = ".".join(encoded)
    if len(host) > 254 or any(len(label) > 63 for label in encoded):
        raise InvalidURL(f"Invalid host{shown}: too long for a name.")
    return host


def _check_alabel(label: str, shown: str) -> None:
    """Refuses "xn--" labels that are not the encoding of anything: two programs would take them for different names."""
    import idna

    text = ""
    try:
        if len(label) > 63:
            raise UnicodeError
        text = label[4:].encode("ascii").decode("punycode")
        genuine = not text.isascii() and text.encode("punycode").decode("ascii") == label[4:]
        if genuine:
            idna.ulabel(label)
    except idna.IDNAError:
        # Names that IDNA 2008 forbids but registries sold (emoji) pass; those that no registry could hold do not.
        genuine = _could_be_registered(text)
    except (UnicodeError, ValueError, OverflowError):
        genuine = False
    if not genuine:
        raise InvalidURL(f"Invalid host{shown}: {cut(label)} is not a valid internationalised label.")


def _could_be_registered(text: str) -> bool:
    """Whether no control, format, unassigned or blank character is in `text` and no other text maps to it (UTS 46)."""
    import unicodedata

    if unicodedata.normalize("NFKC", text) != text or text != text.lower():
        return False
    return all(unicodedata.category(char)[0] not in "CZ" or char in "\u200c\u200d" for char in text)


def decode_host(host: str) -> str:
    """The host for people: every A-label that IDNA 2008 can decode, decoded, the others as they are (RFC 5891 section 5.4)."""
    import idna

    labels = host.split(".")
    for number, label in enumerate(labels):
        if label.startswith("xn--"):
            try:
                labels[number] = idna.ulabel(label)
            except UnicodeError:
                continue
    return ".".join(labels)
