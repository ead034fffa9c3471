"""The `trace` extension: what is told, in which order."""

from __future__ import annotations

import pytest

import httpx
from tests.support.http2 import keep_alive_http2
from tests.support.servers import respond

SENDING = ["send_request_headers", "send_request_body", "receive_response_headers", "receive_response_body", "response_closed"]


class Listener:
    def __init__(self, runtime):
        self.told = []
        self.extension = {"trace": self.listen_async if runtime.is_async else self.listen}

    def listen(self, event, info):
        self.told.append((event, info))

    async def listen_async(self, event, info):
        self.listen(event, info)

    @property
    def events(self):
        return [event for event, _ in self.told]


def steps(*names):
    return [f"{name}.{state}" for name in names for state in ("started", "complete")]


async def test_each_step_is_told(runtime, app):
    first, second = Listener(runtime), Listener(runtime)
    async with runtime.client() as client:
        response = await client.post(app.url + "/echo", content=b"abc", extensions=first.extension)
        await client.get(app.url + "/chunked/100000", extensions=second.extension)
        await client.get(app.url + "/json")
    over_http = steps(*(f"http11.{name}" for name in SENDING))
    assert first.events == steps("connection.connect_tcp") + over_http
    assert second.events == over_http
    told = dict(first.told)
    assert told["connection.connect_tcp.started"]["port"] == app.port
    assert told["http11.send_request_headers.started"]["request"].method == "POST"
    version, status, reason, headers = told["http11.receive_response_headers.complete"]["return_value"]
    assert (version, status, reason) == (b"HTTP/1.1", 200, b"OK")
    assert headers == response.headers.raw


async def test_tls_is_told(runtime, app_server, authority):
    server = app_server(ssl_context=authority.server("localhost"))
    listener = Listener(runtime)
    async with runtime.client(ssl_context=httpx.SSLContext(verify=str(authority.pem))) as client:
        await client.get(f"https://localhost:{server.port}/json", extensions=listener.extension)
    assert listener.events[:4] == steps("connection.connect_tcp", "connection.start_tls")
    assert dict(listener.told)["connection.start_tls.started"]["server_hostname"] == "localhost"


async def test_content_in_parts(runtime, app):
    listener = Listener(runtime)
    async with runtime.client() as client:
        await client.post(app.url + "/echo", content=[b"a" * 100_000, b"b"], extensions=listener.extension)
    assert listener.events == steps("connection.connect_tcp", *(f"http11.{name}" for name in SENDING))


async def test_http2(runtime, scripted):
    listener = Listener(runtime)
    transport = runtime.transport(http1=False, http2=True)
    async with runtime.client(transport=transport) as client:
        response = await client.get(scripted(keep_alive_http2(lambda fields, body: b"")).url, extensions=listener.extension)
    assert listener.events == steps("connection.connect_tcp", *(f"http2.{name}" for name in SENDING))
    assert response.timings.wait > 0


async def test_failures_are_told(runtime, scripted):
    server = scripted(lambda conn: conn.read_request())
    listener = Listener(runtime)
    async with runtime.client() as client:
        with pytest.raises(httpx.RemoteProtocolError) as caught:
            await client.get(server.url, extensions=listener.extension)
        assert listener.events[-1] == "http11.receive_response_headers.failed"
        assert listener.told[-1][1]["exception"] is caught.value
        server.close()
        with pytest.raises(httpx.ConnectError) as caught:
            await client.get(server.url, extensions=listener.extension)
    assert listener.told[-1] == ("connection.connect_tcp.failed", {"exception": caught.value})


async def test_a_body_that_breaks_off(runtime, scripted):
    def cuts(conn):
        conn.read_request()
        conn.send(respond(b"whole")[:-1])

    listener = Listener(runtime)
    async with runtime.client() as client:
        with pytest.raises(httpx.RemoteProtocolError):
            await client.get(scripted(cuts).url, extensions=listener.extension)
    assert listener.events[-1] == "http11.receive_response_body.failed"


@pytest.mark.parametrize(
    "event",
    ["connection.connect_tcp.started", "connection.connect_tcp.complete", "http11.send_request_headers.started",
     "http11.receive_response_headers.complete", "http11.receive_response_body.started", "http11.response_closed.complete"],
)  # fmt: skip
async def test_a_function_that_raises_leaves_nothing_behind(no_leaks, runtime, app, event):
    class Refusal(Exception):
        pass

    def refuse(told, info):
        if told == event:
            raise Refusal

    async with runtime.client() as client:
        for path in ("/json", "/chunked/100000"):
            with pytest.raises(Refusal):
                await client.get(app.url + path, extensions={"trace": refuse})
            if event.startswith("connection"):
                break
        assert client.pool_stats().in_use == 0
        assert (await client.get(app.url + "/json")).status_code == 200


def test_a_coroutine_function_is_for_async_clients(app):
    async def listen(event, info):
        raise AssertionError("never awaited")

    with httpx.Client() as client, pytest.raises(TypeError, match="AsyncClient"):
        client.get(app.url, extensions={"trace": listen})


async def test_an_async_client_takes_plain_functions(app):
    told = []
    async with httpx.AsyncClient() as client:
        await client.get(app.url, extensions={"trace": lambda event, info: told.append(event)})
    assert told[-1] == "http11.response_closed.complete"
