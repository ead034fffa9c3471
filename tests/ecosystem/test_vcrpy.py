"""vcrpy: it patches `handle_request` and `handle_async_request` on the classes of all transports."""

from __future__ import annotations

import gzip

import pytest
import vcr
import yaml
from vcr.errors import CannotOverwriteExistingCassetteException

import httpx
from tests.support.servers import respond


def test_what_was_recorded_is_played_back(app, tmp_path):
    cassette = tmp_path / "cassette.yaml"

    def talk():
        with vcr.use_cassette(str(cassette)) as tape, httpx.Client() as client:
            texts = [client.get(app.url + "/json").text, client.post(app.url + "/echo", json={"a": 1}).text]
            return texts, tape.play_count

    recorded, played = talk()
    assert played == 0
    app.close()
    assert talk() == (recorded, 2)
    assert yaml.safe_load(cassette.read_text())["interactions"][1]["request"]["body"] == '{"a":1}'


async def test_what_an_async_client_recorded_is_played_back(app, tmp_path):
    async def talk():
        with vcr.use_cassette(str(tmp_path / "cassette.yaml")) as tape:
            async with httpx.AsyncClient(follow_redirects=True) as client:
                response = await client.get(app.url + "/redirect/1")
            return response.json()["number"], len(response.history), tape.play_count

    assert await talk() == (42, 1, 0)
    app.close()
    assert await talk() == (42, 1, 2)


def test_compressed_and_streamed_responses_are_played_back(serve, tmp_path):
    packed = gzip.compress(b"text " * 100)
    server = serve(lambda request: respond(packed, headers=[("Content-Encoding", "gzip"), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")]))
    for _ in range(2):
        with vcr.use_cassette(str(tmp_path / "cassette.yaml")), httpx.Client() as client:
            with client.stream("GET", server.url) as response:
                assert b"".join(response.iter_bytes()) == b"text " * 100
            assert dict(client.cookies) == {"a": "1", "b": "2"}
    assert len(server.requests) == 1


def test_what_was_not_recorded_is_an_error(app, tmp_path):
    with vcr.use_cassette(str(tmp_path / "cassette.yaml")), httpx.Client() as client:
        client.get(app.url + "/json")
    with (
        vcr.use_cassette(str(tmp_path / "cassette.yaml"), record_mode="none"),
        httpx.Client() as client,
        pytest.raises(CannotOverwriteExistingCassetteException),
    ):
        client.get(app.url + "/other")


def test_other_transports_are_recorded_too(tmp_path):
    def answer(request):
        return httpx.Response(200, json={"path": request.url.path})

    for _ in range(2):
        with (
            vcr.use_cassette(str(tmp_path / "cassette.yaml")) as tape,
            httpx.Client(transport=httpx.MockTransport(answer)) as client,
        ):
            assert client.get("http://example.org/a").json() == {"path": "/a"}
    assert tape.play_count == 1
