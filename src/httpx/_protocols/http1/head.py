"""The grammar of a response head (RFC 9112 sections 2 to 5), enforced by regular expressions.

One of them matches a whole head, from its first byte to its last, or not at all: so nothing in it goes unnoticed. What is
malformed is an error, never skipped and never repaired. Another one then picks out the few fields that the client itself
goes by; the rest is taken apart when somebody asks for it, and need not be checked again.

The one leniency: a head whose lines all end in a bare LF (RFC 9112 section 2.2 lets a recipient take it) is accepted,
if it holds no CR at all. The engine does not reuse such a connection.
"""

from __future__ import annotations

import re

from ..._exceptions import RemoteProtocolError
from ..._models.headers import PICKED, Fields

MAX_HEAD_SIZE = 262_144
"""Bytes that the head of a response, or its trailer section, may have."""

MAX_LINE_SIZE = 65_536
"""Bytes that one line of a head may have."""

MAX_KNOWN_HEAD = 4_096
"""Bytes of the longest head that is remembered."""

MAX_KNOWN_HEADS = 32
"""Heads that are remembered; with the next one it begins anew."""

MAX_FIELDS = 500
"""Field lines that one head may have."""

_TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]++"
_TEXT = rb"[\t\x20-\x7e\x80-\xff]*+"

# status-line = HTTP-version SP status-code SP [ reason-phrase ]; many servers leave out the second SP with the phrase.
_STATUS_LINE = re.compile(rb"HTTP/1\.([01]) ([1-9][0-9][0-9])(?: (%b))?\r\n" % _TEXT)

# field-line = field-name ":" OWS field-value OWS
_FIELD_LINE = re.compile(rb"%b:%b\r\n" % (_TOKEN, _TEXT))
_FIELD_LINES = re.compile(rb"(?:%b){0,%d}+\r\n" % (_FIELD_LINE.pattern, MAX_FIELDS))

# Takes field lines apart that are known to be such. White space behind the value is still part of it.
_FIELD = re.compile(rb"([^:]++):[\t ]*+([^\r]*+)\r\n")
# Most fields are told apart by their first letter.
_PICKED_FIELD = re.compile(
    f"\n(?=[{''.join(sorted({name[0] for name in PICKED}))}])({'|'.join(PICKED)}):[\t ]*+([^\r]*+)".encode(), re.IGNORECASE
)

_WHOLE_HEAD = re.compile(_STATUS_LINE.pattern + _FIELD_LINES.pattern)


class ResponseHead:
    """A head that was checked. It never changes: a server that says the same again is given the same one.

    `raw` has all of its lines, with the empty one that ends it. `picked` holds the fields named in `PICKED`, by lower-case name, several
    values joined by `, `. `framing` is what `framing_of` makes of them.
    """

    __slots__ = ("_fields", "ends_lines_bare", "framing", "http_version", "persists", "picked", "raw", "reason_phrase", "status_code")

    def __init__(self, raw: bytes, http_version: bytes, status_code: int, reason_phrase: bytes, ends_lines_bare: bool) -> None:
        self.raw = raw
        self.http_version = http_version
        self.status_code = status_code
        self.reason_phrase = reason_phrase
        self.ends_lines_bare = ends_lines_bare
        self.picked = _pick(raw)
        self.persists = _persists(self)
        self.framing: int | None = None
        self._fields: Fields | None = None

    @property
    def fields(self) -> Fields:
        """All fields in order, as they were sent."""
        return self.parse()

    def parse(self) -> Fields:
        """Take the fields apart. The list is for reading only."""
        fields = self._fields
        if fields is None:
            fields = self._fields = _parse_fields(self.raw, self.raw.index(b"\n") + 1)
        return fields


KnownHeads = dict[bytes, ResponseHead]
"""Heads that were read, by their bytes. The connections of a client share them: what a head means hangs on nothing else."""


class HeadReader:
    """Collects bytes until a head is complete, wherever the network cuts them. One that is `known` is not parsed again."""

    __slots__ = ("_ends_lines_bare", "_known", "_line_start", "_scanned")

    def __init__(self, known: KnownHeads | None = None) -> None:
        self._known: KnownHeads = {} if known is None else known
        self._ends_lines_bare = False
        self._scanned = 0  # bytes that were looked at before: a head that drips in must not cost the square of its size
        self._line_start = 0  # where the last line among them begins

    def read(self, buffer: bytes | bytearray) -> tuple[ResponseHead, int] | None:
        """The head at the start of `buffer` and its length, or None if more bytes are needed."""
        if self._scanned and not _has_empty_line(buffer, max(self._scanned - 3, 0)):
            self._wait_for_more(buffer)
            return None
        end = buffer.find(b"\r\n\r\n") + 4
        raw = bytes(buffer[:end])
        known = self._known.get(raw)
        if known is not None:
            self._scanned = self._line_start = 0
            return known, end
        found = _WHOLE_HEAD.match(buffer)
        if found is None:
            return self._read_otherwise(buffer)
        self._scanned = self._line_start = 0
        if end > MAX_LINE_SIZE:
            check_size(raw)
        minor, status, reason = found.groups(b"")
        version = b"HTTP/1.1" if minor == b"1" else b"HTTP/1.0"
        head = ResponseHead(raw, version, int(status), reason, False)
        if end <= MAX_KNOWN_HEAD:
            if len(self._known) >= MAX_KNOWN_HEADS:
                self._known.clear()
            self._known[raw] = head
        return head, end

    def _wait_for_more(self, buffer: bytes | bytearray) -> None:
        if len(buffer) > MAX_HEAD_SIZE:
            raise too_large("head")
        if self._ends_lines_bare and buffer.find(b"\r", self._scanned) >= 0:
            raise RemoteProtocolError(f"The head of the response mixes line breaks: {excerpt(buffer)}")
        start = self._line_start
        while (end := buffer.find(b"\n", max(self._scanned, start))) >= 0:
            _check_line(end - start)
            start = end + 1
        _check_line(len(buffer) - start)
        self._line_start = start
        self._scanned = len(buffer)

    def _read_otherwise(self, buffer: bytes | bytearray) -> tuple[ResponseHead, int] | None:
        # The head is not complete, or malformed, or its lines end in bare line feeds.
        status_line = _STATUS_LINE.match(buffer)
        if status_line is None:
            return self._read_without_status_line(buffer)
        end = buffer.find(b"\r\n\r\n", status_line.end() - 2)
        if end >= 0:
            raise RemoteProtocolError(_describe_bad_line(buffer[status_line.end() : end + 2]))
        if b"\n\n" in buffer:
            raise RemoteProtocolError(f"The head of the response mixes line breaks: {excerpt(buffer)}")
        self._wait_for_more(buffer)
        return None

    def _read_without_status_line(self, buffer: bytes | bytearray) -> tuple[ResponseHead, int] | None:
        # The line is not complete, or malformed, or ends in a bare line feed.
        if buffer[:7] != b"HTTP/1.":
            _require_prefix(buffer)
            return None
        first_break = buffer.find(b"\n", 0, MAX_LINE_SIZE)
        if first_break < 0:
            _check_line(len(buffer))
            return None
        if buffer[first_break - 1] == 13:
            raise RemoteProtocolError(f"The response has a malformed status line: {excerpt(buffer)}")
        end = buffer.find(b"\n\n", max(self._scanned - 1, 0))
        if buffer.find(b"\r", 0, end if end >= 0 else len(buffer)) >= 0:
            raise RemoteProtocolError(f"The head of the response mixes line breaks: {excerpt(buffer)}")
        if end < 0:
            self._ends_lines_bare = True
            self._wait_for_more(buffer)
            return None
        self._ends_lines_bare = False
        self._scanned = self._line_start = 0
        found = HeadReader().read(bytes(buffer[: end + 2]).replace(b"\n", b"\r\n"))
        if found is None or found[0].ends_lines_bare:
            raise RemoteProtocolError(f"The response has a malformed status line: {excerpt(buffer)}")
        head = found[0]
        return ResponseHead(head.raw, head.http_version, head.status_code, head.reason_phrase, True), end + 2


def _persists(head: ResponseHead) -> bool:
    # RFC 9112 section 9.3. A head with bare line feeds came from a sender whose framing is not to be trusted twice.
    if head.ends_lines_bare:
        return False
    if head.status_code == 204 and (b"transfer-encoding" in head.picked or head.picked.get(b"content-length", b"0") != b"0"):
        return False  # what follows may be a body that a 204 cannot have
    options = head.picked.get(b"connection")
    if options is None:
        return head.http_version == b"HTTP/1.1"
    if options == b"keep-alive":
        return True
    tokens = [token.strip(b" \t").lower() for token in options.split(b",")]
    if b"close" in tokens:
        return False
    return head.http_version == b"HTTP/1.1" or b"keep-alive" in tokens


def parse_fields(block: bytes | bytearray) -> Fields:
    """Field lines, each with its CRLF, and the empty line that ends them. Raises `RemoteProtocolError`."""
    if _FIELD_LINES.fullmatch(block) is None:
        raise RemoteProtocolError(_describe_bad_line(block[:-2]))
    return _parse_fields(block, 0)


def _parse_fields(block: bytes | bytearray, start: int) -> Fields:
    fields: Fields = _FIELD.findall(block, start, len(block) - 2)
    if b" \r\n" in block or b"\t" in block:
        fields = [(name, value.rstrip(b" \t")) for name, value in fields]
    return fields


def _pick(head: bytes) -> dict[bytes, bytes]:
    picked: dict[bytes, bytes] = {}
    for name, value in _PICKED_FIELD.findall(head):
        key = name.lower()
        value = value.rstrip(b" \t")
        picked[key] = picked[key] + b", " + value if key in picked else value
    return picked


def excerpt(data: bytes | bytearray, size: int = 64) -> str:
    """The beginning of bytes from a peer, safe to show: escaped and cut (a log line must not be forged by a server)."""
    text = repr(bytes(data[:size]))
    return text if len(data) <= size else text + "..."


def _has_empty_line(buffer: bytes | bytearray, start: int) -> bool:
    return buffer.find(b"\r\n\r\n", start) >= 0 or buffer.find(b"\n\n", start) >= 0


def _require_prefix(buffer: bytes | bytearray) -> None:
    # Tells at the first byte that a peer speaks something else, instead of waiting for more of it.
    if b"HTTP/1.".startswith(buffer):
        return
    if buffer[:2] == b"\x15\x03" or buffer[:2] == b"\x16\x03":
        raise RemoteProtocolError("The server answered a plain HTTP request with TLS: use https:// for this port.")
    if len(buffer) == 1 and buffer[:1] in (b"\x15", b"\x16"):
        return
    raise RemoteProtocolError(f"The server's answer is not an HTTP/1.1 response: {excerpt(buffer)}")


def check_size(block: bytes | bytearray, what: str = "head") -> None:
    """Raise `RemoteProtocolError` for a head, or trailers, that are larger than allowed, or have a line that is."""
    if len(block) > MAX_HEAD_SIZE:
        raise too_large(what)
    if len(block) > MAX_LINE_SIZE:
        _check_line(max(map(len, block.split(b"\n"))), what)


def too_large(what: str) -> RemoteProtocolError:
    """The error for a head, or trailers, that are larger than allowed."""
    return RemoteProtocolError(f"The {what} of the response exceeded {MAX_HEAD_SIZE} bytes.")


def _check_line(size: int, what: str = "head") -> None:
    if size > MAX_LINE_SIZE:
        raise RemoteProtocolError(f"A line in the {what} of the response is longer than {MAX_LINE_SIZE} bytes.")


def _describe_bad_line(block: bytes | bytearray) -> str:
    if block.count(b"\r\n") > MAX_FIELDS:
        return f"The response has more than {MAX_FIELDS} header fields."
    for line in bytes(block[:-2]).split(b"\r\n"):
        if _FIELD_LINE.fullmatch(line + b"\r\n") is None:
            return f"The response has a malformed header line: {excerpt(line)}"
    return "The response has a malformed header line."
