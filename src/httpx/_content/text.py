"""From bytes to text: charsets, lines, and pieces of a given size."""

from __future__ import annotations

import codecs
import re
import typing
from collections.abc import Callable

# RFC 9110 section 5.6.6. Bounded, since the server chooses what stands here.
_CHARSET = re.compile(r""";\s*charset\s*=\s*["']?([A-Za-z0-9_.:+\-]{1,40})""", re.IGNORECASE)

# Types of content that people can read.
_TEXTUAL = re.compile(r"text/.*|application/((.*[+.-])?(json|xml|javascript|yaml|toml)|x-www-form-urlencoded|graphql|x-ndjson|jsonl)")


def parse_content_type_charset(content_type: str) -> str | None:
    """The `charset` parameter of a Content-Type in lower case, if there is one."""
    found = _CHARSET.search(content_type[:1024])
    return found[1].lower() if found else None


# Python has them among its text encodings, but they are no charsets: of host names, of source code, of nothing.
_NO_CHARSETS = frozenset(("idna", "punycode", "undefined", "unicode-escape", "raw-unicode-escape"))


def is_text_encoding(name: str) -> bool:
    """Whether `name` is a charset that Python knows; its codecs that are none, such as rot13 or zip, do not count."""
    try:
        codec = codecs.lookup(name)
    except (LookupError, ValueError):
        return False
    return bool(codec._is_text_encoding) and codec.name.replace("_", "-") not in _NO_CHARSETS


class TextDecoder:
    """Decodes bytes in pieces; what does not decode becomes U+FFFD."""

    def __init__(self, encoding: str) -> None:
        self._decoder = codecs.getincrementaldecoder(encoding)("replace")

    def decode(self, data: bytes) -> str:
        """The text that is complete with these bytes."""
        return self._decoder.decode(data)

    def flush(self) -> str:
        """What is left."""
        return self._decoder.decode(b"", True)


class LineDecoder:
    """Splits text that arrives in pieces as `str.splitlines()` splits the whole."""

    def __init__(self) -> None:
        self._parts: list[str] = []  # of the line that has not ended; joined when it does
        self._ends_in_cr = False

    def decode(self, text: str) -> list[str]:
        """The lines that are complete."""
        if self._ends_in_cr:
            text = "\r" + text
            self._ends_in_cr = False
        if text.endswith("\r"):
            # Its line feed may be on the way.
            self._ends_in_cr = True
            text = text[:-1]
        if not text:
            return []
        lines = text.splitlines()
        is_ended = text.splitlines(keepends=True)[-1] != lines[-1]
        if len(lines) > 1 or is_ended:
            lines[0] = "".join((*self._parts, lines[0]))
            self._parts = []
        if not is_ended:
            self._parts.append(lines.pop())
        return lines

    def flush(self) -> list[str]:
        """The last line, if the text did not end with a line break."""
        if not self._parts and not self._ends_in_cr:
            return []
        last = "".join(self._parts)
        self._parts = []
        self._ends_in_cr = False
        return [last]


S = typing.TypeVar("S", bytes, str)


class _Chunker(typing.Generic[S]):
    # Cuts what arrives in pieces to pieces of one size.
    def __init__(self, join: Callable[[list[S]], S], size: int | None) -> None:
        if size is not None and size < 1:
            raise ValueError("chunk_size is at least 1.")
        self._join: Callable[[list[S]], S] = join
        self._size = size
        self._held: list[S] = []  # joined when there is enough: joining with every piece would copy it all each time
        self._held_size = 0

    def decode(self, piece: S) -> list[S]:
        """The pieces that are full."""
        size = self._size
        if size is None:
            return [piece] if piece else []
        self._held.append(piece)
        self._held_size += len(piece)
        if self._held_size < size:
            return []
        held = self._join(self._held)
        full = len(held) - len(held) % size
        self._held = [held[full:]]
        self._held_size = len(held) - full
        return [held[start : start + size] for start in range(0, full, size)]

    def flush(self) -> list[S]:
        """The last piece, which may be shorter."""
        held, self._held = self._join(self._held), []
        return [held] if held else []


class ByteChunker(_Chunker[bytes]):
    """Cuts bytes to pieces of `size`, or leaves them as they come if it is None."""

    def __init__(self, size: int | None = None) -> None:
        super().__init__(b"".join, size)


class TextChunker(_Chunker[str]):
    """Cuts text to pieces of `size` characters, or leaves it as it comes if it is None."""

    def __init__(self, size: int | None = None) -> None:
        super().__init__("".join, size)


def is_text(content_type: str, content: bytes) -> bool:
    """Whether a body can be shown: its type says so, or it looks like it."""
    kind = content_type.partition(";")[0].strip().lower()
    if _TEXTUAL.fullmatch(kind) or kind == "image/svg+xml":
        return True
    if b"\0" in content[:4096]:
        return False
    try:
        content[:4096].decode("utf-8")
    except UnicodeDecodeError as error:
        return error.start > 4092  # a character that the cut went through
    return not kind.startswith(("image/", "audio/", "video/", "font/", "application/zip", "application/pdf"))
