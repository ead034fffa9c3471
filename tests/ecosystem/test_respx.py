"""respx in both its ways: with `using="httpx"` it patches the clients, by default the pools of httpcore."""

from __future__ import annotations

import functools

import pytest
import respx

import httpx


@pytest.fixture(params=["httpx", "httpcore"])
def mocked(request):
    return functools.partial(respx.mock, using=request.param)


def test_a_route_answers_instead_of_the_network(mocked):
    with mocked() as mock:
        route = mock.get("https://api.example.org/users/1").mock(return_value=httpx.Response(200, json={"id": 1}))
        response = httpx.get("https://api.example.org/users/1")
    assert response.json() == {"id": 1}
    assert route.called
    assert route.calls.last.request.headers["host"] == "api.example.org"


async def test_a_route_answers_an_async_client(mocked):
    async with mocked(base_url="https://api.example.org") as mock:
        mock.post("/users", json={"name": "Ada"}).respond(201, json={"id": 2})
        async with httpx.AsyncClient() as client:
            response = await client.post("https://api.example.org/users", json={"name": "Ada"})
    assert (response.status_code, response.json()) == (201, {"id": 2})


def test_routes_match_on_parts_of_the_url_headers_and_content(mocked):
    with mocked() as mock:
        mock.route(method="GET", host="api.example.org", path="/search", params={"q": "snail"}, name="search").respond(200, text="found")
        mock.route(method="POST", headers={"X-Kind": "form"}, data={"a": "1"}).respond(202)
        mock.get(url__regex=r"https://files\.example\.org/(?P<name>\w+)\.txt").mock(
            side_effect=lambda request, name: httpx.Response(200, text=name)
        )
        assert httpx.get("https://api.example.org/search", params={"q": "snail"}).text == "found"
        assert httpx.post("https://x.example.org/", data={"a": "1"}, headers={"X-Kind": "form"}).status_code == 202
        assert httpx.get("https://files.example.org/notes.txt").text == "notes"
        assert mock["search"].call_count == 1


def test_exceptions_and_sequences_are_raised_and_returned_in_turn(mocked):
    with mocked() as mock:
        mock.get("https://flaky.example.org/").mock(side_effect=[httpx.ConnectTimeout, httpx.Response(204)])
        with httpx.Client() as client:
            with pytest.raises(httpx.ConnectTimeout) as caught:
                client.get("https://flaky.example.org/")
            assert caught.value.request.url == "https://flaky.example.org/"
            assert client.get("https://flaky.example.org/").status_code == 204


def test_an_unknown_route_fails_and_an_unused_one_too(mocked):
    with pytest.raises(respx.models.AllMockedAssertionError), mocked(assert_all_called=False):
        httpx.get("https://nowhere.example.org/")
    with pytest.raises(AssertionError), mocked() as mock:
        mock.get("https://unused.example.org/")


def test_other_requests_pass_through_to_the_network(mocked, app):
    with mocked() as mock:
        mock.route(host="127.0.0.1").pass_through()
        mock.get("https://api.example.org/").respond(204)
        with httpx.Client() as client:
            assert client.get("https://api.example.org/").status_code == 204
            assert client.get(app.url + "/json").json()["number"] == 42


def test_mocked_redirects_are_followed(mocked):
    with mocked() as mock:
        mock.get("https://old.example.org/").respond(301, headers={"Location": "https://new.example.org/"})
        mock.get("https://new.example.org/").respond(200, text="here")
        response = httpx.get("https://old.example.org/", follow_redirects=True)
    assert response.text == "here"
    assert [r.status_code for r in response.history] == [301]


def test_streams_are_iterated(mocked):
    with mocked() as mock, httpx.Client() as client:
        mock.get("https://stream.example.org/").respond(200, stream=httpx.ByteStream(b"one two"))
        with client.stream("GET", "https://stream.example.org/") as response:
            assert b"".join(response.iter_bytes()) == b"one two"


def test_the_mock_is_a_transport_of_its_own():
    router = respx.MockRouter(base_url="https://api.example.org")
    router.get("/ping").respond(200, text="pong")
    with httpx.Client(transport=httpx.MockTransport(router.handler), base_url="https://api.example.org") as client:
        assert client.get("/ping").text == "pong"
