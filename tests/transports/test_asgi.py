"""ASGI applications as the other side of an AsyncClient."""

from __future__ import annotations

import contextvars

import pytest

import httpx
from httpx._network.base import wake
from httpx._network.runtime import current_network
from tests.support.runtimes import RUNTIMES


@pytest.fixture(params=[name for name, runtime in RUNTIMES.items() if runtime.is_async])
def runtime(request):
    if request.param == "uvloop":
        pytest.importorskip("uvloop", reason="uvloop is not available on this platform")
    return RUNTIMES[request.param]


def client(app, **settings):
    return httpx.AsyncClient(transport=httpx.ASGITransport(app, **settings), base_url="http://testserver")


async def respond(send, body=b"", status=200, headers=()):
    await send({"type": "http.response.start", "status": status, "headers": list(headers)})
    await send({"type": "http.response.body", "body": body})


async def hello(scope, receive, send):
    await respond(send, b"Hello, World!", headers=[(b"content-type", b"text/plain"), (b"x-scheme", scope["scheme"].encode())])


async def echo(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    more = True
    while more:
        message = await receive()
        more = message.get("more_body", False)
        await send({"type": "http.response.body", "body": message["body"], "more_body": more})


async def test_an_application_answers(runtime):
    async with client(hello) as c:
        response = await c.get("/")
    assert response.status_code == 200
    assert response.text == "Hello, World!"
    assert response.headers["x-scheme"] == "http"
    assert response.http_version == "HTTP/1.1"
    assert response.elapsed.total_seconds() >= 0


async def test_what_the_application_is_told(runtime):
    seen = {}

    async def app(scope, receive, send):
        seen.update(scope)
        await respond(send)

    async with client(app, root_path="/mounted", client=("1.2.3.4", 5)) as c:
        await c.get("/a%2Fb/ü?q=%20", headers=[("X-Two", "1"), ("X-Two", "2")])
    assert seen["type"] == "http"
    assert seen["method"] == "GET"
    assert seen["path"] == "/a/b/ü"
    assert seen["raw_path"] == b"/a%2Fb/%C3%BC"
    assert seen["query_string"] == b"q=%20"
    assert seen["root_path"] == "/mounted"
    assert seen["server"] == ("testserver", 80)
    assert seen["client"] == ("1.2.3.4", 5)
    assert [value for name, value in seen["headers"] if name == b"x-two"] == [b"1", b"2"]
    assert (b"host", b"testserver") in seen["headers"]


async def test_content_of_every_kind_reaches_the_application(runtime, tmp_path):
    async def parts():
        yield b"first,"
        yield b"second"

    (tmp_path / "file").write_bytes(b"from a file")
    async with client(echo) as c:
        assert (await c.post("/", content=b"bytes")).content == b"bytes"
        assert (await c.post("/", content=parts())).content == b"first,second"
        assert (await c.post("/", content=iter([b"sync,", b"too"]))).content == b"sync,too"
        with open(tmp_path / "file", "rb") as file:
            assert (await c.post("/", content=file)).content == b"from a file"
            assert b"from a file" in (await c.post("/", files={"f": file})).content
        assert (await c.post("/", json={"a": 1})).json() == {"a": 1}


async def test_both_directions_are_streamed_piece_by_piece(runtime):
    """The client sends its next piece only once it has seen the last one come back."""
    came_back = []

    async def parts():
        for number in range(5):
            assert len(came_back) >= number - 2
            yield b"%d" % number

    async with client(echo) as c, c.stream("POST", "/", content=parts()) as response:
        async for piece in response.aiter_raw():
            came_back.append(piece)
    assert b"".join(came_back) == b"01234"


async def test_an_endless_response_is_left_and_the_application_sees_it(runtime):
    ended = []

    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        try:
            while True:
                await send({"type": "http.response.body", "body": b"more", "more_body": True})
        except OSError:
            ended.append((await receive())["type"])

    async with client(app) as c, c.stream("GET", "/") as response:
        async for piece in response.aiter_raw():
            assert piece == b"more"
            break
    assert ended == ["http.disconnect"]


async def test_an_application_that_listens_for_the_disconnect_hears_it(runtime):
    heard = []

    async def app(scope, receive, send):
        await receive()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"piece", "more_body": True})
        heard.append((await receive())["type"])

    async with client(app) as c, c.stream("GET", "/"):
        assert heard == []
    assert heard == ["http.disconnect"]


async def test_an_application_that_ignores_the_disconnect_is_cancelled(runtime, monkeypatch):
    monkeypatch.setattr("httpx._transports.asgi._GRACE", 0.01)
    network = current_network()
    cleaned_up = []

    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        try:
            await network.waiter()
        finally:
            cleaned_up.append(True)

    async with client(app) as c, c.stream("GET", "/"):
        pass
    assert cleaned_up == [True]


async def test_after_the_response_receive_tells_of_the_disconnect(runtime):
    heard = []

    async def app(scope, receive, send):
        await receive()
        await respond(send, b"done")
        heard.append((await receive())["type"])

    async with client(app) as c:
        assert (await c.get("/")).content == b"done"
    assert heard == ["http.disconnect"]


async def test_what_an_application_does_after_its_response_is_done_when_the_client_has_it(runtime):
    done = []

    async def app(scope, receive, send):
        await respond(send, b"done")
        done.append("in the background")

    async with client(app) as c:
        await c.get("/")
        assert done == ["in the background"]


async def raises(scope, receive, send):
    raise LookupError("before the response")


async def raises_within(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"piece", "more_body": True})
    raise LookupError("within the response")


async def raises_after(scope, receive, send):
    await respond(send, b"handled", status=500)
    raise LookupError("after the response")


@pytest.mark.parametrize("app", [raises, raises_within, raises_after])
async def test_exceptions_of_the_application_are_raised(runtime, app):
    async with client(app) as c:
        for _ in range(2):
            with pytest.raises(LookupError, match="the response"):
                await c.get("/")


async def test_or_reported_as_a_server_would(runtime):
    for app, status in ((raises, 500), (raises_after, 500)):
        async with client(app, raise_app_exceptions=False) as c:
            assert (await c.get("/")).status_code == status
    async with client(raises_within, raise_app_exceptions=False) as c:
        with pytest.raises(httpx.RemoteProtocolError, match="within the body") as caught:
            await c.get("/")
        assert isinstance(caught.value.__cause__, LookupError)


async def says_nothing(scope, receive, send):
    return


async def starts_only(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})


async def stops_early(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"piece", "more_body": True})


@pytest.mark.parametrize("app", [says_nothing, starts_only, stops_early])
async def test_an_application_that_does_not_finish_its_response_breaks_the_protocol(runtime, app):
    async with client(app) as c:
        with pytest.raises(httpx.RemoteProtocolError, match="ASGI application ended"):
            await c.get("/")


@pytest.mark.parametrize(
    "messages",
    [
        [{"type": "http.response.body"}],
        [{"type": "http.response.start", "status": 200}] * 2,
        [{"type": "http.response.start", "status": 200}, {"type": "http.response.body"}, {"type": "http.response.body"}],
        [{"type": "websocket.accept"}],
    ],
)
async def test_messages_out_of_order_are_the_applications_error(runtime, messages):
    async def app(scope, receive, send):
        for message in messages:
            await send(message)

    async with client(app) as c:
        with pytest.raises(RuntimeError, match="The application sent"):
            await c.get("/")


async def test_a_head_request_has_no_body(runtime):
    async with client(hello) as c:
        assert (await c.head("/")).content == b""


async def test_redirects_cookies_and_hooks_work_as_over_the_network(runtime):
    async def app(scope, receive, send):
        if scope["path"] == "/":
            await respond(send, status=302, headers=[(b"location", b"/there"), (b"set-cookie", b"a=1; Path=/")])
        else:
            await respond(send, dict(scope["headers"]).get(b"cookie", b""))

    async with client(app) as c:
        response = await c.get("/", follow_redirects=True)
    assert response.content == b"a=1"
    assert len(response.history) == 1


async def test_requests_run_beside_each_other(runtime):
    order = []

    async def app(scope, receive, send):
        order.append(("start", scope["path"]))
        if scope["path"] == "/first":
            await waiter
        else:
            wake(waiter)
        order.append(("end", scope["path"]))
        await respond(send)

    waiter = current_network().waiter()
    async with client(app) as c:
        await runtime.gather(lambda: c.get("/first"), lambda: c.get("/second"))
    assert len(order) == 4


async def test_context_variables_reach_the_application(runtime):
    variable = contextvars.ContextVar("variable", default="unset")

    async def app(scope, receive, send):
        await respond(send, variable.get().encode())

    variable.set("set")
    async with client(app) as c:
        assert (await c.get("/")).text == "set"


async def test_a_generator_of_content_is_closed_when_nobody_reads_it(runtime):
    closed = []

    async def parts():
        try:
            yield b"first"
            yield b"second"
        finally:
            closed.append(True)

    async def app(scope, receive, send):
        await receive()
        await respond(send, b"enough")

    async with client(app) as c:
        assert (await c.post("/", content=parts())).content == b"enough"
    assert closed == [True]
