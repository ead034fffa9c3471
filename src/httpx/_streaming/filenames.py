"""Which name a download gets. What a server says is a proposal, of which only the last part of a harmless name is taken."""

from __future__ import annotations

import contextlib
import re
import unicodedata
import urllib.parse

from .._models.headers import Headers
from .._models.url import URL

MAX_BYTES = 200
"""Bytes of a name. File systems allow 255 at the most; the rest is for our own endings."""

_EXTENDED = re.compile(r"filename\*\s*=\s*(utf-8|iso-8859-1)'[^']*'([^;\s]+)", re.IGNORECASE)
_PLAIN = re.compile(r'filename\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;\s"]+))', re.IGNORECASE)
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\.|$)", re.IGNORECASE)  # devices, to Windows
_FALLBACK = "download"


def choose_filename(asked: URL, headers: Headers) -> str:
    """The name for what `asked` led to.

    It comes from `Content-Disposition` (RFC 6266), else from the URL that the user gave: where redirects led is as little
    the user's choice as the rest.
    """
    proposed = _of_disposition(headers.get("content-disposition", ""))
    return harmless(proposed) or harmless(urllib.parse.unquote(asked.path.rpartition("/")[2])) or _FALLBACK


def _of_disposition(field: str) -> str:
    extended = _EXTENDED.search(field)
    if extended is not None:
        with contextlib.suppress(UnicodeDecodeError):
            return urllib.parse.unquote(extended[2], encoding=extended[1], errors="strict")
    plain = _PLAIN.search(field)
    if plain is None:
        return ""
    return re.sub(r"\\(.)", r"\1", plain[1]) if plain[1] is not None else plain[2]


def harmless(name: str) -> str:
    """A name without folders, control characters, leading dots and meanings of its own; empty if nothing is left."""
    name = _shortened(re.split(r"[/\\]", name)[-1])
    name = "".join("_" if character in '<>:"|?*' else character for character in name if unicodedata.category(character)[0] != "C")
    name = name.strip().lstrip(".-~").rstrip(". ")
    if _RESERVED.match(name):
        name = f"_{name}"
    while len(name.encode("utf-8", "replace")) > MAX_BYTES:
        name = _shortened(name, len(name) - 1)
    return name


def _shortened(name: str, size: int = MAX_BYTES * 2) -> str:
    # Without the end of its stem: the ending says what it is.
    if len(name) <= size:
        return name
    stem, dot, ending = name.rpartition(".")
    return f"{stem[: size - len(ending) - 1]}{dot}{ending}" if dot and stem and len(ending) < 20 else name[:size]
