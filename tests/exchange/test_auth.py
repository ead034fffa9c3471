"""How requests are authenticated: what is chosen, and how a flow is driven."""

from __future__ import annotations

import base64

import pytest

import httpx
from tests.support.servers import respond

pytestmark = pytest.mark.usefixtures("no_leaks")


def basic(name, password):
    return "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()


def sent(app):
    return [request.headers.get("authorization") for request in app.requests]


async def test_what_authentication_may_be(runtime, app):
    def sign(request):
        request.headers["Authorization"] = f"Signed {request.method}"
        return request

    async with runtime.client() as client:
        for auth in [("user", "pä:ss"), (b"user", b"bytes"), httpx.BasicAuth("user", "x"), sign, httpx.FunctionAuth(sign), httpx.Auth()]:
            await client.get(app.url, auth=auth)
    assert sent(app) == [basic("user", "pä:ss"), basic("user", "bytes"), basic("user", "x"), "Signed GET", "Signed GET", None]


async def test_which_authentication_is_chosen(runtime, app):
    with_credentials = app.url.replace("://", "://in%40url:p%3Aw@")
    async with runtime.client(auth=("of", "client")) as client:
        await client.get(app.url)
        await client.get(app.url, auth=("of", "request"))
        await client.get(app.url, auth=None)
        await client.get(with_credentials)
        await client.get(with_credentials, auth=None)
        client.auth = None
        await client.get(with_credentials)
        await client.get(app.url)
        async with client.stream("GET", app.url, auth=("for", "stream")) as response:
            await response.aread()
    in_url = basic("in@url", "p:w")
    assert sent(app) == [
        basic("of", "client"),
        basic("of", "request"),
        None,
        basic("of", "client"),
        in_url,
        in_url,
        None,
        basic("for", "stream"),
    ]


@pytest.mark.parametrize("auth", ["user:canary", ("canary",), 7, ["user", "canary"]])
def test_authentication_of_another_kind_is_refused_without_being_shown(auth):
    with pytest.raises(TypeError, match='Invalid "auth" argument') as caught:
        httpx.Client(auth=auth)
    assert "canary" not in str(caught.value)


def test_a_user_name_with_a_colon_cannot_be_sent():
    with pytest.raises(ValueError, match="colon"):
        httpx.BasicAuth("a:b", "c")
    assert httpx.BasicAuth("u\r\nX: y".replace(":", ""), "p\r\n")._auth_header.isprintable()


async def test_netrc_names_the_password_for_a_host_or_none(runtime, scripted, tmp_path, local_hosts):
    def script(conn):
        while True:
            request = conn.read_request()
            to = {"a.test": "http://b.test/"}.get(request.headers["host"])
            conn.send(respond(b"", 302, [("Location", to)]) if to else respond(b""))

    server = scripted(script)
    for host in ("a.test", "b.test", "c.test", "d.test"):
        local_hosts.add(host, {80: server.port})
    file = tmp_path / "netrc"
    file.write_text("machine a.test login user password S\nmachine c.test login user\ndefault login bob\n")
    async with runtime.client(auth=httpx.NetRCAuth(file), follow_redirects=True) as client:
        for host in ("a.test", "c.test", "d.test"):
            await client.get(f"http://{host}/")
    assert [(request.headers["host"], request.headers.get("authorization")) for request in server.requests] == [
        ("a.test", basic("user", "S")),
        ("b.test", None),
        ("c.test", None),
        ("d.test", None),
    ]


async def test_no_netrc_file_is_read_unasked(runtime, app, tmp_path, monkeypatch):
    (tmp_path / ".netrc").write_text("default login user password S\n")
    (tmp_path / ".netrc").chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    async with runtime.client() as client:
        await client.get(app.url)
        await client.get(app.url, auth=httpx.NetRCAuth())
    assert sent(app) == [None, basic("user", "S")]


class Ping(httpx.Auth):
    """Asks another route first, and sends what it answers."""

    requires_response_body = True

    def auth_flow(self, request):
        response = yield httpx.Request("GET", request.url.copy_with(path="/bytes/3"))
        request.headers["Authorization"] = f"Pong {response.content.hex()}"
        yield request


async def test_a_flow_may_send_other_requests_and_see_their_bodies(runtime, app):
    async with runtime.client() as client:
        response = await client.get(app.url + "/json", auth=Ping())
    assert response.json()["number"] == 42
    assert [str(passed.url) for passed in response.history] == [app.url + "/bytes/3"]
    assert sent(app) == [None, "Pong 000000"]


async def test_a_flow_may_need_the_content_of_the_request(runtime, app):
    class Signed(httpx.Auth):
        requires_request_body = True

        def auth_flow(self, request):
            request.headers["Authorization"] = f"Sum {sum(request.content)}"
            yield request

    async with runtime.client(auth=Signed()) as client:
        await client.post(app.url + "/echo", content=iter([b"\x01\x02", b"\x03"]))
    assert sent(app) == ["Sum 6"]
    assert app.requests[0].body == b"\x01\x02\x03"


async def test_sync_and_async_flows_of_their_own_are_used(runtime, app):
    class Both(httpx.Auth):
        def sync_auth_flow(self, request):
            request.headers["Authorization"] = "sync"
            yield request

        async def async_auth_flow(self, request):
            request.headers["Authorization"] = "async"
            response = yield request
            assert response.status_code == 200

    async with runtime.client(auth=Both()) as client:
        await client.get(app.url)
    assert sent(app) == ["async" if runtime.is_async else "sync"]


class Log(httpx.Auth):
    def __init__(self, then):
        self.then = then
        self.closed = 0

    def auth_flow(self, request):
        try:
            response = yield request
            yield from self.then(request, response)
        finally:
            self.closed += 1


def raises(request, response):
    raise LookupError("of the flow")
    yield


def never_ends(request, response):
    while True:
        yield request


async def test_a_flow_that_raises_passes_its_exception_on_and_leaves_the_connection_free(runtime, app):
    auth = Log(raises)
    async with runtime.client() as client:
        for _ in range(2):
            with pytest.raises(LookupError, match="of the flow"):
                await client.get(app.url + "/bytes/100000", auth=auth)
        assert (await client.get(app.url)).status_code == 200
    assert auth.closed == 2


async def test_a_flow_that_never_ends_is_ended(runtime, app):
    auth = Log(never_ends)
    async with runtime.client() as client:
        with pytest.raises(httpx.RequestError, match="did not end") as caught:
            await client.get(app.url, auth=auth)
    assert caught.value.request.url == app.url
    assert auth.closed == 1


async def test_a_flow_is_closed_when_sending_fails(runtime, scripted):
    server = scripted(lambda conn: conn.read_request() and None)
    auth = Log(raises)
    async with runtime.client() as client:
        with pytest.raises(httpx.RemoteProtocolError):
            await client.get(server.url, auth=auth)
    assert auth.closed == 1


async def test_a_flow_without_a_request_says_so(runtime, app):
    class Nothing(httpx.Auth):
        def sync_auth_flow(self, request):
            return
            yield

        async def async_auth_flow(self, request):
            return
            yield

    async with runtime.client() as client:
        with pytest.raises(RuntimeError, match="Nothing ended without a request"):
            await client.get(app.url, auth=Nothing())


def test_flows_run_without_a_client():
    request = httpx.Request("GET", "https://example.org/")
    flow = httpx.BasicAuth("user", "pass").sync_auth_flow(request)
    assert next(flow).headers["authorization"] == basic("user", "pass")
    with pytest.raises(StopIteration):
        flow.send(httpx.Response(200, request=request))


def test_neither_repr_nor_attributes_of_a_client_show_the_password():
    auths = [httpx.BasicAuth("user", "canary"), httpx.DigestAuth("user", "canary")]
    assert not any("canary" in repr(auth) for auth in auths)
