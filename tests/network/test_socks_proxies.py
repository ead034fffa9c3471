"""SOCKS5 and SOCKS4a proxies: names are resolved by the proxy, credentials are given, odd answers are errors."""

from __future__ import annotations

import pytest

import httpx
from tests.support.certificates import Authority
from tests.support.proxies import socks4a_proxy, socks5_proxy
from tests.support.servers import respond

pytestmark = pytest.mark.usefixtures("no_leaks")

NAME = "www.example.org"


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def client(runtime, authority):
    """A client that goes through the given proxy."""

    def make(proxy, **settings):
        transport = runtime.transport(proxy=proxy, ssl_context=httpx.SSLContext(verify=authority.pem), **settings)
        return runtime.client(transport=transport, timeout=httpx.Timeout(5))

    return make


@pytest.mark.parametrize("scheme", ["socks5", "socks5h", "socks4a"])
class TestEachVersion:
    @pytest.fixture
    def proxy(self, scheme):
        return socks4a_proxy if scheme == "socks4a" else socks5_proxy

    async def test_names_are_left_to_the_proxy(self, client, scripted, app, scheme, proxy, local_hosts):
        asked: list[str] = []
        server = scripted(proxy({f"{NAME}:80": app.port}, asked=asked))
        async with client(f"{scheme}://{server.authority}") as through:
            for _ in range(2):
                assert (await through.get(f"http://{NAME}/json")).json()["number"] == 42
        assert [line.removesuffix(" as ") for line in asked] == [f"NAME {NAME}:80"]
        assert local_hosts.lookups == []
        assert app.requests[0].headers["host"] == NAME
        assert app.requests[0].target == "/json"

    async def test_tls_is_spoken_with_the_origin(self, client, scripted, app_server, authority, scheme, proxy):
        origin = app_server(ssl_context=authority.server(NAME))
        server = scripted(proxy({f"{NAME}:443": origin.port, "192.0.2.7:443": origin.port}))
        async with client(f"{scheme}://{server.authority}") as through:
            assert (await through.get(f"https://{NAME}/json")).status_code == 200
            response = await through.get("https://192.0.2.7/json", extensions={"sni_hostname": NAME})
            assert response.status_code == 200
            with pytest.raises(httpx.ConnectError, match=r"192\.0\.2\.7"):
                await through.get("https://192.0.2.7/json")

    async def test_addresses_go_as_addresses(self, client, scripted, app, scheme, proxy):
        asked: list[str] = []
        server = scripted(proxy({"192.0.2.7:80": app.port}, asked=asked))
        async with client(f"{scheme}://{server.authority}") as through:
            assert (await through.get("http://192.0.2.7/json")).status_code == 200
        assert asked[0].startswith("IP 192.0.2.7:80")

    async def test_proxy_authorization_is_not_for_the_origin(self, client, scripted, app, scheme, proxy):
        server = scripted(proxy({f"{NAME}:80": app.port}))
        async with client(f"{scheme}://{server.authority}") as through:
            await through.get(f"http://{NAME}/json", headers={"Proxy-Authorization": "Bearer CANARY"})
        assert b"CANARY" not in app.requests[0].head

    async def test_a_refusal_is_a_proxy_error(self, client, scripted, scheme, proxy):
        server = scripted(proxy({}))
        async with client(f"{scheme}://{server.authority}") as through:
            with pytest.raises(httpx.ProxyError, match=f"{NAME}:80") as caught:
                await through.get(f"http://{NAME}/json")
        assert f"127.0.0.1:{server.port}" in str(caught.value)

    async def test_a_proxy_that_never_answers_runs_into_the_connect_timeout(self, client, scripted, scheme, proxy):
        server = scripted(lambda conn: conn.wait_closed())
        async with client(f"{scheme}://{server.authority}") as through:
            with pytest.raises(httpx.ConnectTimeout, match="did not answer SOCKS"):
                await through.get(f"http://{NAME}/", timeout=httpx.Timeout(5, connect=0.1))

    @pytest.mark.parametrize("early", [0, 1, 3, 7, 9])
    async def test_an_answer_that_is_cut_short_is_a_proxy_error(self, client, scripted, scheme, proxy, early):
        def script(conn):
            conn.read_exactly(3)
            answer = b"\x00\x5a" + bytes(6) if scheme == "socks4a" else b"\x05\x00\x05\x00\x00\x01\x7f\x00\x00\x01"
            conn.send(answer[: min(early, len(answer) - 1)])
            conn.socket.shutdown(1)
            conn.wait_closed()

        async with client(f"{scheme}://{scripted(script).authority}") as through:
            with pytest.raises(httpx.ProxyError, match="hung up"):
                await through.get(f"http://{NAME}/")

    async def test_an_answer_in_another_protocol_is_a_proxy_error(self, client, scripted, scheme, proxy):
        def script(conn):
            conn.read_exactly(3)
            conn.send(respond(b"this is a web server", 400))
            conn.wait_closed()

        async with client(f"{scheme}://{scripted(script).authority}") as through:
            with pytest.raises(httpx.ProxyError, match="does not speak this version"):
                await through.get(f"http://{NAME}/")

    async def test_bytes_behind_the_answer_are_never_taken_for_the_origins(self, client, scripted, scheme, proxy):
        def script(conn):
            conn.read_exactly(3)
            if scheme != "socks4a":
                conn.send(b"\x05\x00")
                conn.read_exactly(5)
            answer = b"\x00\x5a" + bytes(6) if scheme == "socks4a" else b"\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x50"
            conn.send(answer + respond(b"EVIL"))
            conn.wait_closed()

        async with client(f"{scheme}://{scripted(script).authority}") as through:
            for target in (f"http://{NAME}/", f"https://{NAME}/"):
                with pytest.raises(httpx.ProxyError, match="data of its own"):
                    await through.get(target)


class TestSocks5:
    async def test_credentials_are_given_to_the_proxy_only(self, client, scripted, app):
        server = scripted(socks5_proxy({f"{NAME}:80": app.port}, credentials=("jürgen", "CANARY")))
        async with client(httpx.Proxy(f"socks5://{server.authority}", auth=("jürgen", "CANARY"))) as through:
            assert (await through.get(f"http://{NAME}/json")).status_code == 200
        assert b"CANARY" not in app.requests[0].head

    @pytest.mark.parametrize("auth", [("user", "WRONG"), None])
    async def test_wrong_credentials_are_a_proxy_error(self, client, scripted, auth):
        server = scripted(socks5_proxy({}, credentials=("user", "secret")))
        async with client(httpx.Proxy(f"socks5://{server.authority}", auth=auth)) as through:
            with pytest.raises(httpx.ProxyError, match=r"did not accept|wants credentials") as caught:
                await through.get(f"http://{NAME}/")
        assert "WRONG" not in str(caught.value)

    async def test_credentials_that_nobody_asks_for_are_not_sent(self, client, scripted, app):
        server = scripted(socks5_proxy({f"{NAME}:80": app.port}))
        async with client(httpx.Proxy(f"socks5://{server.authority}", auth=("user", "secret"))) as through:
            assert (await through.get(f"http://{NAME}/json")).status_code == 200

    @pytest.mark.parametrize("auth", [("u" * 256, "p"), ("u", "p" * 256), ("", "p")])
    async def test_credentials_that_do_not_fit_are_refused_before_connecting(self, client, scripted, auth):
        server = scripted(socks5_proxy({}))
        async with client(httpx.Proxy(f"socks5://{server.authority}", auth=auth)) as through:
            with pytest.raises(httpx.LocalProtocolError, match="1 to 255"):
                await through.get(f"http://{NAME}/")

    async def test_an_ipv6_address_goes_as_such(self, client, scripted, app):
        asked: list[str] = []
        server = scripted(socks5_proxy({"2001:db8::7:80": app.port}, asked=asked))
        async with client(f"socks5://{server.authority}") as through:
            assert (await through.get("http://[2001:db8::7]/json")).status_code == 200
        assert asked == ["IP 2001:db8::7:80"]

    @pytest.mark.parametrize("bound", [b"\x03\xff" + b"n" * 255 + b"\x00\x50", b"\x04" + bytes(18), b"\x03\x00\x00\x50"])
    async def test_the_address_in_the_answer_may_be_of_any_kind(self, client, scripted, app, bound):
        server = scripted(socks5_proxy({f"{NAME}:80": app.port}, bound=bound))
        async with client(f"socks5://{server.authority}") as through:
            assert (await through.get(f"http://{NAME}/json")).status_code == 200

    async def test_the_address_in_the_answer_must_be_of_a_known_kind(self, client, scripted, app):
        server = scripted(socks5_proxy({f"{NAME}:80": app.port}, bound=b"\x07\x00\x00"))
        async with client(f"socks5://{server.authority}") as through:
            with pytest.raises(httpx.ProxyError, match="unknown type, 7"):
                await through.get(f"http://{NAME}/json")

    async def test_an_answer_may_come_byte_by_byte(self, client, scripted, app):
        def slow(conn):
            send = conn.send
            conn.send = lambda data: [send(data[at : at + 1]) for at in range(len(data))]
            socks5_proxy({f"{NAME}:80": app.port})(conn)

        async with client(f"socks5://{scripted(slow).authority}") as through:
            assert (await through.get(f"http://{NAME}/json")).status_code == 200


class TestSocks4a:
    async def test_the_user_name_is_told(self, client, scripted, app):
        asked: list[str] = []
        server = scripted(socks4a_proxy({f"{NAME}:80": app.port}, asked=asked))
        async with client(f"socks4a://user@{server.authority}") as through:
            await through.get(f"http://{NAME}/json")
        assert asked == [f"NAME {NAME}:80 as user"]

    async def test_a_proxy_that_takes_no_names_is_told_from_one_that_does(self, client, scripted):
        def script(conn):
            conn.read_until(b"\0" + NAME.encode() + b"\0")
            conn.send(b"\0\x5b" + bytes(6))
            conn.wait_closed()

        server = scripted(script)
        async with client(f"socks4a://{server.authority}") as through:
            with pytest.raises(httpx.ProxyError, match="rejected") as caught:
                await through.get(f"http://{NAME}/")
        assert "use socks5://" in caught.value.__notes__[0]

    async def test_ipv6_addresses_are_not_to_be_had(self, client, scripted):
        server = scripted(socks4a_proxy({}))
        async with client(f"socks4a://{server.authority}") as through:
            with pytest.raises(httpx.LocalProtocolError, match="SOCKS5"):
                await through.get("http://[2001:db8::7]/")
