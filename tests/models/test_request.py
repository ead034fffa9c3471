"""A request as a value."""

from __future__ import annotations

import copy
import pickle

import pytest

import httpx


def test_a_request_has_its_parts():
    request = httpx.Request("get", "http://example.org/path?q=1", headers={"X-A": "1"}, extensions={"timeout": {"read": 1.0}})
    assert (request.method, str(request.url), request.content) == ("GET", "http://example.org/path?q=1", b"")
    assert request.headers.raw == [(b"Host", b"example.org"), (b"X-A", b"1")]
    assert request.extensions == {"timeout": {"read": 1.0}}
    assert b"".join(request.stream) == b""


@pytest.mark.parametrize(
    ("url", "host"),
    [("http://example.org:80/", "example.org"), ("http://example.org:8080/", "example.org:8080"), ("http://[::1]:1/", "[::1]:1")],
)
def test_the_host_field_has_a_port_that_is_not_the_default(url, host):
    assert httpx.Request("GET", url).headers["Host"] == host
    assert httpx.Request("GET", url, headers={"host": "other"}).headers.get_list("Host") == ["other"]


@pytest.mark.parametrize(
    ("params", "url"),
    [
        (None, "http://example.org/?a=1%2F"),
        ({"b": "2/"}, "http://example.org/?b=2%2F"),
        ({}, "http://example.org/"),
        ({"q": "a\r\nInjected: yes"}, "http://example.org/?q=a%0D%0AInjected%3A+yes"),  # I11
    ],
)
def test_params_replace_the_query(params, url):
    assert str(httpx.Request("GET", "http://example.org/?a=1%2F", params=params).url) == url


@pytest.mark.parametrize(
    "url",
    [
        "https://bucket.s3.amazonaws.com/k%2fey%20(1)?X-Amz-Signature=ab%2Fcd%3d&X-Amz-Credential=AK%2F20&f=attachment%3B%20n%3D%22a%22~'()*!",
        "https://storage.example/o?Expires=1&Signature=a+b/c==&Key-Pair-Id=~*!$,;:@",
        "https://example.org/a//b/;c=d/%E9?%%25&=&&x",
    ],
)
def test_signed_urls_go_out_byte_for_byte(url):
    request = httpx.Request("GET", url)
    assert str(request.url) == url
    assert request.url.raw_path.decode() == "/" + url.split("/", 3)[3]


def test_content_that_is_streamed_is_there_once_it_was_read():
    request = httpx.Request("POST", "http://example.org/", content=iter([b"a", b"b"]))
    with pytest.raises(httpx.RequestNotRead):
        _ = request.content
    assert request.read() == request.content == b"ab"
    assert [b"".join(request.stream) for _ in range(2)] == [b"ab", b"ab"]


async def test_content_that_is_streamed_asynchronously_is_read_asynchronously():
    async def parts():
        yield b"a"
        yield b"b"

    request = httpx.Request("POST", "http://example.org/", content=parts())
    with pytest.raises(TypeError, match="aread"):
        request.read()
    assert await request.aread() == request.content == b"ab"


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, lambda thing: pickle.loads(pickle.dumps(thing))])
def test_a_request_survives_copies(duplicate):
    request = httpx.Request("POST", "http://example.org/", json={"a": 1}, extensions={"timeout": {"read": 1.0}, "trace": print})
    copied = duplicate(request)
    assert (copied.method, copied.url, copied.headers, copied.content) == (request.method, request.url, request.headers, b'{"a":1}')
    assert b"".join(copied.stream) == b'{"a":1}'
    assert copied.extensions["timeout"] == {"read": 1.0}


def test_a_stream_does_not_survive_pickling():
    request = httpx.Request("POST", "http://example.org/", content=iter([b"a"]))
    with pytest.raises(httpx.StreamClosed):
        pickle.loads(pickle.dumps(request)).read()


def test_no_password_is_shown():  # X4, X5
    request = httpx.Request("GET", "http://user:SECRET@example.org/")
    assert repr(request) == "<Request('GET', 'http://example.org/')>"
    error = httpx.ReadTimeout("It took long.", request=request)
    assert "SECRET" not in f"{error!r} {error} {error.request!r} {error.request.url!r}"
