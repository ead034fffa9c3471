"""A function in the place of the network."""

from __future__ import annotations

import pytest

import httpx


async def test_a_function_answers(runtime):
    def handler(request):
        return httpx.Response(200, json={"path": request.url.path, "content": request.content.decode()})

    async with runtime.client(transport=httpx.MockTransport(handler)) as client:
        response = await client.post("http://example.org/path", content=iter([b"in ", b"parts"]))
    assert response.json() == {"path": "/path", "content": "in parts"}
    assert response.request.method == "POST"


async def test_a_coroutine_function_answers_an_async_client():
    async def handler(request):
        return httpx.Response(200, text=request.method)

    async with httpx.AsyncClient(transport=httpx.MockTransport(handler)) as client:
        assert (await client.get("http://example.org/")).text == "GET"


async def test_what_is_no_response_is_an_error_of_the_handler(runtime):
    async with runtime.client(transport=httpx.MockTransport(lambda request: "text")) as client:
        with pytest.raises(TypeError, match=r"must return an httpx\.Response, not str"):
            await client.get("http://example.org/")


def test_a_coroutine_function_cannot_answer_a_sync_client():
    async def handler(request):
        return httpx.Response(200)

    with httpx.Client(transport=httpx.MockTransport(handler)) as client, pytest.raises(TypeError, match="async"):
        client.get("http://example.org/")


async def test_exceptions_of_the_handler_are_raised_with_their_request(runtime):
    def handler(request):
        raise httpx.ReadTimeout("mocked")

    async with runtime.client(transport=httpx.MockTransport(handler)) as client:
        with pytest.raises(httpx.ReadTimeout, match="mocked") as caught:
            await client.get("http://example.org/")
    assert caught.value.request.url == "http://example.org/"
