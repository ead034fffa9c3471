"""A response as a value, and its body in all the ways to read it."""

from __future__ import annotations

import copy
import datetime
import json
import pickle
import time
import unittest.mock

import pytest

import httpx
from httpx._models.response import received_response
from httpx._protocols.http1.head import HeadReader

REQUEST = httpx.Request("GET", "http://user:SECRET@example.org/path")


def streaming(*pieces, **settings):
    return httpx.Response(200, content=iter(pieces or (b"ab", b"cde", b"f")), **settings)


def received(fields, status=200):
    """A response as it comes from a connection: its head has not been taken apart."""
    lines = b"".join(b"%b: %b\r\n" % field for field in fields)
    head, _ = HeadReader().read(b"HTTP/1.1 %d OK\r\n%b\r\n" % (status, lines))
    return received_response(head, httpx.ByteStream(b""), REQUEST, {})


# The head.


@pytest.mark.parametrize(
    ("given", "fields", "content"),
    [
        ({}, {}, b""),
        ({"content": b"abc"}, {"content-length": "3"}, b"abc"),
        ({"content": "é"}, {"content-length": "2"}, b"\xc3\xa9"),
        ({"text": "é"}, {"content-length": "2", "content-type": "text/plain; charset=utf-8"}, b"\xc3\xa9"),
        ({"html": "<p>"}, {"content-length": "3", "content-type": "text/html; charset=utf-8"}, b"<p>"),
        ({"json": {"a": 1}}, {"content-length": "7", "content-type": "application/json"}, b'{"a":1}'),
    ],
)
def test_a_response_is_made_by_hand(given, fields, content):
    response = httpx.Response(200, **given)
    assert dict(response.headers) == fields
    assert response.content == response.read() == content
    assert response.is_closed
    assert response.is_stream_consumed


def test_a_response_says_what_it_is():
    response = httpx.Response(201, extensions={"reason_phrase": b"Made", "http_version": b"HTTP/2"}, request=REQUEST)
    assert (response.status_code, response.reason_phrase, response.http_version) == (201, "Made", "HTTP/2")
    assert (repr(response), response.url, response.history, response.next_request) == ("<Response [201 Made]>", REQUEST.url, [], None)
    assert httpx.Response(404).reason_phrase == "Not Found"
    assert repr(httpx.Response(599)) == "<Response [599 ]>"
    for name in ("request", "url", "elapsed"):
        with pytest.raises(RuntimeError):
            getattr(httpx.Response(200), name)


@pytest.mark.parametrize("made", [lambda: httpx.Response(200, headers={"A": "1"}), lambda: received([(b"A", b"1")])])
def test_the_fields_are_an_attribute_that_tests_may_replace_for_a_while(made):
    response = made()
    with unittest.mock.patch.object(response, "headers", httpx.Headers({"B": "2"})):
        assert response.headers == {"B": "2"}
    assert response.headers["a"] == "1"
    del response.headers
    assert not hasattr(response, "headers")


@pytest.mark.parametrize("headers", [{"location": "/b"}, [("Location", "/b")], httpx.Headers({"Location": "/b"})])
def test_fields_that_are_set_count_in_whatever_form(headers):
    response = received([(b"A", b"1")], 302)
    response.headers = headers
    assert response.headers is headers
    assert response.has_redirect_location
    assert not response.cookies
    assert response.read() == b""


def test_a_subclass_may_have_its_own_fields():
    class Other(httpx.Response):
        headers = property(lambda self: self.own, lambda self, value: setattr(self, "own", value))

    assert Other(302, headers={"Location": "/b"}).has_redirect_location


def test_only_a_redirect_with_a_location_leads_somewhere():
    assert httpx.Response(302, headers={"Location": "/"}).has_redirect_location
    assert not httpx.Response(302).has_redirect_location
    assert not httpx.Response(304, headers={"Location": "/"}).has_redirect_location
    assert not httpx.Response(200, headers={"Location": "/"}).has_redirect_location


@pytest.mark.parametrize(
    ("field", "links"),
    [
        ('<https://x/?page=2>; rel="next"', {"next": {"url": "https://x/?page=2", "rel": "next"}}),
        ("<a>; rel=n, <b>;rel='l' ; title=\"x, y; z\"", {"n": {"url": "a", "rel": "n"}, "l": {"url": "b", "rel": "l", "title": "x, y; z"}}),
        ("<a>", {"a": {"url": "a"}}),
        ('<a>; rel="n;x"', {"n;x": {"url": "a", "rel": "n;x"}}),
        ("<a,b>; rel=z", {"z": {"url": "a,b", "rel": "z"}}),
        ("", {}),
    ],
)
def test_links_go_by_their_relation(field, links):
    assert httpx.Response(200, headers={"Link": field}).links == links
    assert httpx.Response(200).links == {}


HOSTILE = ["<a>;" * 20_000, "<a>" + ";" * 60_000, "<" * 60_000, "<a>" + "b" * 60_000, "<a>; " + " " * 60_000, '<a>; b="' + "c;" * 30_000]


@pytest.mark.parametrize("field", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_links_are_read_in_linear_time(field):  # L18
    started = time.process_time()
    _ = httpx.Response(200, headers={"Link": field}).links
    assert time.process_time() - started < 1.0  # quadratic would be a hundred times that


# Errors.


def failing(status, **settings):
    with pytest.raises(httpx.HTTPStatusError) as caught:
        httpx.Response(status, request=REQUEST, **settings).raise_for_status()
    assert caught.value.request is REQUEST
    assert caught.value.response.status_code == status
    return str(caught.value)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (101, "Informational response '101 Switching Protocols'"),
        (304, "Redirect response '304 Not Modified'"),
        (404, "Client error '404 Not Found'"),
        (500, "Server error '500 Internal Server Error'"),
        (600, "Invalid status code '600 '"),
    ],
)
def test_raise_for_status_says_what_went_wrong(status, kind):
    assert failing(status) == (
        f"{kind} for url 'http://example.org/path'\n"
        f"For more information check: https://developer.mozilla.org/en-US/docs/Web/HTTP/Status/{status}"
    )


def test_raise_for_status_gives_back_what_is_a_success():
    response = httpx.Response(204, request=REQUEST)
    assert response.raise_for_status() is response
    with pytest.raises(RuntimeError, match="request"):
        httpx.Response(200).raise_for_status()


def test_raise_for_status_names_where_a_redirect_leads():
    assert "\nRedirect location: '/elsewhere'\n" in failing(302, headers={"Location": "/elsewhere"})


@pytest.mark.parametrize(
    ("settings", "excerpt"),
    [
        ({"json": {"detail": "no such user"}}, '{"detail":"no such user"}'),
        ({"text": "  two\r\n lines "}, "two lines"),
        ({"text": "\x1b[2J\x07fake\u202elog"}, r"\x1b[2J\x07fake\u202elog"),
        ({"text": "é"}, "é"),
        ({"text": "x" * 501}, "x" * 500 + "..."),
        ({"content": b"plain"}, "plain"),
        ({"content": b"\xff", "headers": {"Content-Type": "application/problem+json"}}, "\ufffd"),
    ],
)
def test_the_message_has_the_beginning_of_the_body(settings, excerpt):
    assert failing(404, **settings).endswith(f"\nThe response begins: {excerpt}")


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"content": b""},
        {"text": " \n"},
        {"content": b"\x89PNG", "headers": {"Content-Type": "image/png"}},
        {"content": iter([b"unread"])},
    ],
)
def test_the_message_has_no_body_where_there_is_nothing_to_read(settings):
    assert "begins" not in failing(404, **settings)


def test_the_message_does_not_settle_the_encoding():
    response = httpx.Response(404, content=b"\xe9", request=REQUEST)
    with pytest.raises(httpx.HTTPStatusError):
        response.raise_for_status()
    response.encoding = "iso-8859-1"
    assert response.text == "é"


# Text.


@pytest.mark.parametrize(
    ("content_type", "content", "text", "encoding"),
    [
        (None, "é".encode(), "é", "utf-8"),
        ("text/plain", "é".encode(), "é", "utf-8"),
        ("text/plain; charset=ISO-8859-1", b"\xe9", "é", "iso-8859-1"),
        ('text/plain;a=b;Charset = "latin-1" ;c=d', b"\xe9", "é", "latin-1"),
        ("text/plain; charset=utf-16", "é".encode("utf-16"), "é", "utf-16"),
        ("text/plain; charset=unheard-of", "é".encode(), "é", "utf-8"),
        ("text/plain; charset=", "é".encode(), "é", "utf-8"),
        *((f"text/plain; charset={name}", "é".encode(), "é", "utf-8") for name in ("rot13", "hex", "zip", "base64", "uu", "quopri")),
        *((f"text/plain; charset={name}", b"a\\d", "a\\d", "utf-8") for name in ("idna", "punycode", "undefined", "unicode_escape")),
        ("text/plain; charset=" + "a" * 60_000, b"a", "a", "utf-8"),
        ("text/plain; " * 5_000, b"a", "a", "utf-8"),
        ("text/plain", b"\xff\xfea", "\ufffd\ufffda", "utf-8"),
    ],
)
def test_text_is_decoded_by_the_charset_that_is_declared(content_type, content, text, encoding):  # L17
    headers = {} if content_type is None else {"Content-Type": content_type}
    response = httpx.Response(200, content=content, headers=headers)
    assert (response.text, response.encoding) == (text, encoding)
    assert "".join(httpx.Response(200, content=iter([content]), headers=headers).iter_text()) == text


def test_the_default_encoding_applies_where_none_is_declared():
    def guess(content):
        return "iso-8859-1" if content == b"\xe9" else None

    for default in ("iso-8859-1", guess):
        assert httpx.Response(200, content=b"\xe9", default_encoding=default).text == "é"
    assert httpx.Response(200, content="é".encode(), default_encoding=guess).encoding == "utf-8"
    declared = httpx.Response(200, content="é".encode(), headers={"Content-Type": "text/plain; charset=utf-8"}, default_encoding=guess)
    assert declared.text == "é"
    assert declared.charset_encoding == "utf-8"


def test_the_encoding_can_be_set_until_the_text_is_read():
    response = httpx.Response(200, content=b"\xe9")
    response.encoding = "iso-8859-1"
    assert response.text == "é"
    with pytest.raises(ValueError, match="encoding"):
        response.encoding = "utf-8"
    with pytest.raises(LookupError):
        httpx.Response(200, content=b"").encoding = "unheard-of"
    response = httpx.Response(200, content=b"\xe9")
    response.encoding = None  # as if nothing were known
    assert response.text == "\ufffd"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_json_is_read_in_any_unicode(encoding):
    assert httpx.Response(200, content='{"a": "é"}'.encode(encoding)).json() == {"a": "é"}


def test_json_takes_the_options_of_the_standard_library():
    assert httpx.Response(200, content=b'{"a": 1.50}').json(parse_float=str) == {"a": "1.50"}


@pytest.mark.parametrize("content", [b"", b"nope", b"{", b"\xff"])
def test_what_is_not_json_is_a_value_error(content):
    with pytest.raises(ValueError):  # noqa: PT011 -- json.JSONDecodeError or UnicodeDecodeError
        httpx.Response(200, content=content).json()


def test_deep_json_is_an_exception_and_not_a_crash():  # O5
    with pytest.raises((RecursionError, json.JSONDecodeError)):
        httpx.Response(200, content=b"[" * 1_000_000).json()


# The body, streamed.


@pytest.mark.parametrize(
    ("size", "pieces"),
    [
        (None, [b"ab", b"cde", b"f"]),
        (1, [b"a", b"b", b"c", b"d", b"e", b"f"]),
        (2, [b"ab", b"cd", b"ef"]),
        (4, [b"abcd", b"ef"]),
        (9, [b"abcdef"]),
    ],
)
def test_a_body_is_iterated_as_it_comes_or_in_one_size(size, pieces):
    assert list(streaming().iter_raw(size)) == list(streaming().iter_bytes(size)) == pieces
    assert list(streaming().iter_text(size)) == [piece.decode() for piece in pieces]


def test_a_body_in_memory_is_iterated_again_and_again():
    response = httpx.Response(200, content=b"abcde")
    assert [list(response.iter_bytes(2)) for _ in range(2)] == [[b"ab", b"cd", b"e"]] * 2
    assert list(response.iter_text()) == ["abcde"]
    assert list(httpx.Response(200, content=b"").iter_bytes()) == []


def test_a_chunk_has_a_size():
    for iterate in (streaming().iter_bytes, streaming().iter_raw, streaming().iter_text):
        with pytest.raises(ValueError, match="chunk_size"):
            list(iterate(-1))


def test_large_chunks_are_gathered_in_linear_time():
    pieces = [bytes(1000)] * 50_000
    started = time.process_time()
    assert list(map(len, streaming(*pieces).iter_bytes(50_000_000))) == [50_000_000]
    assert time.process_time() - started < 5.0  # quadratic would move a terabyte


def test_a_line_without_an_end_is_gathered_in_linear_time():  # O3
    pieces = [b"x" * 1000] * 20_000
    started = time.process_time()
    assert list(map(len, streaming(*pieces).iter_lines())) == [20_000_000]
    assert time.process_time() - started < 5.0


@pytest.mark.parametrize(
    ("pieces", "lines"),
    [
        ([b"a\nb", b"\r", b"\nc\r\nd\re"], ["a", "b", "c", "d", "e"]),
        ([b"a\n\nb\n"], ["a", "", "b"]),
        ([b"a\r", b"b"], ["a", "b"]),
        ([b"a\r"], ["a"]),
        ([b"\n"], [""]),
        ([], []),
        ([b"\xc3", b"\xa9\n"], ["é"]),
        (["a\u2028b".encode()], ["a", "b"]),
    ],
)
def test_lines_end_however_they_end(pieces, lines):
    assert list(streaming(*pieces).iter_lines() if pieces else httpx.Response(200).iter_lines()) == lines


def test_the_bytes_that_came_are_counted():
    response = streaming()
    counts = [response.num_bytes_downloaded for _ in response.iter_bytes()]
    assert counts == [2, 5, 6]


USES = {
    "raw": lambda response: list(response.iter_raw()),
    "bytes": lambda response: list(response.iter_bytes()),
    "text": lambda response: list(response.iter_text()),
    "lines": lambda response: list(response.iter_lines()),
}


@pytest.mark.parametrize("second", [*USES, "read"])
@pytest.mark.parametrize("first", USES)
def test_a_stream_runs_once(first, second):
    response = streaming()
    USES[first](response)
    assert response.is_closed
    with pytest.raises(httpx.StreamConsumed):
        {**USES, "read": httpx.Response.read}[second](response)


def test_what_was_read_can_be_iterated_but_no_longer_raw():
    response = streaming()
    assert response.read() == response.read() == b"abcdef"
    assert list(response.iter_bytes(4)) == [b"abcd", b"ef"]
    with pytest.raises(httpx.StreamConsumed):
        list(response.iter_raw())


@pytest.mark.parametrize("use", [*USES.values(), httpx.Response.read])
def test_nothing_comes_from_a_closed_response(use):
    response = streaming()
    response.close()
    response.close()
    with pytest.raises(httpx.StreamClosed):
        use(response)


@pytest.mark.parametrize("access", ["content", "text"])
def test_content_is_there_once_it_was_read(access):
    with pytest.raises(httpx.ResponseNotRead):
        getattr(streaming(), access)
    with pytest.raises(httpx.ResponseNotRead):
        streaming().json()


async def asynchronous():
    for piece in (b"ab", b"cde", b"f"):
        yield piece


async def test_an_async_body_is_iterated_as_it_comes_or_in_one_size():
    def response():
        return httpx.Response(200, content=asynchronous())

    assert [piece async for piece in response().aiter_raw()] == [b"ab", b"cde", b"f"]
    assert [piece async for piece in response().aiter_bytes(4)] == [b"abcd", b"ef"]
    assert [piece async for piece in response().aiter_text(4)] == ["abcd", "ef"]
    assert [line async for line in response().aiter_lines()] == ["abcdef"]
    read = response()
    assert await read.aread() == read.content == b"abcdef"
    with pytest.raises(httpx.StreamConsumed):
        _ = [piece async for piece in read.aiter_raw()]


async def test_each_client_has_its_own_kind_of_response():
    of_async = httpx.Response(200, content=asynchronous())
    for misuse in (of_async.read, of_async.close, lambda: list(of_async.iter_raw())):
        with pytest.raises(RuntimeError, match="on an async stream"):
            misuse()
    assert await of_async.aread() == b"abcdef"
    of_sync = streaming()
    with pytest.raises(RuntimeError, match=r"on a sync stream\. Use `iter_raw"):
        await of_sync.aread()
    with pytest.raises(RuntimeError, match="async close on a sync stream"):
        await of_sync.aclose()
    assert of_sync.read() == b"abcdef"


# Copies.


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, lambda thing: pickle.loads(pickle.dumps(thing))])
def test_a_response_survives_copies(duplicate):
    settings = {"extensions": {"http_version": b"HTTP/2", "network_stream": object()}, "history": [httpx.Response(301)]}
    response = httpx.Response(200, json=[1], headers={"Set-Cookie": "a=1"}, request=REQUEST, **settings)
    response.elapsed = datetime.timedelta(seconds=2)
    assert response.cookies["a"] == "1"
    copied = duplicate(response)
    assert (copied.status_code, copied.headers, copied.json(), copied.text) == (200, response.headers, [1], "[1]")
    assert (copied.http_version, copied.elapsed, copied.cookies["a"]) == ("HTTP/2", response.elapsed, "1")
    assert (copied.request.url, copied.history[0].status_code, copied.is_closed) == (REQUEST.url, 301, True)


def test_a_body_that_was_not_read_does_not_survive_pickling():
    copied = pickle.loads(pickle.dumps(streaming()))
    with pytest.raises(httpx.StreamClosed):
        copied.read()


def test_an_error_survives_pickling_with_its_response():
    with pytest.raises(httpx.HTTPStatusError) as caught:
        httpx.Response(404, text="no", request=REQUEST).raise_for_status()
    copied = pickle.loads(pickle.dumps(caught.value))
    assert str(copied) == str(caught.value)
    assert (copied.response.text, copied.request.url) == ("no", REQUEST.url)
    assert "SECRET" not in f"{copied!r} {copied}"
