"""Server-sent events (WHATWG HTML, section 9.2): from the bytes of a stream to events."""

from __future__ import annotations

import codecs
import io
import re
import typing
from collections.abc import Iterator

from .._config import MAX_EVENT_SIZE

_LINE_END = re.compile("\r\n|\n|\r")


class ServerSentEvent(typing.NamedTuple):
    """One event of a stream."""

    event: str = "message"
    """Its type."""
    data: str = ""
    """What it says; several lines are joined by a line feed."""
    id: str = ""
    """The last ID that the stream gave, with this event or before it."""
    retry: int | None = None
    """Milliseconds that the server wants clients to wait before they connect again, if it said so with this event."""

    def json(self, **kwargs: typing.Any) -> typing.Any:
        """The data decoded from JSON; `kwargs` go to `json.loads`. Raises `json.JSONDecodeError`."""
        import json as jsonlib

        return jsonlib.loads(self.data, **kwargs)


class EventTooLarge(Exception):
    """An event, or a line of it, is larger than allowed."""


class EventDecoder:
    """Takes the bytes of a stream as they arrive; what is not UTF-8 becomes U+FFFD.

    Raises `EventTooLarge` beyond `max_event_size` characters in one event.
    """

    def __init__(self, last_event_id: str = "", max_event_size: int = MAX_EVENT_SIZE) -> None:
        self.last_event_id = last_event_id
        self.retry: int | None = None
        """What the stream said last of how long to wait before connecting again: milliseconds."""
        self._max_size = max_event_size
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._is_first = True
        self._rest = io.StringIO()  # of the line that has not ended, which may come in very many pieces
        self._ends_in_cr = False
        self._size = 0
        self._clear()

    def _clear(self) -> None:
        self._type = ""
        self._data: list[str] = []
        self._retry: int | None = None

    def feed(self, data: bytes) -> Iterator[ServerSentEvent]:
        """The events that are complete with these bytes. One that the stream's end cuts short is none."""
        text = self._decoder.decode(data)
        if self._is_first and text:
            self._is_first = False
            text = text.removeprefix("\ufeff")
        if self._ends_in_cr and text:
            self._ends_in_cr = False
            text = text.removeprefix("\n")  # it belongs to the line break before
        if not text:
            return
        self._ends_in_cr = text.endswith("\r")
        *lines, rest = _LINE_END.split(text)
        for line in lines:
            self._grow(len(line))
            if self._rest.tell():
                line = self._rest.getvalue() + line
                self._rest = io.StringIO()
            if not line:
                self._size = 0
                event = self._dispatch()
                if event is not None:
                    yield event
            elif line[0] != ":":
                self._take(line)
            else:
                self._size -= len(line)  # comments keep connections alive, and nothing else
        if rest:
            self._grow(len(rest))
            self._rest.write(rest)

    def _grow(self, size: int) -> None:
        self._size += size
        if self._size > self._max_size:
            raise EventTooLarge(f"An event has more than {self._max_size} characters (max_event_size).")

    def _take(self, line: str) -> None:
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            self._data.append(value)
            self._size += 1
        elif name == "event":
            self._type = value
        elif name == "id":
            if "\0" not in value:
                self.last_event_id = value
        elif name == "retry" and value.isascii() and value.isdigit() and len(value) < 12:
            self._retry = self.retry = int(value)

    def _dispatch(self) -> ServerSentEvent | None:
        event = ServerSentEvent(self._type or "message", "\n".join(self._data), self.last_event_id, self._retry)
        has_data = bool(self._data)
        self._clear()
        return event if has_data else None
