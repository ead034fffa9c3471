"""Settings of a client: where they come from, and where they do not."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest

import httpx
from tests.support.certificates import Authority
from tests.support.servers import respond


async def test_without_trust_env_nothing_is_read_from_the_environment(runtime, scripted, local_hosts, tmp_path, monkeypatch):
    authority = Authority(tmp_path)
    server = scripted(lambda conn: conn.read_request() and conn.send(respond(b"ok")), ssl_context=authority.server("a.test"))
    local_hosts.add("a.test", {443: server.port})
    (tmp_path / ".netrc").write_text("default login user password S\n")
    (tmp_path / ".netrc").chmod(0o600)
    keylog = tmp_path / "keys"
    environment = {
        "HTTP_PROXY": "http://127.0.0.1:1",
        "HTTPS_PROXY": "http://127.0.0.1:1",
        "ALL_PROXY": "http://127.0.0.1:1",
        "NETRC": str(tmp_path / ".netrc"),
        "HOME": str(tmp_path),
        "SSL_CERT_FILE": str(tmp_path / "missing"),
        "SSL_CERT_DIR": str(tmp_path / "missing"),
        "SSLKEYLOGFILE": str(keylog),
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    context = httpx.SSLContext(verify=str(authority.pem))
    async with runtime.client(trust_env=False, ssl_context=context) as client:
        assert not client.trust_env
        assert (await client.get("https://a.test/")).text == "ok"
    assert "authorization" not in server.requests[0].headers
    assert not keylog.exists()


async def test_settings_may_be_changed_between_requests(runtime, app):
    async with runtime.client() as client:
        client.headers = {"X-A": "1"}
        client.params = {"p": "1"}
        client.cookies = {"c": "1"}
        client.auth = ("user", "pass")
        client.timeout = 7
        client.base_url = app.url + "/echo"
        response = await client.get("/x")
        sent = response.json()
        assert response.request.extensions["timeout"] == {"connect": 7, "read": 7, "write": 7, "pool": 7}
    assert sent["target"] == "/echo/x?p=1"
    assert sent["headers"]["x-a"] == "1"
    assert sent["headers"]["cookie"] == "c=1"
    assert sent["headers"]["authorization"].startswith("Basic ")
    assert sent["headers"]["accept"] == "*/*"


async def test_a_request_that_was_built_elsewhere_has_the_clients_time_outs(runtime):
    seen = []

    def handler(request):
        seen.append(request.extensions["timeout"]["read"])
        return httpx.Response(200)

    async with runtime.client(transport=httpx.MockTransport(handler), timeout=7) as client:
        await client.send(httpx.Request("GET", "http://example.org/"))
        await client.send(httpx.Request("GET", "http://example.org/", extensions={"timeout": {"read": 3}}))
    assert seen == [7, 3]


def test_clients_do_not_share_what_they_are_given():
    cookies, hooks, headers = {"a": "1"}, {"request": []}, {"X-A": "1"}
    one, other = (httpx.Client(cookies=cookies, event_hooks=hooks, headers=headers) for _ in range(2))
    one.cookies["b"] = "2"
    one.event_hooks["request"].append(print)
    one.headers["X-B"] = "2"
    assert list(other.cookies) == ["a"]
    assert other.event_hooks["request"] == hooks["request"] == []
    assert "X-B" not in other.headers
    for client in (one, other):
        client.close()


async def test_default_encodings_are_the_clients(runtime, scripted):
    def script(conn):
        while True:
            conn.read_request()
            conn.send(respond("é".encode("latin-1"), headers=[("Content-Type", "text/plain")]))

    url = scripted(script).url
    for encoding in ("latin-1", lambda content: "latin-1"):
        async with runtime.client(default_encoding=encoding) as client:
            assert (await client.get(url)).text == "é"
    async with runtime.client(default_encoding=lambda content: None) as client:
        assert (await client.get(url)).text == "\N{REPLACEMENT CHARACTER}"


def test_use_client_default_is_not_none():
    assert repr(httpx.USE_CLIENT_DEFAULT) == "USE_CLIENT_DEFAULT"
    with httpx.Client(transport=httpx.MockTransport(lambda request: httpx.Response(200)), timeout=7) as client:
        assert client.get("http://a.test/", timeout=None).request.extensions["timeout"]["read"] is None
        assert client.get("http://a.test/", timeout=httpx.USE_CLIENT_DEFAULT).request.extensions["timeout"]["read"] == 7


async def test_an_async_stream_in_a_sync_client_says_so(app):
    async def parts():
        yield b"x"

    with httpx.Client() as client, pytest.raises(RuntimeError, match="async request with a sync Client"):
        client.post(app.url + "/echo", content=parts())
    assert app.requests == []


@pytest.mark.parametrize("value", ["5", [1, 2], {"connect": 1}])
def test_a_time_out_is_a_number_or_none(value):
    for made in (lambda: httpx.Timeout(value), lambda: httpx.Timeout(5, read=value), lambda: httpx.Client(timeout=value)):
        with pytest.raises(TypeError, match="A time-out is a number of seconds, or None"):
            made()
    assert httpx.Timeout(Decimal("0.5"), read=None, total=Fraction(1, 2)).connect == Decimal("0.5")


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"retries": "3"}, "retries= is a number, or an httpx.Retry, not str"),
        ({"rate_limit": 10}, "rate_limit= is an httpx.RateLimit, not int"),
        ({"resolver": {"a.test": "127.0.0.1"}}, "resolver= is an httpx.Resolver, or a function of host name and port, not dict"),
        ({"sensitive_headers": "X-Key"}, r"sensitive_headers= is a list of names, \['X-Key'\], not a str"),
    ],
    ids=repr,
)
def test_a_setting_of_another_type_is_refused_at_once(settings, words):
    for client in (httpx.Client, httpx.AsyncClient):
        with pytest.raises(TypeError, match=words):
            client(**settings)


def test_one_method_is_no_list_of_methods():
    with pytest.raises(TypeError, match=r"methods= is a list of methods, \['POST'\], not a str"):
        httpx.Retry(methods="POST")


@pytest.mark.parametrize("seconds", [float("inf"), 1e10, 10**30])
async def test_a_time_out_beyond_all_measure_is_none(runtime, app, seconds):
    for timeout in (seconds, httpx.Timeout(seconds, total=seconds), httpx.Timeout(httpx.Timeout(5, total=seconds)), (seconds, seconds)):
        async with runtime.client(timeout=timeout) as client:
            assert (await client.get(app.url + "/json")).status_code == 200
            assert (await client.post(app.url + "/echo", content=b"x", timeout=timeout)).status_code == 200
    assert httpx.Timeout(seconds, total=seconds).read == seconds


def test_a_time_out_that_is_no_number_at_all_is_refused():
    for made in (
        lambda: httpx.Timeout(float("nan")),
        lambda: httpx.Timeout(5, total=float("nan")),
        lambda: httpx.Client(timeout=float("nan")),
    ):
        with pytest.raises(ValueError, match="NaN"):
            made()


@pytest.mark.parametrize("place", ["transport", "mounts"])
def test_a_transport_of_the_other_client_is_refused_at_once(place):
    def settings(transport):
        return {place: transport if place == "transport" else {"all://": transport}}

    with pytest.raises(TypeError, match="AsyncHTTPTransport is a transport of an AsyncClient: it has no handle_request"):
        httpx.Client(**settings(httpx.AsyncHTTPTransport()))
    with pytest.raises(TypeError, match="WSGITransport is a transport of a Client: it has no handle_async_request"):
        httpx.AsyncClient(**settings(httpx.WSGITransport(app=lambda environ, start_response: [])))
