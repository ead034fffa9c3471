"""Applications in this process that do not keep to their protocol: the client says what they sent, and serves the next request."""

from __future__ import annotations

import contextlib
import sys

import pytest

import httpx
from httpx._network.base import wake
from httpx._network.runtime import current_network
from tests.hostile.attack import SECRETS, assert_no_tasks, assert_presentable
from tests.support.runtimes import RUNTIMES

OWN = b"own answer"


@pytest.fixture(params=["asyncio", "uvloop", "trio"])
def runtime(request):
    if request.param == "uvloop":
        pytest.importorskip("uvloop", reason="uvloop is not available on this platform")
    return RUNTIMES[request.param]


def start(status=200, headers=()):
    return {"type": "http.response.start", "status": status, "headers": list(headers)}


def piece(body=b"piece", more=False):
    return {"type": "http.response.body", "body": body, "more_body": more}


def asgi_client(app):
    """A client whose application answers /next as it should, and leaves everything else to `app`."""

    async def application(scope, receive, send):
        if scope["path"] == "/next":
            await send(start())
            await send(piece(OWN))
        else:
            await app(scope, receive, send)

    return httpx.AsyncClient(transport=httpx.ASGITransport(application), base_url="http://testserver", headers=SECRETS)


async def outcome_of(runtime, app, error, words):
    async with asgi_client(app) as client:
        with pytest.raises(error, match=words) as caught:
            await client.get("/")
        assert type(caught.value) is error
        assert_presentable(caught.value)
        assert (await client.get("/next")).content == OWN
        await settle(runtime)
        assert_no_tasks(runtime)


async def settle(runtime):
    for _ in range(3):
        await runtime.turn()


@pytest.mark.parametrize(
    ("messages", "error", "words"),
    [
        ([start("200")], RuntimeError, "sent the status '200', which is no integer"),
        ([start(None)], RuntimeError, "sent the status None"),
        ([{"type": "http.response.start"}], RuntimeError, "sent the status None"),
        ([start(200.0)], RuntimeError, r"sent the status 200\.0"),
        ([start(99)], RuntimeError, "sent the status 99"),
        ([start(1000)], RuntimeError, "sent the status 1000"),
        ([start(True)], RuntimeError, "sent the status True"),
        ([start(-200)], RuntimeError, "sent the status -200"),
        ([start(10**4_000)], RuntimeError, "sent the status 1000"),
        ([start(), piece("text")], TypeError, "sent 'text' as a piece of its body"),
        ([start(), piece("")], TypeError, "sent '' as a piece"),
        ([start(), piece(None)], TypeError, "sent None as a piece"),
        ([start(), piece(10**12)], TypeError, "sent 1000000000000 as a piece"),
        ([start(), piece([b"a"])], TypeError, r"sent \[b'a'\] as a piece"),
        ([start(), piece("\x1b[2J" + "x" * 10_000)], TypeError, r"sent '\\x1b\[2Jxxx"),
        ([start(headers=[(b"x-a", b"a\r\nx-evil: yes")])], ValueError, "value of the header b'x-a' that holds a line break"),
        ([start(headers=[(b"x-a", b"a\nx-evil: yes")])], ValueError, "holds a line break"),
        ([start(headers=[("x-a", "a\r\nx-evil: yes")])], ValueError, "holds a line break"),
        ([start(headers=[(b"x-a\r\nx-evil", b"yes")])], ValueError, "sent the header name"),
        ([start(headers=[(b"", b"yes")])], ValueError, "sent the header name"),
        ([start(headers=[(b"x-a", 5)])], TypeError, "must be|int"),
        ([piece()], RuntimeError, "http.response.body before a start"),
        ([start(), start()], RuntimeError, "http.response.start twice"),
        ([start(), piece(), piece()], RuntimeError, "http.response.body after its end"),
        ([start(), piece(), start()], RuntimeError, "http.response.start twice"),
        ([{"type": "http.response.trailers"}], RuntimeError, "sent 'http.response.trailers'"),
        ([{"type": None}], RuntimeError, "sent None"),
        ([start(), piece(more=True)], httpx.RemoteProtocolError, "ended within the body"),
        ([], httpx.RemoteProtocolError, "ended without a response"),
    ],
)
async def test_what_an_asgi_application_must_not_send(no_leaks, runtime, messages, error, words):
    async def app(scope, receive, send):
        for message in messages:
            await send(message)

    await outcome_of(runtime, app, error, words)


@pytest.mark.parametrize("body", [bytearray(b"piece"), memoryview(b"piece")])
async def test_what_is_like_bytes_is_a_body(runtime, body):
    async def app(scope, receive, send):
        await send(start())
        await send(piece(body))

    async with asgi_client(app) as client:
        assert (await client.get("/")).content == b"piece"


async def test_an_error_in_the_middle_of_a_body_comes_behind_what_was_sent(no_leaks, runtime):
    async def app(scope, receive, send):
        await send(start())
        await send(piece(more=True))
        await send(piece(more=True))
        raise LookupError("broken")

    received = []

    async def read_all(client):
        async with client.stream("GET", "/") as response:
            async for data in response.aiter_raw():
                received.append(data)

    async with asgi_client(app) as client:
        with pytest.raises(LookupError, match="broken"):
            await read_all(client)
        assert b"".join(received) == b"piece" * 2
        assert (await client.get("/next")).content == OWN
        assert_no_tasks(runtime)


async def stays_silent(scope, receive, send):
    await current_network().waiter()


async def stops_after_its_start(scope, receive, send):
    await send(start())
    await current_network().waiter()


async def never_stops_sending(scope, receive, send):
    await send(start())
    while True:
        await send(piece(more=True))
        await current_network().pause()


async def swallows_what_ends_it(scope, receive, send):
    await send(start())
    with contextlib.suppress(BaseException):
        await current_network().waiter()
    await send(piece(b"too late", more=True))


@pytest.mark.parametrize("app", [stays_silent, stops_after_its_start, never_stops_sending, swallows_what_ends_it])
async def test_an_application_without_end_is_left_when_the_callers_patience_is_over(no_leaks, runtime, monkeypatch, app):
    monkeypatch.setattr("httpx._transports.asgi._GRACE", 0.05)
    ended = []

    async def watched(scope, receive, send):
        try:
            await app(scope, receive, send)
        finally:
            ended.append(True)

    async def read_all(client):
        received = 0
        async with client.stream("GET", "/") as response:
            async for data in response.aiter_raw():
                received += len(data)
        return received

    async with asgi_client(watched) as client:
        with pytest.raises(TimeoutError):
            await current_network().within(read_all(client), 0.1)
        await settle(runtime)
        assert ended == [True]
        assert (await client.get("/next")).content == OWN
        assert_no_tasks(runtime)


async def test_closing_does_not_wait_for_an_application_that_heeds_nothing(no_leaks, monkeypatch):
    """On asyncio a cancellation can be swallowed, again and again; on trio it cannot."""
    monkeypatch.setattr("httpx._transports.asgi._GRACE", 0.02)
    gone = current_network().waiter()

    async def app(scope, receive, send):
        await send(start())
        for _ in range(2):
            with contextlib.suppress(BaseException):
                await gone

    async with asgi_client(app) as client:
        async with client.stream("GET", "/"):
            pass
        assert (await client.get("/next")).content == OWN
    wake(gone)


def wsgi_client(app):
    def application(environ, start_response):
        if environ["PATH_INFO"] == "/next":
            start_response("200 OK", [])
            return [OWN]
        return app(environ, start_response)

    return httpx.Client(transport=httpx.WSGITransport(application), base_url="http://testserver", headers=SECRETS)


@pytest.mark.parametrize(
    ("status", "headers", "body", "error", "words"),
    [
        (200, [], [], ValueError, "sent the status 200, which is not like '200 OK'"),
        (None, [], [], ValueError, "sent the status None"),
        (b"200 OK", [], [], ValueError, "sent the status b'200 OK'"),
        ("", [], [], ValueError, "sent the status ''"),
        ("OK", [], [], ValueError, "sent the status 'OK'"),
        ("20 OK", [], [], ValueError, "sent the status '20 OK'"),
        ("2000 OK", [], [], ValueError, "sent the status '2000 OK'"),
        ("+200 OK", [], [], ValueError, r"sent the status '\+200 OK'"),
        ("2_0 OK", [], [], ValueError, "sent the status"),
        ("²⁰⁰ OK", [], [], ValueError, "sent the status"),
        ("200 OK\r\nX-Evil: yes", [], [], ValueError, r"sent the status '200 OK\\r\\nX-Evil: yes'"),
        ("2" * 100_000, [], [], ValueError, r"sent the status '222"),
        ("200 OK", [("X-A", "a\r\nX-Evil: yes")], [], ValueError, "value of the header b'X-A' that holds a line break"),
        ("200 OK", [("X-A\nX-Evil", "yes")], [], ValueError, "sent the header name"),
        ("200 OK", [("", "yes")], [], ValueError, "sent the header name"),
        ("200 OK", [("X-É", "yes")], [], UnicodeEncodeError, "ascii"),
        ("200 OK", [], ["text"], TypeError, "sent 'text' as a piece of its body"),
        ("200 OK", [], [b"", None], TypeError, "sent None as a piece"),
        ("200 OK", [], b"bytes that are iterated", TypeError, "sent 98 as a piece"),
        ("200 OK", [], [b"piece", 10**12], TypeError, "sent 1000000000000 as a piece"),
    ],
)
def test_what_a_wsgi_application_must_not_send(no_leaks, status, headers, body, error, words):
    def app(environ, start_response):
        start_response(status, headers)
        return body

    with wsgi_client(app) as client:
        with pytest.raises(error, match=words) as caught:
            client.get("/")
        assert type(caught.value) is error
        assert_presentable(caught.value)
        assert client.get("/next").content == OWN


@pytest.mark.parametrize(("status", "code"), [("200", 200), ("200 ", 200), ("999 What Ever", 999), ("404\tGone", 404)])
def test_status_lines_without_much_of_a_reason(status, code):
    def app(environ, start_response):
        start_response(status, [])
        return []

    with wsgi_client(app) as client:
        assert client.get("/").status_code == code


def test_a_wsgi_application_starts_its_response_once():
    def app(environ, start_response):
        start_response("200 OK", [])
        start_response("201 Created", [])
        return []

    with wsgi_client(app) as client, pytest.raises(RuntimeError, match=r"start_response\(\) twice"):
        client.get("/")


def test_or_another_one_in_its_place_if_something_went_wrong_before_the_first_piece():
    def app(environ, start_response):
        start_response("200 OK", [])
        try:
            raise LookupError("too soon")
        except LookupError:
            start_response("500 Server Error", [], sys.exc_info())
        return [b"sorry"]

    transport = httpx.WSGITransport(app, raise_app_exceptions=False)
    with httpx.Client(transport=transport, base_url="http://testserver") as client:
        response = client.get("/")
    assert (response.status_code, response.content) == (500, b"sorry")


def test_after_the_first_piece_it_is_too_late_for_that():
    closed = []

    class Pieces:
        def __init__(self, start_response):
            self.start_response = start_response

        def __iter__(self):
            yield b"piece"
            try:
                raise LookupError("too late")
            except LookupError:
                self.start_response("500 Server Error", [], sys.exc_info())

        def close(self):
            closed.append(True)

    def app(environ, start_response):
        start_response("200 OK", [])
        return Pieces(start_response)

    with wsgi_client(app) as client:
        with pytest.raises(LookupError, match="too late"):
            client.get("/")
        assert closed == [True]
        assert client.get("/next").content == OWN


def test_an_endless_wsgi_body_is_left():
    closed = []

    def app(environ, start_response):
        start_response("200 OK", [])
        try:
            while True:
                yield b"more"
        finally:
            closed.append(True)

    with wsgi_client(app) as client:
        with client.stream("GET", "/") as response:
            assert next(response.iter_raw()) == b"more"
        assert closed == [True]
        assert client.get("/next").content == OWN


def test_what_is_written_between_the_pieces_keeps_its_place():
    def app(environ, start_response):
        write = start_response("200 OK", [])
        write(b"1")
        yield b"2"
        write(b"3")
        yield b"4"
        write(b"5")

    with wsgi_client(app) as client:
        assert client.get("/").content == b"12345"


def test_an_interruption_of_a_wsgi_application_closes_what_it_returned():
    closed = []

    class Pieces:
        def __iter__(self):
            raise KeyboardInterrupt

        def close(self):
            closed.append(True)

    def app(environ, start_response):
        start_response("200 OK", [])
        return Pieces()

    with wsgi_client(app) as client, pytest.raises(KeyboardInterrupt):
        client.get("/")
    assert closed == [True]
