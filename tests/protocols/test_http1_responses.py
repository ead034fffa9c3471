"""The HTTP/1.1 engine reads responses: what it accepts, what it refuses, and where a body ends (RFC 9112)."""

from __future__ import annotations

import itertools
import typing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from httpx import RemoteProtocolError
from httpx._protocols.http1.body import MAX_CHUNK_EXTENSIONS
from httpx._protocols.http1.engine import MAX_INFORMATIONAL, NEED_DATA, HTTP1Engine
from httpx._protocols.http1.head import MAX_FIELDS, MAX_HEAD_SIZE, MAX_KNOWN_HEAD, MAX_KNOWN_HEADS, MAX_LINE_SIZE, KnownHeads


class Outcome(typing.NamedTuple):
    status: int | None
    fields: tuple[tuple[bytes, bytes], ...]
    body: bytes
    trailers: tuple[tuple[bytes, bytes], ...]
    reusable: bool
    is_error: bool


def read(
    pieces: typing.Iterable[bytes], method: str = "GET", upgrade: bool = False, ends: bool = False, engine: HTTP1Engine | None = None
) -> Outcome:
    """Everything the engine makes of a response that arrives in these pieces."""
    engine = engine or HTTP1Engine()
    engine.start(method, True, upgrade)
    head = None
    body = b""
    complete = False
    try:
        for piece in (*pieces, *([b""] if ends else [])):
            if complete and not piece:
                break
            engine.receive(piece)
            while head is None and (found := engine.next_head()) is not NEED_DATA:
                if found.status_code >= 200 or found.status_code == 101:
                    head = found
            while head is not None and not complete and (data := engine.next_data()) is not NEED_DATA:
                complete = data is None
                body += data or b""
    except RemoteProtocolError:
        return Outcome(None, (), b"", (), False, True)
    if head is None:
        return Outcome(None, (), b"", (), False, False)
    trailers = tuple(engine.trailers)
    return Outcome(head.status_code, tuple(head.fields), body, trailers, complete and engine.finish(), False)


def response(*lines: str, body: bytes = b"") -> bytes:
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def started() -> HTTP1Engine:
    engine = HTTP1Engine()
    engine.start("GET", True, False)
    return engine


def bytewise(data: bytes) -> list[bytes]:
    return [data[i : i + 1] for i in range(len(data))]


OK = "HTTP/1.1 200 OK"
CHUNKED = "Transfer-Encoding: chunked"


def test_a_body_with_a_length_is_complete_after_that_many_bytes() -> None:
    outcome = read([response(OK, "Content-Length: 5", body=b"hello")])
    assert outcome == Outcome(200, ((b"Content-Length", b"5"),), b"hello", (), True, False)


def test_a_chunked_body_is_joined_and_its_trailers_are_kept_apart() -> None:
    outcome = read([response(OK, CHUNKED, body=b"5\r\nhello\r\n6;a=b\r\n world\r\n0\r\nX-Sum: 1\r\n\r\n")])
    assert (outcome.body, outcome.trailers, outcome.reusable) == (b"hello world", ((b"X-Sum", b"1"),), True)


def test_a_body_without_framing_lasts_until_the_connection_ends() -> None:
    outcome = read([response(OK), b"all", b" of it"], ends=True)
    assert (outcome.body, outcome.reusable) == (b"all of it", False)


@pytest.mark.parametrize(("method", "status"), [("HEAD", 200), ("GET", 204), ("GET", 304)])
def test_some_responses_have_no_body_whatever_their_fields_say(method: str, status: int) -> None:
    outcome = read([response(f"HTTP/1.1 {status} X", "Content-Length: 0")], method=method)
    assert (outcome.status, outcome.body, outcome.reusable) == (status, b"", True)


@pytest.mark.parametrize("method", ["HEAD", "GET"])
def test_bytes_behind_a_response_mean_that_the_connection_is_not_used_again(method: str) -> None:
    outcome = read([response(OK, "Content-Length: 2", body=b"hiHTTP/1.1 200 EVIL\r\n\r\n")], method=method)
    assert outcome.body == (b"" if method == "HEAD" else b"hi")
    assert not outcome.reusable


@pytest.mark.parametrize("field", ["Content-Length: 4", CHUNKED])
def test_a_204_that_announces_a_body_is_the_last_response_on_its_connection(field: str) -> None:
    assert not read([response("HTTP/1.1 204 No Content", field)]).reusable


@pytest.mark.parametrize(
    ("lines", "reusable"),
    [
        ([OK, "Content-Length: 0"], True),
        ([OK, "Content-Length: 0", "Connection: close"], False),
        ([OK, "Content-Length: 0", "Connection: Keep-Alive, Close"], False),
        (["HTTP/1.0 200 OK", "Content-Length: 0"], False),
        (["HTTP/1.0 200 OK", "Content-Length: 0", "Connection: keep-alive"], True),
    ],
)
def test_persistence_follows_the_version_and_the_connection_field(lines: list[str], reusable: bool) -> None:
    assert read([response(*lines)]).reusable is reusable


def test_informational_responses_precede_the_final_one() -> None:
    early = response("HTTP/1.1 100 Continue") + response("HTTP/1.1 103 Early Hints", "Link: </a>")
    assert read([early + response(OK, "Content-Length: 0")]).status == 200


def test_endless_informational_responses_are_refused() -> None:
    hint = response("HTTP/1.1 103 Early Hints")
    assert read([hint * (MAX_INFORMATIONAL + 1)]).is_error
    assert read([hint * MAX_INFORMATIONAL + response(OK, "Content-Length: 0")]).status == 200


def test_protocols_are_switched_only_on_request() -> None:
    switching = response("HTTP/1.1 101 Switching Protocols", "Upgrade: x")
    assert read([switching]).is_error
    assert read([switching], upgrade=True).status == 101


def test_a_head_whose_lines_all_end_in_a_bare_line_feed_is_read_once() -> None:
    outcome = read([b"HTTP/1.1 200 OK\nContent-Length: 2\n\nhi"])
    assert (outcome.body, outcome.reusable) == (b"hi", False)


MALFORMED = {
    "version 2.0": b"HTTP/2.0 200 OK\r\n\r\n",
    "version with two digits": b"HTTP/1.10 200 OK\r\n\r\n",
    "lower-case version": b"http/1.1 200 OK\r\n\r\n",
    "other protocol": b"ICY 200 OK\r\n\r\n",
    "an SSH server": b"SSH-2.0-OpenSSH_9.2\r\n",
    "a TLS alert": b"\x15\x03\x01\x00\x02\x02\x46",
    "status with two digits": b"HTTP/1.1 20 OK\r\n\r\n",
    "status with four digits": b"HTTP/1.1 2000 OK\r\n\r\n",
    "status with a sign": b"HTTP/1.1 +20 OK\r\n\r\n",
    "status zero": b"HTTP/1.1 000 OK\r\n\r\n",
    "NUL in the reason": b"HTTP/1.1 200 O\0K\r\n\r\n",
    "CR in the reason": b"HTTP/1.1 200 O\rX-Inj: y\r\n\r\n",
    "empty line first": b"\r\nHTTP/1.1 200 OK\r\n\r\n",
    "space before the colon": response(OK, "Content-Length : 5"),
    "folded line": response(OK, "X-A: a", " folded"),
    "line without colon": response(OK, "garbage line"),
    "empty name": response(OK, ": x"),
    "space in a name": response(OK, "X A: b"),
    "non-ASCII name": response(OK, "X-é: b"),
    "first line indented": response(OK, " X-B: b"),
    "bare CR in a value": response(OK, "X-A: a\rX-B: c"),
    "bare LF in a head with CRLF": response(OK, "X-A: a\nX-B: c"),
    "NUL in a value": response(OK, "X-A: a\0b"),
    "DEL in a value": response(OK, "X-A: a\x7fb"),
    "two different lengths": response(OK, "Content-Length: 5", "Content-Length: 6"),
    "two different lengths in one field": response(OK, "Content-Length: 5, 6"),
    "hexadecimal length": response(OK, "Content-Length: 0x5"),
    "length with underscore": response(OK, "Content-Length: 1_0"),
    "length with a space": response(OK, "Content-Length: 5 5"),
    "empty length": response(OK, "Content-Length:"),
    "signed length": response(OK, "Content-Length: +5"),
    "fraction": response(OK, "Content-Length: 5.0"),
    "length of 30 digits": response(OK, "Content-Length: " + "9" * 30),
    "length of 5000 digits": response(OK, "Content-Length: " + "9" * 5000),
    "length and coding": response(OK, "Content-Length: 3", CHUNKED),
    "unknown coding": response(OK, "Transfer-Encoding: xchunked"),
    "coding with a control character": response(OK, "Transfer-Encoding: \x0bchunked"),
    "chunked, then identity": response(OK, "Transfer-Encoding: chunked, identity"),
    "chunked twice": response(OK, "Transfer-Encoding: chunked, chunked"),
    "chunked twice in two fields": response(OK, CHUNKED, CHUNKED),
    "coding in HTTP/1.0": response("HTTP/1.0 200 OK", CHUNKED),
    "chunk size of 17 digits": response(OK, CHUNKED, body=b"10000000000000005\r\nhello"),
    "300 zeros": response(OK, CHUNKED, body=b"0" * 300 + b"5\r\nhello"),
    "negative chunk size": response(OK, CHUNKED, body=b"-5\r\nhello"),
    "chunk size 0x5": response(OK, CHUNKED, body=b"0x5\r\nhello"),
    "no chunk size": response(OK, CHUNKED, body=b"\r\nhello"),
    "data longer than its chunk": response(OK, CHUNKED, body=b"5\r\nhelloXX0\r\n\r\n"),
    "bare LF behind the size": response(OK, CHUNKED, body=b"5\nhello\r\n0\r\n\r\n"),
    "bare LF behind the data": response(OK, CHUNKED, body=b"5\r\nhello\n0\r\n\r\n"),
    "malformed trailer": response(OK, CHUNKED, body=b"0\r\nBADTRAILER\r\n\r\n"),
    "folded trailer": response(OK, CHUNKED, body=b"0\r\nA: b\r\n c\r\n\r\n"),
}


@pytest.mark.parametrize("data", MALFORMED.values(), ids=MALFORMED.keys())
def test_malformed_responses_are_errors_however_they_are_cut(data: bytes) -> None:
    assert read([data]).is_error
    assert read(bytewise(data)).is_error


def test_equal_lengths_count_as_one() -> None:
    assert read([response(OK, "Content-Length: 2", "Content-Length: 2", body=b"hi")]).body == b"hi"


TRUNCATED = {
    "before the response": b"",
    "in the status line": b"HTTP/1.1 2",
    "in the head": b"HTTP/1.1 200 OK\r\nA: b\r\n",
    "in a sized body": response(OK, "Content-Length: 5", body=b"hell"),
    "in a chunk size": response(OK, CHUNKED, body=b"5"),
    "in a chunk": response(OK, CHUNKED, body=b"5\r\nhel"),
    "behind a chunk": response(OK, CHUNKED, body=b"5\r\nhello"),
    "before the last chunk": response(OK, CHUNKED, body=b"5\r\nhello\r\n"),
    "behind the last chunk": response(OK, CHUNKED, body=b"5\r\nhello\r\n0\r\n"),
    "in the trailers": response(OK, CHUNKED, body=b"5\r\nhello\r\n0\r\nA: b\r\n"),
}


@pytest.mark.parametrize("data", TRUNCATED.values(), ids=TRUNCATED.keys())
def test_a_response_that_is_cut_short_is_an_error_and_never_a_short_body(data: bytes) -> None:
    assert read([data], ends=True).is_error
    assert read(bytewise(data), ends=True).is_error


@pytest.mark.parametrize(
    ("data", "limit"),
    [
        (b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 60_000, MAX_HEAD_SIZE),
        (b"HTTP/1.1 200 OK\r\nX-A: " + b"b" * 200_000, MAX_LINE_SIZE),
        (b"HTTP/1.1 200 " + b"O" * 200_000, MAX_LINE_SIZE),
        (response(OK, CHUNKED) + b"5;" + b"a" * 100_000, MAX_CHUNK_EXTENSIONS),
        (response(OK, CHUNKED) + (b"1;" + b"x" * 8000 + b"\r\na\r\n") * 10, MAX_CHUNK_EXTENSIONS),
        (response(OK, CHUNKED) + b"0\r\n" + b"X-A: b\r\n" * 60_000, MAX_HEAD_SIZE),
    ],
    ids=["header lines", "one header line", "status line", "one chunk extension", "chunk extensions", "trailers"],
)
def test_what_never_ends_is_refused_soon_after_its_limit(data: bytes, limit: int) -> None:
    given_size = limit + 2 * 1024
    pieces = [data[i : i + 1024] for i in range(0, given_size, 1024)]
    assert read(pieces).is_error


def test_too_many_fields_are_refused() -> None:
    assert read([response(OK, *["A: b"] * MAX_FIELDS, "Content-Length: 0")]).is_error
    assert read([response(OK, *["A: b"] * (MAX_FIELDS - 1), "Content-Length: 0")]).status == 200


@pytest.mark.parametrize("evil", [b"HTTP/1.1 200 \x1b[2J\r\nFAKE LOG\r\n\r\n", b"\x1b[2J\nFAKE LOG" * 50])
def test_error_messages_show_bytes_of_the_peer_escaped_and_cut(evil: bytes) -> None:
    engine = HTTP1Engine()
    engine.start("GET", True, False)
    engine.receive(evil)
    with pytest.raises(RemoteProtocolError) as caught:
        engine.next_head()
    assert "\x1b" not in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


WELL_FORMED = [
    response(OK, "Content-Length: 11", "X-Empty:", "X-Spaces:  \t a b \t ", body=b"hello world"),
    response(OK, CHUNKED, body=b'5\r\nhello\r\n6;q="x"\r\n world\r\n000\r\nX-T: 1\r\nX-U: 2\r\n\r\n'),
    response("HTTP/1.1 100 Continue") + response("HTTP/1.1 201", "Content-Length: 2", body=b"ok"),
    b"HTTP/1.1 200 OK\nContent-Length: 6\nA: b\n\n\r\n\r\n\r\n",
    response("HTTP/1.0 200 OK", body=b"until the end \r\n\r\n of the connection"),
    response(OK, "Content-Length: 2", body=b"hi") + b"leftover",
]


@pytest.mark.parametrize("data", WELL_FORMED + list(MALFORMED.values()))
def test_cutting_the_bytes_in_two_anywhere_changes_nothing(data: bytes) -> None:
    whole = read([data], ends=True)._replace(reusable=False)
    for cut in range(1, min(len(data), 400)):
        assert read([data[:cut], data[cut:]], ends=True)._replace(reusable=False) == whole


@given(st.sampled_from(WELL_FORMED + list(MALFORMED.values()) + list(TRUNCATED.values())), st.lists(st.integers(0, 400), max_size=12))
def test_cutting_the_bytes_in_many_pieces_changes_nothing(data: bytes, cuts: list[int]) -> None:
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    pieces = [data[start:end] for start, end in itertools.pairwise(edges) if start < end]
    assert read(pieces, ends=True)._replace(reusable=False) == read([data], ends=True)._replace(reusable=False)


@given(st.binary(max_size=300))
def test_any_bytes_at_all_give_a_response_or_an_error(data: bytes) -> None:
    for prefix in (b"", b"HTTP/1.1 200 OK\r\n", response(OK, CHUNKED), b"HTTP/1."):
        whole = read([prefix + data], ends=True)
        assert read(bytewise(prefix + data), ends=True)._replace(reusable=False) == whole._replace(reusable=False)


@given(st.lists(st.binary(min_size=1, max_size=50), max_size=8))
def test_a_chunked_body_is_what_was_put_in(chunks: list[bytes]) -> None:
    body = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n"
    assert read(bytewise(response(OK, CHUNKED, body=body))).body == b"".join(chunks)
    engine = started()
    engine.receive(response(OK, CHUNKED, body=body))
    engine.next_head()
    assert engine.whole_body() == (b"".join(chunks) if chunks else None)


def test_a_head_that_drips_in_does_not_cost_the_square_of_its_size():
    """Bytes are looked at once, also where the end of the head is long in coming."""
    engine = started()
    engine.receive(b"HTTP/1.1 200 OK\r\n")
    assert engine.next_head() is NEED_DATA
    for _ in range(20_000):
        engine.receive(b"a: 1\r\n")
        assert engine.next_head() is NEED_DATA
    engine.receive(b"Content-Length: 0\r\n\r\n")
    with pytest.raises(RemoteProtocolError, match="more than 500 header fields"):
        engine.next_head()


def test_bare_line_feeds_behind_a_proper_status_line_are_refused_at_once():
    engine = started()
    engine.receive(b"HTTP/1.1 200 OK\r\nA: b\n")
    assert engine.next_head() is NEED_DATA
    engine.receive(b"\n")
    with pytest.raises(RemoteProtocolError, match="mixes line breaks"):
        engine.next_head()


def test_a_head_of_bare_line_feeds_may_come_in_pieces():
    engine = started()
    for piece in (b"HTTP/1.1 200 OK\nA", b": b\n", b"Content-Length: 0\n", b"\n"):
        assert engine.next_head() is NEED_DATA
        engine.receive(piece)
    assert engine.next_head().fields == [(b"A", b"b"), (b"Content-Length", b"0")]


def test_what_came_in_pieces_before_does_not_hide_a_shorter_head():
    engine = started()
    engine.receive(b"HTTP/1.1 103 Early Hints\nLink: " + b"x" * 200)
    assert engine.next_head() is NEED_DATA
    engine.receive(b"\n\n")
    assert engine.next_head().status_code == 103
    engine.receive(b"HTTP/1.1 200 OK\nContent-Length: 0\n\n")
    assert engine.next_head().status_code == 200


HEADS = {
    "sized": (response(OK, "Content-Length: 5", "Vary: x"), b"hello"),
    "chunked": (response(OK, CHUNKED, "Vary: x"), b"5\r\nhello\r\n0\r\nDigest: x\r\n\r\n"),
    "without content": (response("HTTP/1.1 304 Not Modified", "Content-Length: 5"), b""),
    "empty": (response(OK, "Content-Length: 0"), b""),
    "long": (response(OK, "Content-Length: 5", "X: " + "x" * 2 * MAX_KNOWN_HEAD), b"hello"),
}


@pytest.mark.parametrize("name", HEADS)
@pytest.mark.parametrize("upgrade", [False, True])
@pytest.mark.parametrize("method", ["GET", "HEAD", "CONNECT"])
@pytest.mark.parametrize("rest", ["its body", "nothing", "too little", "too much", "another head"])
def test_a_head_that_came_before_means_what_it_meant_then(name: str, upgrade: bool, method: str, rest: str) -> None:
    head, body = HEADS[name]
    behind = {
        "its body": body,
        "nothing": b"",
        "too little": body[:-1],
        "too much": body + b"?",
        "another head": body + b"HTTP/1.1 200 OK\r\n\r\n",
    }[rest]
    for pieces in ([head + behind], [head, behind] if behind else [head], bytewise(head + behind)):
        engine = HTTP1Engine()
        first = read([head + body], engine=engine)
        assert first.reusable
        assert read(pieces, method, upgrade, engine=engine) == read(pieces, method, upgrade)


def test_a_head_that_begins_like_the_one_before_is_another_one() -> None:
    engine = HTTP1Engine()
    assert read([response(OK, "Content-Length: 2", body=b"ok")], engine=engine).body == b"ok"
    assert read([response(OK, "Content-Length: 2", "Vary: x", body=b"ok")], engine=engine).fields[1:] == ((b"Vary", b"x"),)
    assert read([response(OK, "Content-Length: 3", body=b"yes")], engine=engine).body == b"yes"
    assert read([response(OK, "Content-Length: 3", "Connection: close", body=b"yes")], engine=engine).reusable is False


def test_connections_share_what_they_know_of_heads() -> None:
    known: KnownHeads = {}
    heads = [response(OK, "Content-Length: 2", f"X-Number: {number}") for number in range(2 * MAX_KNOWN_HEADS)]
    engines = [HTTP1Engine(known) for _ in range(3)]
    for head in (*heads[:4], *heads, *heads[:4]):
        for engine in engines:
            assert read([head + b"ok"], engine=engine) == read([head + b"ok"])
    assert len(known) <= MAX_KNOWN_HEADS
    for engine in engines:
        engine.start("GET", True, False)
        engine.receive(heads[2] + b"ok")
    first, *others = [engine.next_head() for engine in engines]
    assert all(other is first for other in others)


def test_only_whole_heads_are_known() -> None:
    known: KnownHeads = {}
    for data in (b"HT", b"HTTP/1.1 200 OK\r\nA: b\r\n", b"HTTP/1.1 200 OK\nContent-Length: 0\n\n", b"HTTP/1.1 200 OK\r\nA\r\n\r\n"):
        read([data], engine=HTTP1Engine(known))
    assert not known


def test_what_arrives_behind_a_whole_response_is_no_part_of_it() -> None:
    engine = HTTP1Engine()
    message = response(OK, "Content-Length: 2", body=b"ok")
    assert read([message], engine=engine).reusable
    engine.start("GET", True, False)
    engine.receive(message)
    assert engine.next_head() is not NEED_DATA
    engine.receive(b"more")
    assert engine.next_data() == b"ok"
    assert engine.next_data() is None
    assert not engine.finish()


def test_a_chunked_body_that_came_with_its_head_is_at_hand():
    engine = started()
    engine.receive(response(OK, CHUNKED, body=b"5\r\nhello\r\n6;q=1\r\n world\r\n0\r\n\r\n"))
    engine.next_head()
    assert engine.whole_body() == b"hello world"
    assert engine.next_data() is None
    assert engine.finish()


NOT_WHOLE = {
    "its data ends like a body": b"9\r\nab\r\n0\r\n\r\n",
    "a piece of its data ends like a body": b"20\r\nab\r\n0\r\n\r\n",
    "it has trailers": b"2\r\nok\r\n0\r\nX: 0\r\n\r\n",
    "something follows": b"2\r\nok\r\n0\r\n\r\n2\r\n0\r\n\r\n",
    "it is malformed": b"2\r\nok\r\nx\r\n0\r\n\r\n",
}


@pytest.mark.parametrize("body", NOT_WHOLE.values(), ids=list(NOT_WHOLE))
def test_whoever_asks_too_early_for_the_whole_body_changes_nothing(body: bytes) -> None:
    def outcome(asks: bool) -> tuple[list[bytes], object]:
        engine = started()
        engine.receive(response(OK, CHUNKED, body=body))
        engine.next_head()
        if asks:
            assert engine.whole_body() is None
        data = []
        try:
            while (piece := engine.next_data()) is not NEED_DATA and piece is not None:
                data.append(piece)
        except RemoteProtocolError as error:
            return data, str(error)
        return data, (piece, engine.trailers, engine.finish())

    assert outcome(asks=True) == outcome(asks=False)


def test_a_head_of_bare_line_feeds_is_not_taken_for_the_proper_one_before():
    engine = HTTP1Engine()
    proper = response(OK, "Content-Length: 2")
    assert read([proper + b"ab"], engine=engine).reusable
    assert not read([proper.replace(b"\r\n", b"\n") + b"ab"], engine=engine).reusable
