"""Event streams as the specification has them (WHATWG HTML, section 9.2.6), in whatever pieces they arrive."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from httpx._content.sse import EventDecoder, EventTooLarge, ServerSentEvent


def decode(*pieces: bytes, **settings):
    decoder = EventDecoder(**settings)
    return [event for piece in pieces for event in decoder.feed(piece)]


@pytest.mark.parametrize(
    ("stream", "events"),
    [
        (b"data: a\n\n", [("message", "a", "")]),
        (b"data:a\n\ndata: b\r\n\r\ndata:  c\r\r", [("message", "a", ""), ("message", "b", ""), ("message", " c", "")]),
        (b"\xef\xbb\xbfdata: a\n\n", [("message", "a", "")]),
        (b"data: YHOO\ndata: +2\ndata: 10\n\n", [("message", "YHOO\n+2\n10", "")]),
        (b": comment\n\ndata: first\nid: 1\n\ndata:second\nid\n\ndata:  third\n\n",
         [("message", "first", "1"), ("message", "second", ""), ("message", " third", "")]),
        (b"data\n\ndata\ndata\n\ndata:", [("message", "", ""), ("message", "\n", "")]),
        (b"event: add\ndata: 1\n\ndata: 2\n\n", [("add", "1", ""), ("message", "2", "")]),
        (b"event: add\n\n", []),
        (b"retry: 10\n\ndata: a\n\n", [("message", "a", "")]),
        (b"id: 7\n\ndata: a\n\n", [("message", "a", "7")]),
        (b"id: a\0b\ndata: x\n\n", [("message", "x", "")]),
        (b"data: caf\xc3\xa9 \xff\n\n", [("message", "caf\xe9 \ufffd", "")]),
        ("data: a\u2028b\x0bc\x85d\n\n".encode(), [("message", "a\u2028b\x0bc\x85d", "")]),
        (b"unknown: x\ndata: a\n\n", [("message", "a", "")]),
        (b"data: unfinished\n", []),
    ],
)  # fmt: skip
def test_streams_and_their_events(stream, events):
    expected = [ServerSentEvent(*event) for event in events]
    assert decode(stream) == expected
    assert decode(*(bytes((byte,)) for byte in stream)) == expected


@given(st.lists(st.sampled_from([b"data", b": ", b"\r", b"\n", b"id", b"event", b"x", "é".encode(), b"\xef\xbb\xbf"])), st.integers(1, 7))
def test_pieces_make_no_difference(parts, size):
    stream = b"".join(parts)
    assert decode(stream) == decode(*(stream[start : start + size] for start in range(0, len(stream), size)))


def test_retry_is_a_number_of_milliseconds():
    assert decode(b"retry: 1500\ndata: a\n\ndata: b\n\n") == [ServerSentEvent(data="a", retry=1500), ServerSentEvent(data="b")]
    assert decode("retry: ١٢\ndata: a\n\n".encode()) == [ServerSentEvent(data="a")]
    assert decode(b"retry: -1\ndata: a\n\n") == [ServerSentEvent(data="a")]


def test_an_event_has_a_bound():
    assert decode(b"data: " + b"x" * 90 + b"\n\n", max_event_size=100)
    for pieces in ([b"data: " + b"x" * 200], [b"x" * 60, b"x" * 60], [b"data: x\n"] * 30, [b"event: x\n"] * 30):
        with pytest.raises(EventTooLarge, match="100"):
            decode(*pieces, max_event_size=100)


def test_comments_do_not_add_up():
    assert decode(*[b": still here\n"] * 1000, b"data: a\n\n", max_event_size=100) == [ServerSentEvent(data="a")]


def test_an_event_reads_json():
    assert ServerSentEvent(data='{"a": 1}').json() == {"a": 1}
