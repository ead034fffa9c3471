"""WSGI applications as the other side of a Client."""

from __future__ import annotations

import io
import sys
import wsgiref.validate

import pytest

import httpx


def client(app, **settings):
    return httpx.Client(transport=httpx.WSGITransport(app, **settings), base_url="http://testserver")


def respond_with(body):
    def app(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        return body(environ) if callable(body) else body

    return app


def test_an_application_answers_by_the_book():
    app = wsgiref.validate.validator(respond_with(lambda environ: [environ["wsgi.input"].read(5)]))
    with client(app) as c:
        response = c.post("/", content=b"hello")
    assert response.status_code == 200
    assert response.text == "hello"
    assert response.headers["content-type"] == "text/plain"


def test_what_the_application_is_told():
    seen = {}

    def app(environ, start_response):
        seen.update(environ)
        start_response("204 No Content", [])
        return []

    errors = io.StringIO()
    with client(app, script_name="/mounted", remote_addr="1.2.3.4", wsgi_errors=errors) as c:
        headers = [("X-Two", "1"), ("X-Two", "2"), ("Content-Type", "text/x")]
        assert c.post("https://example.org:8443/a%2Fb/%C3%BC?q=%20", content=b"1234", headers=headers).status_code == 204
    assert seen["REQUEST_METHOD"] == "POST"
    assert (seen["SCRIPT_NAME"], seen["PATH_INFO"], seen["QUERY_STRING"]) == ("/mounted", "/a/b/ü".encode().decode("latin-1"), "q=%20")
    assert (seen["wsgi.url_scheme"], seen["SERVER_NAME"], seen["SERVER_PORT"]) == ("https", "example.org", "8443")
    assert (seen["CONTENT_TYPE"], seen["CONTENT_LENGTH"]) == ("text/x", "4")
    assert (seen["HTTP_X_TWO"], seen["HTTP_HOST"]) == ("1, 2", "example.org:8443")
    assert seen["REMOTE_ADDR"] == "1.2.3.4"
    assert seen["wsgi.errors"] is errors


def test_content_that_was_to_be_streamed_has_a_length():
    with client(respond_with(lambda environ: [environ["CONTENT_LENGTH"].encode(), environ["wsgi.input"].read()])) as c:
        assert c.post("/", content=iter([b"ab", b"cd"])).content == b"4abcd"


def test_the_standard_error_is_where_applications_report():
    def app(environ, start_response):
        assert environ["wsgi.errors"] is sys.stderr
        start_response("200 OK", [])
        return []

    with client(app) as c:
        assert c.get("/").status_code == 200


def test_the_response_is_streamed_and_closed():
    events = []

    class Pieces:
        def __iter__(self):
            for number in range(3):
                events.append(number)
                yield b"%d" % number

        def close(self):
            events.append("closed")

    with client(respond_with(Pieces())) as c, c.stream("GET", "/") as response:
        for piece in response.iter_raw():
            assert piece == b"0"
            break
    assert events == [0, "closed"]


def test_a_response_may_start_late_and_write():
    def app(environ, start_response):
        yield b""
        write = start_response("201 Created", [("X-Late", "1")])
        write(b"written,")
        yield b"yielded"

    with client(app) as c:
        response = c.get("/")
    assert (response.status_code, response.headers["x-late"], response.content) == (201, "1", b"written,yielded")


def test_exceptions_are_raised_or_reported_as_a_server_would():
    def raises(environ, start_response):
        raise LookupError("before")

    def reports(environ, start_response):
        try:
            raise LookupError("handled")
        except LookupError:
            start_response("500 Server Error", [], sys.exc_info())
        return [b"sorry"]

    def raises_within(environ, start_response):
        start_response("200 OK", [])
        yield b"piece"
        raise LookupError("within")

    for app in (raises, reports, raises_within):
        with client(app) as c, pytest.raises(LookupError):
            c.get("/")
    for app in (raises, reports):
        with client(app, raise_app_exceptions=False) as c:
            assert c.get("/").status_code == 500
    with client(raises_within, raise_app_exceptions=False) as c, pytest.raises(httpx.RemoteProtocolError, match="within the body"):
        c.get("/")


def test_an_application_must_start_its_response():
    with client(lambda environ, start_response: []) as c, pytest.raises(httpx.RemoteProtocolError, match="start_response"):
        c.get("/")
