"""Cancelled at every single point of its life, a request with all that there is leaves nothing behind."""

from __future__ import annotations

import asyncio

import pytest
import trio

import httpx
from tests.auth.digest_server import DigestServer
from tests.network.test_cancellation import cancel_on_asyncio, cancel_on_trio
from tests.support.leaks import LeakCheck
from tests.support.servers import respond, respond_chunked


class Server(DigestServer):
    """Redirects /start, with a body in pieces, to what needs authentication."""

    def __call__(self, conn):
        while True:
            request = conn.read_request()
            if request.path == "/start":
                head, *rest = respond_chunked([b"x" * 100, b"y"], [("Location", "/end"), ("Set-Cookie", "a=1; Path=/")])
                conn.send_each([head.replace(b"200 OK", b"302 Found"), *rest])
            elif "authorization" in request.headers and self.judge(request, request.headers["authorization"]) == "ok":
                conn.send_each(respond_chunked([b"wel", b"come"]))
            else:
                conn.send(respond(b"who?", 401, [("WWW-Authenticate", self.challenges[0].format(nonce=self.nonce))]))


@pytest.mark.parametrize(("run", "cancel"), [(asyncio.run, cancel_on_asyncio), (trio.run, cancel_on_trio)], ids=["asyncio", "trio"])
def test_every_await_can_be_cancelled_without_a_trace(scripted, run, cancel):
    check = LeakCheck()
    server = scripted(Server())
    transport = httpx.AsyncHTTPTransport(limits=httpx.Limits(max_connections=1))
    seen = []

    async def hook(message):
        seen.append(message)

    async def main():
        step = 1
        hooks = {"request": [hook], "response": [hook]}
        async with httpx.AsyncClient(transport=transport, event_hooks=hooks, timeout=httpx.Timeout(10, pool=2)) as client:

            def get():
                return client.get(server.url + "/start", auth=httpx.DigestAuth("user", "pässword"), follow_redirects=True)

            while await cancel(step, get()):
                assert (await get()).content == b"welcome"
                assert transport._pool.stats().in_use == 0
                step += 1
        assert step > 3

    run(main) if run is trio.run else run(main())
    server.close()
    check.verify()


@pytest.mark.parametrize(("run", "cancel"), [(asyncio.run, cancel_on_asyncio), (trio.run, cancel_on_trio)], ids=["asyncio", "trio"])
def test_nor_does_a_request_to_an_application(run, cancel):
    running = []

    async def app(scope, receive, send):
        running.append(scope)
        try:
            while (await receive()).get("more_body"):
                pass
            await send({"type": "http.response.start", "status": 200, "headers": []})
            for number in range(3):
                await send({"type": "http.response.body", "body": b"x", "more_body": number < 2})
        finally:
            running.pop()

    async def parts():
        yield b"a"
        yield b"b"

    async def main():
        step = 1
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://app") as client:
            while await cancel(step, client.post("/", content=parts())):
                assert (await client.post("/", content=parts())).content == b"xxx"
                step += 1
        assert step > 3
        await (trio if run is trio.run else asyncio).sleep(0)

    run(main) if run is trio.run else run(main())
    assert running == []
