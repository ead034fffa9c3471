"""Reading DER (X.690), as far as certificates need it. What is read was written by strangers.

Nothing here recurses, no step looks at more than it was given, and all that can be raised is `ValueError`.
"""

from __future__ import annotations

import typing

from .._printable import printable

MAX_SIZE = 1_048_576  # of what is taken apart; a chain of certificates that OpenSSL accepts is smaller

BOOLEAN, INTEGER, OCTET_STRING, OBJECT_IDENTIFIER = 0x01, 0x02, 0x04, 0x06
UTC_TIME, GENERALIZED_TIME, SEQUENCE, SET = 0x17, 0x18, 0x30, 0x31

_STRING_ENCODINGS = {0x0C: "utf-8", 0x12: "ascii", 0x13: "ascii", 0x14: "latin-1", 0x16: "ascii", 0x1A: "ascii", 0x1C: "utf-32-be"}
_STRING_ENCODINGS[0x1E] = "utf-16-be"


class Element(typing.NamedTuple):
    """One value: its tag with class and form, its content, and the whole of it."""

    tag: int
    content: bytes
    whole: bytes


def read_element(data: bytes, tag: int | None = None) -> Element:
    """The one element that `data` consists of, which must have this tag if one is given."""
    found, end = _element_at(data, 0)
    if end != len(data):
        raise ValueError("DER: there is more than one element")
    return expect(found, tag) if tag is not None else found


def expect(element: Element, tag: int) -> Element:
    """`element` itself, if it has this tag."""
    if element.tag != tag:
        raise ValueError(f"DER: tag {element.tag:#04x} in place of {tag:#04x}")
    return element


def elements(content: bytes) -> list[Element]:
    """The elements that follow each other in the content of a constructed one."""
    found = []
    at = 0
    while at < len(content):
        element, at = _element_at(content, at)
        found.append(element)
    return found


def _element_at(data: bytes, at: int) -> tuple[Element, int]:
    start = at
    if len(data) > MAX_SIZE:
        raise ValueError("DER: too large")
    if at + 2 > len(data):
        raise ValueError("DER: cut short")
    tag, length = data[at], data[at + 1]
    if tag & 0x1F == 0x1F:
        raise ValueError("DER: a tag of several octets")
    at += 2
    if length >= 0x80:
        octets = length & 0x7F
        if not 1 <= octets <= 4 or at + octets > len(data):
            raise ValueError("DER: a bad length")
        length = int.from_bytes(data[at : at + octets], "big")
        at += octets
    end = at + length
    if end > len(data):
        raise ValueError("DER: cut short")
    return Element(tag, data[at:end], data[start:end]), end


def read_oid(content: bytes) -> str:
    """An object identifier in dotted form."""
    if not content or len(content) > 64 or content[-1] & 0x80:
        raise ValueError("DER: a bad object identifier")
    arcs: list[int] = []
    value = 0
    for octet in content:
        value = value << 7 | octet & 0x7F
        if not octet & 0x80:
            arcs.append(value)
            value = 0
    first = min(arcs[0] // 40, 2)
    return ".".join(map(str, (first, arcs[0] - 40 * first, *arcs[1:])))


def read_integer(content: bytes) -> int:
    """An integer, of a size that a key may have."""
    if not 1 <= len(content) <= 8192:
        raise ValueError("DER: an integer of a bad size")
    return int.from_bytes(content, "big", signed=True)


def read_bits(content: bytes) -> bytes:
    """A bit string that consists of whole octets."""
    if not content or content[0] != 0:
        raise ValueError("DER: a bit string that ends within an octet")
    return content[1:]


def read_string(element: Element) -> str:
    """A character string of any kind; what does not decode, or would not print, is escaped."""
    encoding = _STRING_ENCODINGS.get(element.tag)
    if encoding is None:
        return f"#{element.whole[:32].hex()}"
    text = element.content.decode(encoding, "backslashreplace" if encoding in ("ascii", "utf-8") else "replace")
    return printable(text, len(text))
