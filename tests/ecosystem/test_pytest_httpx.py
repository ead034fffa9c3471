"""pytest-httpx: it patches `handle_request` and `handle_async_request` of the HTTP transports."""

from __future__ import annotations

import pytest
from pytest_httpx import HTTPXMock, IteratorStream

import httpx


def test_a_response_is_given_instead_of_the_network(httpx_mock: HTTPXMock):
    httpx_mock.add_response(url="https://api.example.org/users/1", json={"id": 1}, headers={"X-Kind": "user"})
    with httpx.Client() as client:
        response = client.get("https://api.example.org/users/1")
    assert response.json() == {"id": 1}
    assert response.headers["x-kind"] == "user"
    assert response.http_version == "HTTP/1.1"


async def test_a_response_is_given_to_an_async_client(httpx_mock: HTTPXMock):
    httpx_mock.add_response(method="POST", match_json={"name": "Ada"}, status_code=201)
    async with httpx.AsyncClient() as client:
        response = await client.post("https://api.example.org/users", json={"name": "Ada"})
    assert response.status_code == 201


def test_requests_are_matched_by_headers_content_and_extensions(httpx_mock: HTTPXMock):
    httpx_mock.add_response(match_headers={"X-Kind": "a"}, text="by headers")
    httpx_mock.add_response(match_content=b"the body", text="by content")
    httpx_mock.add_response(match_extensions={"sni_hostname": "other.example.org"}, text="by extensions")
    with httpx.Client() as client:
        assert client.get("https://example.org/", headers={"X-Kind": "a"}).text == "by headers"
        assert client.post("https://example.org/", content=b"the body").text == "by content"
        assert client.get("https://example.org/", extensions={"sni_hostname": "other.example.org"}).text == "by extensions"


def test_requests_are_matched_by_uploaded_files(httpx_mock: HTTPXMock):
    httpx_mock.add_response(match_files={"file": ("notes.txt", b"notes")}, match_data={"kind": "text"})
    with httpx.Client() as client:
        response = client.post("https://example.org/", files={"file": ("notes.txt", b"notes")}, data={"kind": "text"})
    assert response.status_code == 200


def test_exceptions_are_raised_with_their_request(httpx_mock: HTTPXMock):
    httpx_mock.add_exception(httpx.ReadTimeout("too slow"))
    with httpx.Client() as client, pytest.raises(httpx.ReadTimeout, match="too slow") as caught:
        client.get("https://example.org/slow")
    assert caught.value.request.url == "https://example.org/slow"


def test_callbacks_answer_by_request(httpx_mock: HTTPXMock):
    httpx_mock.add_callback(lambda request: httpx.Response(200, json={"path": request.url.path}), is_reusable=True)
    with httpx.Client() as client:
        assert [client.get(f"https://example.org/{n}").json()["path"] for n in range(3)] == ["/0", "/1", "/2"]
    assert [request.url.path for request in httpx_mock.get_requests()] == ["/0", "/1", "/2"]


def test_responses_are_streamed_and_can_be_used_again(httpx_mock: HTTPXMock):
    httpx_mock.add_response(stream=IteratorStream([b"part 1", b"part 2"]))
    httpx_mock.add_response(text="whole", is_reusable=True)
    with httpx.Client() as client:
        with client.stream("GET", "https://example.org/") as response:
            assert list(response.iter_raw()) == [b"part 1", b"part 2"]
        assert [client.get("https://example.org/").text for _ in range(2)] == ["whole", "whole"]


async def test_responses_are_streamed_to_an_async_client(httpx_mock: HTTPXMock):
    httpx_mock.add_response(stream=IteratorStream([b"part 1", b"part 2"]))
    async with httpx.AsyncClient() as client, client.stream("GET", "https://example.org/") as response:
        assert [part async for part in response.aiter_raw()] == [b"part 1", b"part 2"]


def test_redirects_and_cookies_work_on_mocked_responses(httpx_mock: HTTPXMock):
    httpx_mock.add_response(url="https://example.org/", status_code=302, headers={"Location": "/home", "Set-Cookie": "sid=1; Path=/"})
    httpx_mock.add_response(url="https://example.org/home", match_headers={"Cookie": "sid=1"}, html="<p>home</p>")
    with httpx.Client(follow_redirects=True) as client:
        response = client.get("https://example.org/")
    assert response.text == "<p>home</p>"
    assert response.history[0].status_code == 302


@pytest.mark.httpx_mock(assert_all_requests_were_expected=False)
def test_what_was_not_expected_is_a_timeout_that_tells_what_was(httpx_mock: HTTPXMock):
    httpx_mock.add_response(url="https://example.org/expected", match_headers={"X-Kind": "a"}, is_optional=True)
    with httpx.Client() as client, pytest.raises(httpx.TimeoutException) as caught:
        client.get("https://example.org/other", headers={"X-Kind": "b"})
    assert "'X-Kind': 'b'" in str(caught.value)
    assert "https://example.org/expected" in str(caught.value)


@pytest.mark.httpx_mock(should_mock=lambda request: request.url.host != "127.0.0.1")
def test_hosts_that_are_not_mocked_are_reached(httpx_mock: HTTPXMock, app):
    httpx_mock.add_response(text="mocked")
    with httpx.Client() as client:
        assert client.get("https://example.org/").text == "mocked"
        assert client.get(app.url + "/json").json()["number"] == 42


def test_proxies_are_mocked_too(httpx_mock: HTTPXMock):
    httpx_mock.add_response(text="through no proxy at all")
    with httpx.Client(proxy="http://proxy.example.org:3128") as client:
        assert client.get("https://example.org/").text == "through no proxy at all"
