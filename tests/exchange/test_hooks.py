"""Event hooks see every request and every response, and may stop them."""

from __future__ import annotations

import pytest

import httpx

pytestmark = pytest.mark.usefixtures("no_leaks")


def hook(runtime, function):
    """`function` as the kind of hook that the runtime's client takes."""
    if not runtime.is_async:
        return function

    async def coroutine(message):
        return function(message)

    return coroutine


async def test_hooks_see_each_request_and_response_in_order(runtime, app):
    seen = []
    hooks = {
        "request": [hook(runtime, lambda request: seen.append(("request", request.url.path)))],
        "response": [hook(runtime, lambda response: seen.append(("response", response.status_code, response.is_closed)))],
    }
    async with runtime.client(event_hooks=hooks, follow_redirects=True) as client:
        await client.get(app.url + "/redirect/1")
    assert seen == [("request", "/redirect/1"), ("response", 302, False), ("request", "/json"), ("response", 200, False)]


async def test_hooks_may_change_what_is_sent_and_read_what_comes(runtime, app):
    def mark(request):
        request.headers["X-Marked"] = "1"

    bodies = []

    def read(response):
        bodies.append(response.read())

    async def aread(response):
        bodies.append(await response.aread())

    async with runtime.client() as client:
        client.event_hooks["request"].append(hook(runtime, mark))
        client.event_hooks["response"] = [aread if runtime.is_async else read]
        response = await client.get(app.url + "/headers")
    assert response.json()["x-marked"] == "1"
    assert bodies == [response.content]


async def test_a_hook_of_requests_that_raises_keeps_the_request_from_being_sent(runtime, app):
    def refuse(request):
        raise PermissionError("not allowed")

    async with runtime.client(event_hooks={"request": [hook(runtime, refuse)]}) as client:
        with pytest.raises(PermissionError, match="not allowed"):
            await client.get(app.url)
    assert app.requests == []


async def test_a_hook_of_responses_that_raises_closes_the_response(runtime, app):
    seen = []

    def check(response):
        seen.append(response)
        response.raise_for_status()

    async with runtime.client(event_hooks={"response": [hook(runtime, check)]}) as client:
        with pytest.raises(httpx.HTTPStatusError) as caught:
            await client.get(app.url + "/status/500")
        assert (await client.get(app.url + "/bytes/100000")).status_code == 200
    assert caught.value.response is seen[0]
    assert seen[0].is_closed


async def test_hooks_are_replaced_as_a_whole_and_only_two_events_have_some(runtime, app):
    seen = []
    client = runtime.client(event_hooks={"request": [hook(runtime, seen.append)]})
    client.event_hooks = {"response": [], "other": [seen.append]}
    assert client.event_hooks == {"request": [], "response": []}
    async with client:
        await client.get(app.url)
    assert seen == []


async def test_a_plain_function_will_do_for_an_async_client(app):
    seen = []
    async with httpx.AsyncClient(event_hooks={"request": [seen.append], "response": [seen.append]}) as client:
        await client.get(app.url)
    assert [type(message) for message in seen] == [httpx.Request, httpx.Response]
