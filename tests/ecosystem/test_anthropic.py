"""The Anthropic client, 0.x (on HTTPX)."""

from __future__ import annotations

import anthropic
import pytest

import httpx
from tests.ecosystem.chat import BROKEN, BUSY, LIMITED, anthropic_answer, failing_first

HELLO = {"model": "m1", "max_tokens": 10, "messages": [{"role": "user", "content": "Say hello."}]}


def client_for(server, **settings):
    return anthropic.Anthropic(base_url=server.url, api_key="key", **settings)


def async_client_for(server, **settings):
    return anthropic.AsyncAnthropic(base_url=server.url, api_key="key", **settings)


def test_a_message(serve):
    server = serve(anthropic_answer)
    with client_for(server) as client:
        message = client.messages.create(**HELLO)
    assert message.content[0].text == "Hello, wörld!"
    assert server.requests[0].headers["anthropic-version"] == "2023-06-01"


async def test_a_message_of_the_async_client(serve):
    async with async_client_for(serve(anthropic_answer)) as client:
        assert (await client.messages.create(**HELLO)).content[0].text == "Hello, wörld!"


def test_a_streamed_message(serve):
    with client_for(serve(anthropic_answer)) as client, client.messages.stream(**HELLO) as stream:
        assert list(stream.text_stream) == ["Hello", ", ", "wörld", "!"]
        assert stream.get_final_message().stop_reason == "end_turn"


async def test_a_streamed_message_of_the_async_client(serve):
    async with async_client_for(serve(anthropic_answer)) as client, client.messages.stream(**HELLO) as stream:
        assert [text async for text in stream.text_stream] == ["Hello", ", ", "wörld", "!"]
        assert (await stream.get_final_message()).content[0].text == "Hello, wörld!"


def test_a_file_is_uploaded(serve):
    with client_for(serve(anthropic_answer)) as client:
        uploaded = client.beta.files.upload(file=("notes.txt", b"content", "text/plain"))
    assert (uploaded.filename, uploaded.size_bytes) == ("notes.txt", 7)


async def test_a_file_is_uploaded_by_the_async_client(serve, tmp_path):
    path = tmp_path / "notes.txt"
    path.write_bytes(b"content")
    async with async_client_for(serve(anthropic_answer)) as client:
        uploaded = await client.beta.files.upload(file=path)
    assert (uploaded.filename, uploaded.size_bytes) == ("notes.txt", 7)


def test_failures_are_retried(serve):
    server = serve(failing_first(anthropic_answer, BUSY, LIMITED, BROKEN))
    with client_for(server, max_retries=3) as client:
        assert client.messages.create(**HELLO).content[0].text == "Hello, wörld!"
    assert len(server.requests) == 4


def test_an_error_has_its_status_and_body(serve):
    with (
        anthropic.Anthropic(base_url=serve(anthropic_answer).url, api_key="wrong") as client,
        pytest.raises(anthropic.AuthenticationError) as caught,
    ):
        client.messages.create(**HELLO)
    assert (caught.value.status_code, caught.value.body["error"]["message"]) == (401, "no key")


async def test_a_slow_server_is_a_timeout(app):
    async with anthropic.AsyncAnthropic(base_url=app.url + "/wait", api_key="key", timeout=0.05, max_retries=0) as client:
        with pytest.raises(anthropic.APITimeoutError) as caught:
            await client.get("/slow", cast_to=httpx.Response)
    assert isinstance(caught.value.__cause__, httpx.ReadTimeout)


def test_a_client_of_ones_own_is_used(serve):
    seen = []
    with anthropic.DefaultHttpxClient(event_hooks={"request": [seen.append]}, timeout=httpx.Timeout(9)) as own:
        client = client_for(serve(anthropic_answer), http_client=own)
        assert client.timeout == httpx.Timeout(9)
        client.messages.create(**HELLO)
    assert [request.url.path for request in seen] == ["/v1/messages"]
