"""HTTP proxies: what they are asked, what they are told, and what becomes of their refusals."""

from __future__ import annotations

import threading

import pytest

import httpx
from tests.support.certificates import Authority
from tests.support.proxies import ESTABLISHED, http_proxy
from tests.support.servers import keep_alive, respond

pytestmark = pytest.mark.usefixtures("no_leaks")

NAME = "www.example.org"
TARGET = f"{NAME}:443"


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def context(authority):
    return httpx.SSLContext(verify=authority.pem)


@pytest.fixture
def origin(authority, app_server):
    """An https server for `NAME`, which is behind the proxy only: the name does not resolve here."""
    return app_server(ssl_context=authority.server(NAME))


@pytest.fixture
def client(runtime, context):
    """A client that goes through the given proxy."""

    def make(proxy, **settings):
        transport = runtime.transport(**{"proxy": proxy, "ssl_context": context, **settings})
        return runtime.client(transport=transport, timeout=httpx.Timeout(5))

    return make


def forwards(request):
    return respond(request.target.encode())


class TestForwarding:
    async def test_a_request_for_http_is_sent_whole_to_the_proxy(self, client, scripted):
        proxy = scripted(keep_alive(forwards))
        async with client(proxy.url) as through:
            response = await through.post("http://example.org:8080/path?q=1#fragment", content=b"body")
        assert response.content == b"http://example.org:8080/path?q=1"
        assert response.url == "http://example.org:8080/path?q=1#fragment"
        assert proxy.requests[0].headers["host"] == "example.org:8080"
        assert proxy.requests[0].body == b"body"

    async def test_each_origin_has_its_own_connection_target_and_host(self, client, scripted):
        proxy = scripted(keep_alive(forwards))
        async with client(proxy.url) as through:
            for host in ("one.example", "two.example", "one.example"):
                assert (await through.get(f"http://{host}/")).content == f"http://{host}/".encode()
        assert [request.headers["host"] for request in proxy.requests] == ["one.example", "two.example", "one.example"]
        assert [len(connection.requests) for connection in proxy.connections] == [2, 1]

    async def test_credentials_and_headers_go_with_each_request(self, client, scripted):
        proxy = scripted(keep_alive(forwards))
        settings = httpx.Proxy(proxy.url, auth=("user", "secret"), headers={"X-Proxy": "1", "Host": "evil.example"})
        async with client(settings) as through:
            for _ in range(2):
                response = await through.get("http://example.org/")
        for request in proxy.requests:
            assert request.headers["proxy-authorization"] == "Basic dXNlcjpzZWNyZXQ="
            assert request.headers["x-proxy"] == "1"
            assert request.headers["host"] == "example.org"
        assert "proxy-authorization" not in response.request.headers

    async def test_a_request_says_itself_who_it_is(self, client, scripted):
        proxy = scripted(keep_alive(forwards))
        async with client(httpx.Proxy(proxy.url, auth=("user", "secret"), headers={"X-A": "proxy"})) as through:
            await through.get("http://example.org/", headers={"Proxy-Authorization": "Bearer own", "X-A": "request"})
        assert proxy.requests[0].headers["proxy-authorization"] == "Bearer own"
        assert proxy.requests[0].headers["x-a"] == "request"

    @pytest.mark.parametrize(
        ("target", "sent"), [(b"*", "http://example.org"), (b"/other", "http://example.org/other"), (b"http://a/b", "http://a/b")]
    )
    async def test_a_target_of_ones_own_is_completed(self, client, scripted, target, sent):
        proxy = scripted(keep_alive(forwards))
        async with client(proxy.url) as through:
            response = await through.options("http://example.org/", extensions={"target": target})
        assert response.text == sent

    async def test_a_refusal_is_the_response(self, client, scripted):
        proxy = scripted(http_proxy({}, credentials=("user", "secret")))
        async with client(proxy.url) as through:
            assert (await through.get("http://example.org/")).status_code == 407

    async def test_fields_that_would_break_out_of_their_line_are_refused_before_connecting(self, client, scripted):
        proxy = scripted(keep_alive(forwards))
        async with client(httpx.Proxy(proxy.url, headers={"X": "a\r\nInjected: yes"})) as through:
            with pytest.raises(httpx.LocalProtocolError, match="line break"):
                await through.get("http://example.org/")
            with pytest.raises(httpx.LocalProtocolError, match="line break"):
                await through.get("https://example.org/")
        assert proxy.connections == []


class TestTunnels:
    async def test_a_request_for_https_goes_through_a_tunnel(self, client, scripted, origin):
        proxy = scripted(http_proxy({TARGET: origin.port}))
        async with client(proxy.url) as through:
            for _ in range(3):
                assert (await through.get(f"https://{NAME}/json")).json()["number"] == 42
        assert [request.head for request in proxy.requests] == [f"CONNECT {TARGET} HTTP/1.1\r\nHost: {TARGET}\r\n\r\n".encode()]
        assert [request.target for request in origin.requests] == ["/json"] * 3

    async def test_nothing_of_the_proxy_reaches_the_origin_nor_the_other_way_round(self, client, scripted, origin):
        proxy = scripted(http_proxy({TARGET: origin.port}, credentials=("user", "CANARY")))
        settings = httpx.Proxy(proxy.url.replace("//", "//user:CANARY@"), headers={"X-Proxy": "CANARY"})
        async with client(settings) as through:
            await through.get(f"https://{NAME}/json", headers={"Authorization": "ORIGIN", "Cookie": "a=ORIGIN"})
        assert b"CANARY" not in origin.requests[0].head
        assert b"proxy" not in origin.requests[0].head.lower()
        assert proxy.requests[0].headers["x-proxy"] == "CANARY"
        assert b"ORIGIN" not in proxy.requests[0].head

    async def test_proxy_authorization_on_a_request_goes_to_the_proxy_only(self, client, scripted, origin):
        proxy = scripted(http_proxy({TARGET: origin.port}))
        async with client(httpx.Proxy(proxy.url, auth=("user", "secret"))) as through:
            for value in ("Bearer one", "Bearer two", "Bearer one"):
                response = await through.get(f"https://{NAME}/json", headers={"Proxy-Authorization": value})
                assert response.request.headers["Proxy-Authorization"] == value
            await through.get(f"https://{NAME}/json")
        # Whoever says something else to the proxy gets a tunnel of his own.
        said = [request.headers["proxy-authorization"] for request in proxy.requests]
        assert said == ["Bearer one", "Bearer two", "Basic dXNlcjpzZWNyZXQ="]
        assert all(b"roxy" not in request.head for request in origin.requests)

    async def test_two_proxies_are_never_told_each_others_credentials(self, client, scripted, origin):
        one = scripted(http_proxy({TARGET: origin.port}, credentials=("one", "1")))
        other = scripted(http_proxy({TARGET: origin.port}))
        async with client(httpx.Proxy(one.url, auth=("one", "1"))) as first, client(other.url) as second:
            await first.get(f"https://{NAME}/json")
            await second.get(f"https://{NAME}/json")
        assert "proxy-authorization" not in other.requests[0].headers

    async def test_informational_responses_before_the_answer_are_passed_over(self, client, scripted, origin):
        reply = b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
        proxy = scripted(http_proxy({TARGET: origin.port}, reply=reply))
        async with client(proxy.url) as through:
            assert (await through.get(f"https://{NAME}/json")).status_code == 200

    async def test_an_ipv6_address_is_asked_for_in_brackets(self, client, scripted, authority, app_server):
        server = app_server(ssl_context=authority.server("::1"))
        proxy = scripted(http_proxy({"[::1]:443": server.port}))
        async with client(proxy.url) as through:
            assert (await through.get("https://[::1]/json")).status_code == 200

    async def test_sni_hostname_names_the_origin_and_not_the_proxy(self, client, scripted, origin):
        proxy = scripted(http_proxy({"192.0.2.7:443": origin.port}))
        async with client(proxy.url) as through:
            response = await through.get("https://192.0.2.7/json", extensions={"sni_hostname": NAME})
            assert response.status_code == 200
            with pytest.raises(httpx.ConnectError, match=r"192\.0\.2\.7"):
                await through.get("https://192.0.2.7/json")

    async def test_what_fails_behind_a_proxy_says_that_there_is_one(self, client, scripted):
        """It may be the one that does not let TLS through, or speaks it itself."""
        proxy = scripted(lambda conn: (conn.read_head(), conn.send(ESTABLISHED), conn.read_exactly(5)))
        async with client(proxy.url) as through:
            with pytest.raises(httpx.TLSError, match=NAME) as caught:
                await through.get(f"https://{NAME}/")
        assert f"The connection went through the proxy 127.0.0.1:{proxy.port}." in caught.value.__notes__

    async def test_the_origin_is_verified_behind_a_proxy_too(self, client, scripted, origin):
        proxy = scripted(http_proxy({"other.example:443": origin.port}))
        async with client(proxy.url) as through:
            with pytest.raises(httpx.ConnectError, match=r"other\.example"):
                await through.get("https://other.example/json")
        assert origin.requests == []


class TestRefusals:
    @pytest.mark.parametrize(
        ("reply", "words"),
        [
            (respond(b"EVIL", 407), "407 Proxy Authentication Required"),
            (respond(b"<html>EVIL</html>", 502), "502 Bad Gateway"),
            (respond(b"EVIL", 302, [("Location", "https://evil.example/")]), "302 Found"),
            (b"HTTP/1.1 304 EVIL\r\n\r\n", "304"),
            (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: evil\r\n\r\n", "101"),
            (b"HTTP/1.0 403\r\n\r\n", "403"),
            (b"SSH-2.0-OpenSSH_9.2\r\n", "no proper answer"),
            (b"", "without sending a response"),
            (b"HTTP/1.1 200 OK\r\nX: ", "within the head"),
        ],
    )
    async def test_whatever_is_not_a_success_is_a_proxy_error(self, client, scripted, reply, words):
        def script(conn):
            conn.read_head()
            conn.send(reply)
            conn.socket.shutdown(1)
            conn.wait_closed()

        proxy = scripted(script)
        async with client(proxy.url) as through:
            with pytest.raises(httpx.ProxyError, match=words) as caught:
                await through.get(f"https://{NAME}/json")
        assert f"127.0.0.1:{proxy.port}" in str(caught.value)
        assert caught.value.request.url.host == NAME
        assert "evil" not in str(caught.value).replace("304 EVIL", "")

    async def test_an_answer_without_end_is_cut_off(self, client, scripted):
        def script(conn):
            conn.read_head()
            conn.send(b"HTTP/1.1 200 OK\r\n")
            while True:
                conn.send(b"X-A: b\r\n" * 1000)

        async with client(scripted(script).url) as through:
            with pytest.raises(httpx.ProxyError, match="65536 bytes"):
                await through.get(f"https://{NAME}/json")

    async def test_a_407_says_what_to_do(self, client, scripted):
        proxy = scripted(http_proxy({}, credentials=("user", "secret")))
        async with client(proxy.url) as through:
            with pytest.raises(httpx.ProxyError, match="407") as caught:
                await through.get(f"https://{NAME}/json")
        assert "httpx.Proxy(url, auth=" in caught.value.__notes__[0]
        async with client(httpx.Proxy(proxy.url, auth=("user", "WRONG"))) as through:
            with pytest.raises(httpx.ProxyError, match="407") as caught:
                await through.get(f"https://{NAME}/json")
        assert "did not accept" in caught.value.__notes__[0]
        assert "WRONG" not in str(caught.value)

    async def test_bytes_behind_the_answer_are_never_taken_for_the_origins(self, client, scripted):
        def script(conn):
            conn.read_head()
            conn.send(b"HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nEVIL")
            conn.wait_closed()

        async with client(scripted(script).url) as through:
            with pytest.raises(httpx.ProxyError, match="data of its own"):
                await through.get(f"https://{NAME}/json")

    async def test_bytes_that_follow_the_answer_are_no_handshake(self, client, scripted):
        def script(conn):
            conn.read_head()
            conn.send(b"HTTP/1.1 200 OK\r\n\r\n")
            conn.read_exactly(1)
            conn.send(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nEVIL")
            conn.wait_closed()

        async with client(scripted(script).url) as through:
            with pytest.raises(httpx.ConnectError, match=TARGET):
                await through.get(f"https://{NAME}/json")

    async def test_a_proxy_that_cannot_be_reached_is_named_as_such(self, client, scripted):
        proxy = scripted(http_proxy({}))
        proxy.close()
        async with client(proxy.url) as through:
            with pytest.raises(httpx.ConnectError, match=str(proxy.port)) as caught:
                await through.get(f"https://{NAME}/")
        assert "is the proxy" in caught.value.__notes__[0]

    async def test_a_proxy_that_never_answers_runs_into_the_connect_timeout(self, client, scripted):
        proxy = scripted(lambda conn: conn.wait_closed())
        async with client(proxy.url) as through:
            with pytest.raises(httpx.ConnectTimeout, match="did not answer CONNECT"):
                await through.get(f"https://{NAME}/", timeout=httpx.Timeout(5, connect=0.2))

    async def test_a_proxy_that_drips_its_answer_runs_into_the_connect_timeout(self, client, scripted):
        proxy = scripted(lambda conn: conn.read_head() and conn.drip(b"HTTP/1.1 200 OK\r\nX-A: ", b"b"))
        async with client(proxy.url) as through:
            with pytest.raises(httpx.ConnectTimeout, match="did not answer CONNECT"):
                await through.get(f"https://{NAME}/", timeout=httpx.Timeout(5, connect=0.2))

    async def test_a_user_name_with_a_colon_is_refused(self, client, scripted):
        proxy = scripted(http_proxy({}))
        async with client(httpx.Proxy(proxy.url, auth=("a:b", "c"))) as through:
            with pytest.raises(httpx.LocalProtocolError, match="colon"):
                await through.get(f"https://{NAME}/")


class TestEncryptedProxies:
    """TLS to the proxy; inside it TLS to the origin, or plain requests."""

    @pytest.fixture
    def secure_proxy(self, authority, scripted):
        return lambda script, *names: scripted(script, ssl_context=authority.server(*(names or ("127.0.0.1",))))

    async def test_tls_inside_tls(self, client, secure_proxy, origin, context):
        proxy = secure_proxy(http_proxy({TARGET: origin.port}))
        async with client(httpx.Proxy(proxy.url, ssl_context=context)) as through:
            assert (await through.get(f"https://{NAME}/bytes/1000000")).content[-4:] == (249999).to_bytes(4, "big")
            sent = b"x" * 1_000_000
            response = await through.post(f"https://{NAME}/echo", content=sent)
            assert response.json()["body"] == sent.decode()
            ssl_object = response.extensions["network_stream"].get_extra_info("ssl_object")
            assert ("DNS", NAME) in ssl_object.getpeercert()["subjectAltName"]
        assert len(proxy.connections) == len(origin.connections) == 1

    async def test_requests_for_http_are_encrypted_to_the_proxy(self, client, secure_proxy, context):
        proxy = secure_proxy(keep_alive(forwards))
        async with client(httpx.Proxy(proxy.url, ssl_context=context)) as through:
            for _ in range(2):
                assert (await through.get("http://example.org/")).content == b"http://example.org/"
        assert len(proxy.connections) == 1

    @pytest.mark.parametrize("scheme", ["http", "https"])
    @pytest.mark.parametrize("is_trusted", [True, False])
    async def test_the_proxy_is_verified_before_it_is_told_anything(self, client, secure_proxy, scheme, is_trusted, context):
        proxy = secure_proxy(keep_alive(forwards), *(["other.example"] if is_trusted else []))
        settings = httpx.Proxy(proxy.url, auth=("user", "secret"), ssl_context=context if is_trusted else None)
        async with client(settings) as through:
            with pytest.raises(httpx.ConnectError, match=f"127.0.0.1:{proxy.port}"):
                await through.get(f"{scheme}://{NAME}/")
        assert proxy.requests == []

    async def test_not_verifying_servers_does_not_leave_the_proxy_unverified(self, client, secure_proxy):
        proxy = secure_proxy(keep_alive(forwards))
        async with client(proxy.url, ssl_context=httpx.SSLContext(verify=False)) as through:
            words = rf"127\.0\.0\.1:{proxy.port} is the proxy; its ssl_context= goes to httpx\.Proxy\(url, ssl_context=\.\.\.\)\."
            with pytest.raises(httpx.CertificateVerifyError, match=words):
                await through.get("http://example.org/")
        assert proxy.requests == []

    @pytest.mark.parametrize("scheme", ["http", "https"])
    async def test_a_proxy_that_misses_a_client_certificate_is_called_the_proxy(self, client, scripted, authority, scheme, context):
        """In TLS 1.3 it says so after the handshake, and the end of the connection may overtake it."""
        proxy = scripted(http_proxy({}), ssl_context=authority.server("127.0.0.1", demands_client=True))
        async with client(httpx.Proxy(proxy.url, ssl_context=context)) as through:
            words = rf"client certificate.*127\.0\.0\.1:{proxy.port} is the proxy; its ssl_context= goes to httpx\.Proxy"
            with pytest.raises(httpx.TLSError, match=words):
                await through.get(f"{scheme}://{NAME}/")
        assert proxy.requests == []

    async def test_a_connection_that_is_cut_inside_is_told_from_one_that_ends(self, client, secure_proxy, authority, scripted, context):
        def cuts(conn):
            conn.read_request()
            conn.send(b"HTTP/1.1 200 OK\r\n\r\nhalf of it")
            conn.close(close_notify=conn.requests[0].path == "/whole")

        server = scripted(cuts, ssl_context=authority.server(NAME))
        proxy = secure_proxy(http_proxy({TARGET: server.port}))
        async with client(httpx.Proxy(proxy.url, ssl_context=context)) as through:
            assert (await through.get(f"https://{NAME}/whole")).content == b"half of it"
            with pytest.raises(httpx.RemoteProtocolError, match="close_notify"):
                await through.get(f"https://{NAME}/cut")

    async def test_the_answer_counts_when_the_origin_refuses_an_upload(self, client, secure_proxy, authority, scripted, context):
        def refuse(conn):
            conn.read_head()
            conn.send(respond(b"too large", 413, [("Connection", "close")]))
            conn.wait_closed()

        server = scripted(refuse, ssl_context=authority.server(NAME))
        proxy = secure_proxy(http_proxy({TARGET: server.port}))
        async with client(httpx.Proxy(proxy.url, ssl_context=context)) as through:
            response = await through.post(f"https://{NAME}/", content=b"x" * 3_000_000)
        assert (response.status_code, response.content) == (413, b"too large")

    async def test_a_handshake_inside_that_never_ends_runs_into_the_connect_timeout(self, client, secure_proxy, scripted, context):
        silent = scripted(lambda conn: conn.wait_closed())
        proxy = secure_proxy(http_proxy({TARGET: silent.port}))
        async with client(httpx.Proxy(proxy.url, ssl_context=context)) as through:
            with pytest.raises(httpx.ConnectTimeout, match="TLS handshake"):
                await through.get(f"https://{NAME}/", timeout=httpx.Timeout(5, connect=0.5))


async def test_many_requests_at_once_share_the_tunnels(client, runtime, scripted, origin):
    proxy = scripted(http_proxy({TARGET: origin.port}))
    lock = threading.Lock()
    answers: list[str] = []
    async with client(proxy.url, limits=httpx.Limits(max_connections=4)) as through:

        async def ask(number):
            response = await through.get(f"https://{NAME}/echo/{number}")
            with lock:
                answers.append(response.json()["target"])

        await runtime.gather(*[lambda number=number: ask(number) for number in range(40)])
    assert sorted(answers) == sorted(f"/echo/{number}" for number in range(40))
    assert len(proxy.connections) <= 4


class TestMounts:
    """Several proxies, and none, for one client."""

    async def test_each_proxy_is_told_only_its_own_credentials(self, runtime, scripted, context, origin):
        one = scripted(keep_alive(forwards))
        other = scripted(http_proxy({TARGET: origin.port}))
        mounts = {
            "http://": runtime.transport(proxy=httpx.Proxy(one.url, auth=("one", "CANARY"))),
            "https://": runtime.transport(proxy=other.url, ssl_context=context),
        }
        async with runtime.client(mounts=mounts) as client:
            await client.get("http://example.org/")
            await client.get(f"https://{NAME}/json")
        assert "proxy-authorization" in one.requests[0].headers
        assert "proxy-authorization" not in other.requests[0].headers

    async def test_a_redirect_past_the_proxy_takes_nothing_of_it_along(self, runtime, scripted, app):
        proxy = scripted(keep_alive(lambda request: respond(status=302, headers=[("Location", app.url + "/headers")])))
        settings = httpx.Proxy(proxy.url, auth=("user", "CANARY"), headers={"X-Proxy": "CANARY"})
        mounts = {"all://127.0.0.1": None, "all://": runtime.transport(proxy=settings)}
        async with runtime.client(mounts=mounts, follow_redirects=True) as client:
            for headers in ({}, {"Proxy-Authorization": "Basic CANARY"}):
                response = await client.get("http://example.org/", headers=headers)
                assert "CANARY" not in response.text
                assert "proxy-authorization" not in response.json()
        assert "CANARY" in str(proxy.requests[1].headers)
