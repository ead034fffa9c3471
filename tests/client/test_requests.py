"""Requests and responses end to end, against a well-behaved server, on every runtime."""

from __future__ import annotations

import json

import pytest

import httpx
from tests.support.servers import keep_alive, respond


async def test_a_get_is_answered_and_read(no_leaks, runtime, app):
    async with runtime.client() as client:
        response = await client.get(app.url + "/json")
    assert response.status_code == 200
    assert response.reason_phrase == "OK"
    assert response.http_version == "HTTP/1.1"
    assert response.json() == json.loads(response.text)
    assert str(response.url) == app.url + "/json"
    assert response.elapsed.total_seconds() > 0


@pytest.mark.parametrize("method", ["get", "options", "head", "post", "put", "patch", "delete"])
async def test_each_method_has_its_function(runtime, app, method):
    async with runtime.client() as client:
        response = await getattr(client, method)(app.url + "/echo")
    assert response.status_code == 200
    assert app.requests[0].method == method.upper()


async def test_default_headers_name_the_client_and_what_it_accepts(runtime, app):
    async with runtime.client(headers={"X-Client": "1"}) as client:
        await client.get(app.url + "/headers", headers={"X-Request": "2", "Accept": "text/plain"})
    sent = app.requests[0].headers
    assert sent["host"] == app.authority
    assert sent["accept"] == "text/plain"
    assert sent["connection"] == "keep-alive"
    assert sent["user-agent"] == f"python-httpx/{httpx.__version__}"
    assert (sent["x-client"], sent["x-request"]) == ("1", "2")


async def test_changed_client_headers_apply_to_the_next_request(runtime, app):
    async with runtime.client() as client:
        await client.get(app.url + "/headers")
        client.headers["X-Later"] = "1"
        await client.get(app.url + "/headers")
        del client.headers["X-Later"]
        await client.get(app.url + "/headers")
    assert [request.headers.get("x-later") for request in app.requests] == [None, "1", None]


async def test_content_of_whatever_size_is_framed_as_it_is(runtime, app):
    # Sizes come again, with and without cookies, and with more sizes between them than are remembered.
    async with runtime.client() as client:
        for cookies in ({}, {"a": "1"}, {"a": "2"}, {}):
            client.cookies = cookies
            for size in [*range(12), 3, 3, 0]:
                await client.post(app.url + "/echo", json="x" * size)
                assert app.requests[-1].body == b'"' + b"x" * size + b'"'
                assert app.requests[-1].headers["content-length"] == str(size + 2)
                assert app.requests[-1].headers["content-type"] == "application/json"
                assert app.requests[-1].headers.get("cookie") == ("a=" + cookies["a"] if cookies else None)
                await client.put(app.url + "/echo", content=b"x" * size)
                assert app.requests[-1].body == b"x" * size
                assert "content-type" not in app.requests[-1].headers


async def test_headers_of_one_request_do_not_reach_the_next(runtime, app):
    async with runtime.client() as client:
        request = client.build_request("GET", app.url + "/headers")
        request.headers["X-Once"] = "1"
        await client.send(request)
        await client.get(app.url + "/headers")
    assert [request.headers.get("x-once") for request in app.requests] == ["1", None]


async def test_header_names_keep_their_case_and_order_on_the_wire(runtime, app):
    async with runtime.client() as client:
        await client.get(app.url + "/headers", headers=[("X-B", "1"), ("x-a", "2"), ("X-B", "3")])
    names = [name for name, _ in app.requests[0].raw_headers]
    assert names[0] == b"Host"
    assert names[-3:] == [b"X-B", b"x-a", b"X-B"]


async def test_params_are_merged_with_those_of_the_client(runtime, app):
    async with runtime.client(params={"a": "1"}) as client:
        await client.get(app.url + "/echo", params={"b": "x y"})
        await client.get(app.url + "/echo?c=3")
    assert [request.target for request in app.requests] == ["/echo?a=1&b=x+y", "/echo?c=3&a=1"]


@pytest.mark.parametrize(
    ("base", "url", "target"),
    [("/v1", "/json", "/v1/json"), ("/v1/", "json", "/v1/json"), ("/v1?key=a", "json?q=b", "/v1/json?key=a&q=b"), ("", "/json", "/json")],
)
async def test_relative_urls_are_appended_to_the_base_url(runtime, app, base, url, target):
    async with runtime.client(base_url=app.url + base) as client:
        await client.get(url)
    assert app.requests[0].target == target


CONTENTS = {
    "bytes": lambda: b"hello",
    "text": lambda: "hello",
    "iterator": lambda: iter([b"he", b"", b"llo"]),
    "list": lambda: [b"hel", b"lo"],
}


@pytest.mark.parametrize("make", CONTENTS.values(), ids=CONTENTS.keys())
async def test_content_of_every_kind_arrives_whole(no_leaks, runtime, app, make):
    async with runtime.client() as client:
        response = await client.post(app.url + "/echo", content=make())
        again = await client.get(app.url + "/json")
    assert response.status_code == again.status_code == 200
    assert app.requests[0].body == b"hello"
    assert ("content-length" in app.requests[0].headers) != ("transfer-encoding" in app.requests[0].headers)
    assert len(app.connections) == 1


async def test_async_content_is_streamed_by_async_clients(runtime, app):
    async def parts():
        yield b"hel"
        yield b"lo"

    async with runtime.client() as client:
        if runtime.is_async:
            await client.post(app.url + "/echo", content=parts())
            assert app.requests[0].body == b"hello"
        else:
            with pytest.raises(RuntimeError, match="async request with a sync Client"):
                await client.post(app.url + "/echo", content=parts())


async def test_json_is_sent_compact_and_declared(runtime, app):
    async with runtime.client() as client:
        await client.post(app.url + "/echo", json={"a": [1, "é"]})
    assert app.requests[0].body == '{"a":[1,"é"]}'.encode()
    assert app.requests[0].headers["content-type"] == "application/json"


@pytest.mark.parametrize("size", [100_000, 3_000_000])
async def test_a_large_body_goes_both_ways(no_leaks, runtime, scripted, size):
    content = bytes(range(256)) * (size // 256)

    def echo(conn):
        while True:
            conn.send(respond(conn.read_request().body))

    server = scripted(echo)
    async with runtime.client() as client:
        for _ in range(2):
            response = await client.post(server.url, content=content)
            assert response.content == content
    assert len(server.connections) == 1


async def test_a_streamed_response_is_iterated_as_it_arrives(no_leaks, runtime, app):
    async with runtime.client() as client:
        async with client.stream("GET", app.url + "/chunked/5") as response:
            assert not response.is_closed
            pieces = [piece async for piece in response.aiter_bytes()]
        assert response.is_closed
        assert response.is_stream_consumed
        whole = (await client.get(app.url + "/chunked/5")).content
        assert b"".join(pieces) == whole
    assert len(app.connections) == 1


async def test_lines_are_iterated_without_their_breaks(runtime, app):
    async with runtime.client() as client, client.stream("GET", app.url + "/stream/3") as response:
        lines = [line async for line in response.aiter_lines()]
    assert len(lines) == 3
    assert not any(line.endswith("\n") for line in lines)


async def test_a_body_is_streamed_only_once_and_only_while_open(runtime, app):
    async with runtime.client() as client:
        async with client.stream("GET", app.url + "/chunked/3") as response:
            with pytest.raises(httpx.ResponseNotRead):
                _ = response.content
            async for _ in response.aiter_raw():
                pass
            with pytest.raises(httpx.StreamConsumed):
                async for _ in response.aiter_raw():
                    pass
        async with client.stream("GET", app.url + "/chunked/3") as response:
            await response.aclose()
            with pytest.raises(httpx.StreamClosed):
                await response.aread()


async def test_leaving_a_stream_early_closes_its_connection_and_the_next_request_works(no_leaks, runtime, app):
    async with runtime.client() as client:
        async with client.stream("GET", app.url + "/bytes/5000000") as response:
            async for _ in response.aiter_bytes():
                break
        assert (await client.get(app.url + "/json")).status_code == 200
    assert len(app.connections) == 2


async def test_raise_for_status_returns_the_response_or_raises_with_the_beginning_of_its_text(runtime, scripted):
    server = scripted(
        lambda conn: [conn.send(respond(b"no such thing" if conn.read_request().path == "/x" else b"", s)) for s in (200, 404)]
    )
    async with runtime.client() as client:
        response = await client.get(server.url)
        assert response.raise_for_status() is getattr(response, "wrapped", response)
        with pytest.raises(httpx.HTTPStatusError, match="404 Not Found") as caught:
            (await client.get(server.url + "/x")).raise_for_status()
    assert "no such thing" in str(caught.value)
    assert caught.value.response.status_code == 404


async def test_a_closed_client_says_so(runtime, app):
    client = runtime.client()
    await client.get(app.url + "/json")
    await client.aclose()
    assert client.is_closed
    with pytest.raises(RuntimeError, match="closed"):
        await client.get(app.url + "/json")


async def test_trailers_are_kept(runtime, scripted):
    def script(conn):
        conn.read_request()
        conn.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nX-Sum: 7\r\n\r\n")
        conn.wait_closed()

    async with runtime.client() as client:
        response = await client.get(scripted(script).url)
    assert response.extensions["trailers"] == [(b"X-Sum", b"7")]


async def test_the_body_waits_for_100_continue_and_is_not_sent_after_a_refusal(runtime, scripted):
    def script(conn):
        head = conn.read_head()
        conn.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        conn.send(respond(conn.read_body(head)))
        conn.read_head()
        conn.send(respond(b"", 417))
        assert conn.wait_closed() == b""

    server = scripted(script)
    async with runtime.client(headers={"Expect": "100-continue"}) as client:
        assert (await client.post(server.url, content=b"wanted")).content == b"wanted"
        assert (await client.post(server.url, content=b"not wanted")).status_code == 417


def test_the_top_level_functions_send_one_request_each(no_leaks, app):
    for method in ("get", "options", "head", "post", "put", "patch", "delete"):
        assert getattr(httpx, method)(app.url + "/echo").status_code == 200
    assert httpx.request("GET", app.url + "/json").status_code == 200
    with httpx.stream("GET", app.url + "/bytes/100000") as response:
        assert len(response.read()) == 100_000
    assert len(app.connections) == 9


async def test_an_upgraded_connection_is_the_callers(no_leaks, runtime, scripted):
    def script(conn):
        conn.read_request()
        conn.send(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: upgrade\r\n\r\nfirst")
        conn.send(conn.read_exactly(4))
        conn.wait_closed()

    async with runtime.client() as client:
        headers = {"Upgrade": "echo", "Connection": "upgrade"}
        async with client.stream("GET", scripted(script).url, headers=headers) as response:
            assert response.status_code == 101
            stream = response.extensions["network_stream"]
            if runtime.is_async:
                first = await stream.read(100)
                await stream.write(b"ping")
                second = await stream.read(100)
            else:
                first = stream.read(100)
                stream.write(b"ping")
                second = stream.read(100)
    assert (first, second) == (b"first", b"ping")


async def test_fields_on_content_join_those_of_the_client(runtime, scripted):
    heads = []

    def answer(request):
        heads.append(request.head)
        return respond()

    server = scripted(keep_alive(answer))
    async with runtime.client(headers={"X-Own": "1"}) as client:
        await client.get(server.url)
        await client.post(server.url, json={"a": 1})
        await client.post(server.url, content=iter([b"part"]))
        await client.get(server.url)
        client.headers["Content-Type"] = "text/x-own"
        await client.post(server.url, content=b"text")
    own = b"X-Own: 1\r\n"
    assert [head.partition(own)[2] for head in heads] == [
        b"\r\n",
        b"Content-Length: 7\r\nContent-Type: application/json\r\n\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n",
        b"\r\n",
        b"Content-Type: text/x-own\r\nContent-Length: 4\r\n\r\n",
    ]
