"""Names that are not public, and that widely used libraries import from HTTPX all the same."""

from __future__ import annotations

import datetime
import importlib
import io
import pickle

import pytest

import httpx

NAMES = {
    "httpx._api": "delete get head options patch post put request stream",
    "httpx._client": "AsyncClient AuthTypes BaseClient Client ClientState CookieTypes HeaderTypes URLTypes USER_AGENT UseClientDefault",
    "httpx._config": "DEFAULT_LIMITS DEFAULT_TIMEOUT_CONFIG Limits Proxy Timeout create_ssl_context",
    "httpx._content": "AsyncIteratorByteStream ByteStream IteratorByteStream encode_json encode_multipart_data encode_urlencoded_data",
    "httpx._decoders": "ByteChunker DecodingError LineDecoder TextChunker TextDecoder",
    "httpx._exceptions": "HTTPError request_context",
    "httpx._models": "Cookies Headers Request Response",
    "httpx._multipart": "DataField FileField MultipartStream",
    "httpx._status_codes": "codes",
    "httpx._transports.default": "AsyncHTTPTransport HTTPTransport create_ssl_context",
    "httpx._types": "AsyncByteStream AuthTypes CertTypes CookieTypes FileContent FileTypes HeaderTypes PrimitiveData ProxyTypes "
    "QueryParamTypes RequestContent RequestData RequestExtensions RequestFiles ResponseContent ResponseExtensions SyncByteStream "
    "TimeoutTypes URLTypes",
    "httpx._urls": "QueryParams URL",
    "httpx._utils": "URLPattern get_environment_proxies peek_filelike_length primitive_value_to_str",
}


@pytest.mark.parametrize(("module", "names"), NAMES.items())
def test_they_resolve_to_the_public_thing_where_there_is_one(module, names):
    for name in names.split():
        thing = getattr(importlib.import_module(module), name)
        assert thing is getattr(httpx, name, thing)


@pytest.mark.parametrize("module", ["_api", "_decoders", "_multipart", "_status_codes", "_urls", "_utils"])
def test_modules_are_there_without_an_import(module, monkeypatch):
    monkeypatch.delattr(httpx, module, raising=False)
    assert getattr(httpx, module) is importlib.import_module(f"httpx.{module}")


def test_what_libraries_ask_these_functions():
    utils = importlib.import_module("httpx._utils")
    file = io.BytesIO(b"abc")
    file.seek(1)
    assert (utils.peek_filelike_length(file), file.tell()) == (3, 1)
    assert utils.peek_filelike_length(iter(())) is None
    assert [utils.primitive_value_to_str(value) for value in (True, None, 1)] == ["true", "", "1"]


@pytest.mark.parametrize("module", ["httpx._client", "httpx._config"])
def test_other_names_do_not(module):
    with pytest.raises(AttributeError, match="has no attribute 'other'"):
        _ = importlib.import_module(module).other


def test_a_form_can_be_taken_apart():
    """As unstructured-client does it."""
    file = io.BytesIO(b"x")
    data, files = {"a": ["1", 2], "b": None}, {"f": ("n.txt", file), "g": b"y"}
    *values, named, unnamed = httpx.Request("POST", "http://example.org/", data=data, files=files).stream.fields
    assert [(field.name, field.value) for field in values] == [("a", "1"), ("a", "2"), ("b", "")]
    assert (named.name, named.filename, named.file, named.headers) == ("f", "n.txt", file, {"Content-Type": "text/plain"})
    assert (unnamed.name, unnamed.filename, unnamed.file) == ("g", "upload", b"y")
    kinds = importlib.import_module("httpx._multipart")
    assert isinstance(values[0], kinds.DataField)
    assert isinstance(named, kinds.FileField)


def test_the_user_agent_is_that_of_a_client():
    assert httpx.Client().headers["user-agent"] == importlib.import_module("httpx._client").USER_AGENT


def test_parts_of_values_that_libraries_look_at():
    assert httpx.URL("http://example.org/a%20b?q")._uri_reference.path == "/a%20b"
    assert httpx.Headers([("X-A", "1")])._list == [(b"X-A", b"x-a", b"1")]
    request = httpx.Request("POST", "http://example.org/", content=b"x")
    response = httpx.Response(200, content=b"y", request=request)
    assert response._request is request
    assert (request._content, response._content) == (b"x", b"y")


def test_how_long_a_response_took_can_be_set_by_tests():
    response = httpx.Response(200)
    assert not hasattr(response, "_elapsed")
    response._elapsed = datetime.timedelta(seconds=2)
    assert response.elapsed == response._elapsed == datetime.timedelta(seconds=2)


def test_a_response_can_be_made_unread_again():
    """As pytest-httpx does it, to give the same response several times; vcrpy's users drop its decoder, if it has one."""
    response = httpx.Response(200, content=b"y")
    assert not hasattr(response, "_decoder")
    for _ in range(2):
        del response._content
        response.is_closed = response.is_stream_consumed = False
        assert response.read() == b"y"


def test_request_context_attaches_the_request():
    request = httpx.Request("GET", "http://example.org/")
    with pytest.raises(httpx.ReadError) as caught, importlib.import_module("httpx._exceptions").request_context(request=request):
        raise httpx.ReadError("gone")
    assert caught.value.request is request
    assert str(pickle.loads(pickle.dumps(caught.value)).request.url) == "http://example.org/"
