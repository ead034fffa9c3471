"""Redirects: where they lead, what goes there, and what must not."""

from __future__ import annotations

import gzip
import itertools
import time
from pathlib import Path

import pytest

import httpx
from tests.support.servers import respond, respond_chunked, respond_json

pytestmark = pytest.mark.usefixtures("no_leaks")


@pytest.fixture
def redirecting(scripted):
    """Starts a server that answers with what `answer` returns: a Location, or a (status, Location), or None for 200."""

    def start(answer, **settings):
        def script(conn):
            while True:
                request = conn.read_request()
                told = answer(request)
                if told is None:
                    conn.send(respond_json({"headers": request.headers, "target": request.target}))
                elif isinstance(told, bytes):
                    conn.send(told)
                else:
                    status, location = told if isinstance(told, tuple) else (302, told)
                    conn.send(respond(status=status, headers=[("Location", location)]))

        return scripted(script, **settings)

    return start


@pytest.fixture
def two_origins(redirecting):
    """A server that redirects everything to another one, with 302 or the status in its path; both record what they get."""
    target = redirecting(lambda request: None)
    source = redirecting(lambda request: (int(request.path[1:] or 302), f"{target.url}/landed"))
    return source, target


async def test_a_redirect_is_returned_unless_following_is_asked_for(runtime, app):
    async with runtime.client() as client:
        response = await client.get(app.url + "/redirect/2")
        assert response.status_code == 302
        assert response.has_redirect_location
        assert response.next_request.url == app.url + "/redirect/1"
        following = await client.send(response.next_request)
        assert following.next_request.url == app.url + "/json"
        landed = await client.get(app.url + "/redirect/2", follow_redirects=True)
    assert landed.status_code == 200
    assert landed.next_request is None
    assert [str(passed.url) for passed in landed.history] == [app.url + "/redirect/2", app.url + "/redirect/1"]
    assert [len(passed.history) for passed in landed.history] == [0, 1]
    assert landed.url == app.url + "/json"
    assert len(app.connections) == 1


async def test_following_is_a_setting_of_the_client_and_of_one_request(runtime, app):
    async with runtime.client(follow_redirects=True) as client:
        assert (await client.get(app.url + "/redirect/1")).status_code == 200
        assert (await client.get(app.url + "/redirect/1", follow_redirects=False)).status_code == 302
        client.follow_redirects = False
        assert (await client.get(app.url + "/redirect/1")).status_code == 302
        async with client.stream("GET", app.url + "/redirect/1", follow_redirects=True) as response:
            assert not response.is_closed
            assert len(response.history) == 1
            await response.aread()


async def test_no_more_redirects_are_followed_than_allowed(runtime, redirecting):
    server = redirecting(lambda request: "/pong" if request.path == "/ping" else "/ping")
    async with runtime.client(follow_redirects=True, max_redirects=3) as client:
        with pytest.raises(httpx.TooManyRedirects, match=r"Exceeded maximum allowed redirects\. 3 were followed") as caught:
            await client.get(server.url + "/ping")
        assert caught.value.request.url == server.url + "/ping"
        assert [request.path for request in server.requests] == ["/ping", "/pong", "/ping", "/pong"]
        client.max_redirects = 0
        with pytest.raises(httpx.TooManyRedirects):
            await client.get(server.url + "/ping")
    assert len(server.requests) == 5


async def test_as_many_redirects_as_allowed_are_followed(runtime, app):
    async with runtime.client(follow_redirects=True) as client:
        response = await client.get(app.url + "/redirect/20")
        assert len(response.history) == 20
        with pytest.raises(httpx.TooManyRedirects):
            await client.get(app.url + "/redirect/21")


@pytest.mark.parametrize(
    ("status", "method", "followed_with"),
    [
        (301, "POST", "GET"),
        (302, "POST", "GET"),
        (303, "POST", "GET"),
        (303, "PUT", "GET"),
        (303, "DELETE", "GET"),
        (303, "HEAD", "HEAD"),
        (301, "PUT", "PUT"),
        (302, "DELETE", "DELETE"),
        (302, "HEAD", "HEAD"),
        (307, "POST", "POST"),
        (308, "PUT", "PUT"),
    ],
)
async def test_the_method_follows_rfc_9110(runtime, two_origins, status, method, followed_with):
    source, target = two_origins
    async with runtime.client(follow_redirects=True) as client:
        await client.request(method, f"{source.url}/{status}")
    assert target.requests[0].method == followed_with


@pytest.mark.parametrize("status", [301, 302, 303])
async def test_content_that_is_left_behind_takes_its_fields_along(runtime, two_origins, status):
    source, target = two_origins
    headers = {"Content-Type": "text/x", "Content-Encoding": "x", "Content-Language": "de", "X-Kept": "1"}
    async with runtime.client(follow_redirects=True) as client:
        await client.post(f"{source.url}/{status}", content=iter([b"con", b"tent"]), headers=headers)
    arrived = target.requests[0]
    assert arrived.method == "GET"
    assert arrived.body == b""
    assert {name for name in arrived.headers if name.startswith(("content-", "transfer-"))} == set()
    assert arrived.headers["x-kept"] == "1"


@pytest.mark.parametrize("status", [307, 308])
async def test_content_that_can_be_repeated_is_sent_again(runtime, two_origins, status):
    source, target = two_origins
    async with runtime.client(follow_redirects=True) as client:
        response = await client.post(f"{source.url}/{status}", json={"a": 1}, headers={"X-Kept": "1"})
        assert response.request.content == b'{"a":1}'
    arrived = target.requests[0]
    assert (arrived.method, arrived.body) == ("POST", b'{"a":1}')
    assert arrived.headers["content-type"] == "application/json"


async def test_content_that_is_gone_is_an_error_and_never_sent_as_if_it_were_whole(runtime, two_origins):
    source, target = two_origins
    async with runtime.client(follow_redirects=True) as client:
        with pytest.raises(httpx.StreamConsumed):
            await client.post(f"{source.url}/307", content=iter([b"only", b"once"]))
        assert (await client.get(target.url)).status_code == 200
    assert [request.method for request in target.requests] == ["GET"]


@pytest.mark.parametrize(
    ("location", "leads_to"),
    [
        ("/absolute", "/absolute"),
        ("sibling?q=1", "/folder/sibling?q=1"),
        ("../up", "/up"),
        ("?only=query", "/folder/page?only=query"),
        ("/a%2Fb/%7Euser?X-Sig=a%2Bb+c%20d&e=%E4", "/a%2Fb/%7Euser?X-Sig=a%2Bb+c%20d&e=%E4"),
        ("/sp ace/ü", "/sp%20ace/%C3%BC"),
        (b"/latin-1/\xe4?\xfc", "/latin-1/%E4?%FC"),
        ("", "/folder/page"),
    ],
)
async def test_where_a_location_leads(runtime, redirecting, location, leads_to):
    def answer(request):
        return None if server_has_redirected() else (302, location)

    calls = itertools.count()

    def server_has_redirected():
        return next(calls) > 0

    def answer_bytes(request):
        told = answer(request)
        return told and b"HTTP/1.1 302 Found\r\nLocation: %b\r\nContent-Length: 0\r\n\r\n" % (
            location if isinstance(location, bytes) else location.encode()
        )

    server = redirecting(answer_bytes)
    async with runtime.client(follow_redirects=True) as client:
        await client.get(server.url + "/folder/page")
    assert server.requests[1].target == leads_to


@pytest.mark.parametrize(
    ("asked", "location", "fragment"), [("/a#here", "/b", "here"), ("/a#here", "/b#there", "there"), ("/a", "/b#there", "there")]
)
async def test_the_fragment_is_kept_unless_the_location_has_its_own(runtime, redirecting, asked, location, fragment):
    server = redirecting(lambda request: location if request.path == "/a" else None)
    async with runtime.client(follow_redirects=True) as client:
        response = await client.get(server.url + asked)
    assert response.url.fragment == fragment
    assert server.requests[1].target == "/b"


async def test_a_place_that_was_led_to_before_keeps_no_fragment_of_that_time(runtime, redirecting):
    server = redirecting(lambda request: f"{server.url}/b" if request.path == "/a" else None)
    async with runtime.client(follow_redirects=True) as client:
        for fragment in ("one", "two", ""):
            response = await client.get(f"{server.url}/a#{fragment}")
            assert response.url.fragment == fragment


async def test_a_location_may_be_long(runtime, redirecting):
    server = redirecting(lambda request: f"{server.url}/b?{'x' * 5000}" if request.path == "/a" else None)
    async with runtime.client(follow_redirects=True) as client:
        await client.get(server.url + "/a")
    assert server.requests[1].target == f"/b?{'x' * 5000}"


@pytest.mark.parametrize(
    "location",
    [
        b"http://[::1/",
        b"http://a.test:99999/",
        b"http:///path",
        b"http://a b.test/",
        b"http://\xff.test/",
        b"http://0x7f.1/",
    ],
)
async def test_a_location_that_is_no_url_is_the_servers_error_and_only_for_who_would_follow(runtime, redirecting, location):
    server = redirecting(lambda request: b"HTTP/1.1 302 Found\r\nLocation: %b\r\nContent-Length: 0\r\n\r\n" % location)
    async with runtime.client() as client:
        response = await client.get(server.url)
        assert response.status_code == 302
        assert response.next_request is None
        with pytest.raises(httpx.RemoteProtocolError, match="Invalid URL in location header") as caught:
            await client.get(server.url, follow_redirects=True)
    assert caught.value.request.url == server.url


async def test_a_location_with_a_port_and_no_host_means_the_same_host(runtime, redirecting):
    target = redirecting(lambda request: None)
    source = redirecting(lambda request: f"http://:{target.port}/there")
    async with runtime.client(follow_redirects=True) as client:
        response = await client.get(source.url)
    assert response.url == target.url + "/there"


async def test_the_first_of_several_locations_counts_and_one_on_a_200_does_not(runtime, redirecting):
    def answer(request):
        if request.path == "/several":
            return b"HTTP/1.1 302 Found\r\nLocation: /first\r\nLocation: /second\r\nContent-Length: 0\r\n\r\n"
        return respond(b"here", headers=[("Location", "/elsewhere")])

    server = redirecting(answer)
    async with runtime.client(follow_redirects=True) as client:
        response = await client.get(server.url + "/several")
    assert response.content == b"here"
    assert [request.path for request in server.requests] == ["/several", "/first"]


async def test_a_scheme_that_cannot_be_requested_is_said_to_be_so(runtime, redirecting):
    server = redirecting(lambda request: "ftp://example.org/")
    async with runtime.client(follow_redirects=True) as client:
        with pytest.raises(httpx.UnsupportedProtocol, match="ftp"):
            await client.get(server.url)


async def test_many_dots_are_resolved_in_no_time(runtime, redirecting):
    server = redirecting(lambda request: "../" * 20_000 + "end" if request.path == "/start" else None)
    async with runtime.client(follow_redirects=True) as client:
        started = time.process_time()
        response = await client.get(server.url + "/start")
    assert response.url.path == "/end"
    assert time.process_time() - started < 5  # quadratic would be minutes


# What may go to another origin.

SECRETS = {
    "Authorization": "Bearer S",
    "Proxy-Authorization": "Basic S",
    "Cookie": "sid=S",
    "X-API-Key": "S",
    "Api-Key": "S",
    "X-Auth-Token": "S",
    "Private-Token": "S",
    "X-Amz-Security-Token": "S",
}


async def test_credentials_do_not_go_to_another_origin(runtime, two_origins):
    source, target = two_origins
    async with runtime.client(follow_redirects=True, headers={**SECRETS, "X-Kept": "1"}) as client:
        await client.get(source.url)
    assert {name.lower() for name in SECRETS} <= set(source.requests[0].headers)
    assert {name.lower() for name in SECRETS} & set(target.requests[0].headers) == set()
    assert target.requests[0].headers["x-kept"] == "1"


async def test_credentials_stay_within_their_origin(runtime, redirecting):
    server = redirecting(lambda request: "/there" if request.path == "/here" else None)
    async with runtime.client(follow_redirects=True, headers=SECRETS) as client:
        await client.get(server.url + "/here")
    assert {name.lower() for name in SECRETS} <= set(server.requests[1].headers)


async def test_every_copy_of_a_credential_is_dropped(runtime, two_origins):
    source, target = two_origins
    headers = [("Authorization", "S1"), ("authorization", "S2"), ("AUTHORIZATION", "S3")]
    async with runtime.client(follow_redirects=True) as client:
        await client.get(source.url, headers=headers)
    assert "authorization" not in target.requests[0].headers


def test_the_documentation_lists_every_field_that_counts_as_a_credential():
    page = (Path(__file__).parents[2] / "docs" / "redirects.md").read_text(encoding="utf-8").lower()
    with httpx.Client() as client:
        assert [name for name in sorted(client.sensitive_headers) if f"`{name}`" not in page] == []


async def test_which_fields_hold_credentials_is_adjustable(runtime, two_origins):
    source, target = two_origins
    headers = {"X-Mine": "S", "X-API-Key": "shared", "Authorization": "S"}
    async with runtime.client(follow_redirects=True, sensitive_headers=["X-Mine"]) as client:
        assert "x-api-key" in client.sensitive_headers
        await client.get(source.url, headers=headers)
        client.sensitive_headers = client.sensitive_headers - {"x-api-key"}
        await client.get(source.url, headers=headers)
        client.sensitive_headers = frozenset()
        await client.get(source.url, headers=headers)
    first, second, third = (set(request.headers) for request in target.requests)
    assert {"x-mine", "x-api-key", "authorization"} & first == set()
    assert {"x-mine", "x-api-key", "authorization"} & second == {"x-api-key"}
    assert {"x-mine", "x-api-key", "authorization"} & third == {"x-mine", "x-api-key"}


async def test_what_was_dropped_stays_dropped_for_the_rest_of_the_way(runtime, redirecting):
    last = redirecting(lambda request: "/again" if request.path == "/once" else None)
    first = redirecting(lambda request: last.url + "/once")
    async with runtime.client(follow_redirects=True, headers={"X-API-Key": "S"}, auth=("user", "S")) as client:
        await client.get(first.url)
    assert [request.path for request in last.requests] == ["/once", "/again"]
    for request in last.requests:
        assert {"authorization", "x-api-key"} & set(request.headers) == set()


@pytest.mark.parametrize("where", ["url", "client", "request"])
async def test_authentication_is_for_the_server_that_was_asked(runtime, two_origins, where):
    source, target = two_origins
    url = source.url.replace("://", "://user:S@") if where == "url" else source.url
    settings = {"auth": ("user", "S")}
    async with runtime.client(follow_redirects=True, **(settings if where == "client" else {})) as client:
        await client.get(url, **(settings if where == "request" else {}))
    assert source.requests[0].headers["authorization"].startswith("Basic ")
    assert "authorization" not in target.requests[0].headers


async def test_following_by_hand_authenticates_nobody_to_another_origin(runtime, two_origins):
    source, target = two_origins
    async with runtime.client(auth=("user", "S")) as client:
        response = await client.get(source.url)
        await client.send(response.next_request)
        await client.send(response.next_request, auth=("for", "them"))
    first, second = target.requests
    assert "authorization" not in first.headers
    assert second.headers["authorization"].startswith("Basic ")


async def test_a_name_and_password_in_a_location_are_not_sent(runtime, redirecting):
    target = redirecting(lambda request: None)
    source = redirecting(lambda request: target.url.replace("://", "://chosen:bythem@") + "/x")
    async with runtime.client() as client:
        await client.get(source.url, follow_redirects=True)
        await client.send((await client.get(source.url)).next_request)
    for request in target.requests:
        assert "authorization" not in request.headers


@pytest.mark.parametrize("host", ["sub.a.test", "nota.test", "a.test.b.test", "a.test."])
async def test_a_similar_name_is_another_origin(runtime, redirecting, local_hosts, host):
    server = redirecting(lambda request: f"http://{host}/" if request.path == "/start" else None)
    for name in ("a.test", host.rstrip(".")):
        local_hosts.add(name, {80: server.port})
    async with runtime.client(follow_redirects=True, headers={"Authorization": "S"}) as client:
        await client.get("http://a.test/start")
    assert "authorization" in server.requests[0].headers
    assert "authorization" not in server.requests[1].headers


@pytest.fixture
def plain_and_tls(redirecting, tmp_path, local_hosts):
    """a.test with both of its default ports; each redirects /start to the other one. With a context that trusts it."""
    from tests.support.certificates import Authority

    authority = Authority(tmp_path)
    tls = redirecting(lambda request: "http://a.test/end" if request.path == "/start" else None, ssl_context=authority.server("a.test"))
    plain = redirecting(lambda request: "https://a.test/end" if request.path == "/start" else None)
    local_hosts.add("a.test", {80: plain.port, 443: tls.port})
    return plain, tls, httpx.SSLContext(verify=str(authority.pem))


async def test_credentials_go_from_http_to_https_but_never_back(runtime, plain_and_tls):
    plain, tls, context = plain_and_tls
    async with runtime.client(follow_redirects=True, ssl_context=context, headers={"Authorization": "S", "Cookie": "S"}) as client:
        await client.get("http://a.test/start")
        await client.get("https://a.test/start")
    assert {"authorization", "cookie"} <= set(tls.requests[0].headers)
    assert {"authorization", "cookie"} & set(plain.requests[1].headers) == set()


async def test_a_host_of_the_users_own_is_for_one_origin(runtime, redirecting):
    target = redirecting(lambda request: None)
    source = redirecting(lambda request: "/here" if request.path == "/start" else f"{target.url}/there")
    async with runtime.client(follow_redirects=True) as client:
        await client.get(source.url + "/start", headers={"Host": "internal"})
    assert [request.headers["host"] for request in source.requests] == ["internal", "internal"]
    assert target.requests[0].headers["host"] == target.authority


async def test_a_target_of_the_users_own_is_for_one_request(runtime, redirecting):
    server = redirecting(lambda request: "/there" if request.target == "/odd%zz" else None)
    async with runtime.client(follow_redirects=True) as client:
        await client.get(server.url + "/here", extensions={"target": b"/odd%zz"})
    assert [request.target for request in server.requests] == ["/odd%zz", "/there"]


async def test_headers_of_a_redirect_may_be_decided_by_a_subclass(runtime, two_origins):
    source, target = two_origins
    base = httpx.AsyncClient if runtime.is_async else httpx.Client

    class Careful(base):
        def _redirect_headers(self, request, url, method):
            headers = super()._redirect_headers(request, url, method)
            headers.pop("x-private", None)
            return headers

    client = runtime.client(follow_redirects=True)
    subclassed = client if runtime.is_async else client.wrapped
    subclassed.__class__ = Careful
    async with client:
        await client.get(source.url, headers={"X-Private": "S", "X-Public": "1"})
    assert "x-private" not in target.requests[0].headers
    assert target.requests[0].headers["x-public"] == "1"


async def test_a_subclass_may_send_the_same_headers_on(runtime, redirecting):
    answer = respond(status=302, headers=[("Location", "/there"), ("Set-Cookie", "a=1")])
    server = redirecting(lambda request: answer if request.target == "/here" else None)
    base = httpx.AsyncClient if runtime.is_async else httpx.Client

    class Careless(base):
        def _redirect_headers(self, request, url, method):
            return request.headers

    client = runtime.client(follow_redirects=True)
    (client if runtime.is_async else client.wrapped).__class__ = Careless
    async with client:
        response = await client.get(server.url + "/here")
    assert [request.headers.get("cookie") for request in server.requests] == [None, "a=1"]
    assert "cookie" not in response.history[0].request.headers


@pytest.mark.parametrize("follow", [True, False])
async def test_the_request_that_follows_may_be_made_by_a_subclass(runtime, redirecting, follow):
    server = redirecting(lambda request: "/there" if request.path == "/here" else None)
    base = httpx.AsyncClient if runtime.is_async else httpx.Client

    class Signing(base):
        def _build_redirect_request(self, request, response):
            asked = super()._build_redirect_request(request, response)
            asked.headers["X-Signature"] = f"{response.status_code} {asked.url.path}"
            return asked

    client = runtime.client(follow_redirects=follow)
    subclassed = client if runtime.is_async else client.wrapped
    subclassed.__class__ = Signing
    async with client:
        response = await client.get(server.url + "/here")
        if not follow:
            await client.send(response.next_request)
    assert server.requests[1].headers["x-signature"] == "302 /there"


# Cookies.


async def test_cookies_that_a_redirect_sets_are_sent_where_it_leads(runtime, redirecting):
    def answer(request):
        if request.path == "/login":
            return b"HTTP/1.1 303 See Other\r\nLocation: /account\r\nSet-Cookie: sid=1; Path=/\r\nContent-Length: 0\r\n\r\n"
        return None

    server = redirecting(answer)
    async with runtime.client(follow_redirects=True) as client:
        await client.post(server.url + "/login")
        assert client.cookies["sid"] == "1"
    assert [request.headers.get("cookie") for request in server.requests] == [None, "sid=1"]


async def test_cookies_go_where_they_belong_and_nowhere_else(runtime, redirecting, local_hosts):
    server = redirecting(lambda request: "http://b.test/" if request.path == "/start" else None)
    for name in ("a.test", "b.test"):
        local_hosts.add(name, {80: server.port})
    async with runtime.client(follow_redirects=True, cookies={"client": "S"}) as client:
        await client.get("http://a.test/start", cookies={"request": "S"})
        await client.get("http://b.test/")
        await client.get("http://a.test/")
    sent = [request.headers.get("cookie") for request in server.requests]
    assert sorted(sent[0].split("; ")) == ["client=S", "request=S"]
    assert sent[1:] == [None, None, "client=S"]


async def test_what_a_redirect_sets_is_added_to_a_cookie_field_of_the_callers(runtime, redirecting):
    def answer(request):
        if request.path != "/login":
            return None
        set_cookies = "Set-Cookie: sid=new; Path=/\r\nSet-Cookie: csrf=1; Path=/\r\n"
        return f"HTTP/1.1 302 Found\r\nLocation: /account\r\n{set_cookies}Content-Length: 0\r\n\r\n".encode()

    server = redirecting(answer)
    async with runtime.client(follow_redirects=True) as client:
        await client.get(server.url + "/login", headers={"Cookie": "sid=old; theme=dark"})
    assert [request.headers.get("cookie") for request in server.requests] == ["sid=old; theme=dark", "theme=dark; sid=new; csrf=1"]


async def test_cookies_of_one_request_and_a_cookie_field_follow_within_the_origin(runtime, redirecting):
    server = redirecting(lambda request: "/there" if request.path == "/here" else None)
    async with runtime.client(follow_redirects=True) as client:
        await client.get(server.url + "/here", cookies={"a": "1"})
        await client.get(server.url + "/here", headers={"Cookie": "b=2"})
        await client.get(server.url + "/there")
    assert [request.headers.get("cookie") for request in server.requests] == ["a=1", "a=1", "b=2", "b=2", None]


async def test_cookies_change_from_hop_to_hop_and_fields_that_were_added_stay(runtime, redirecting):
    def answer(request):
        step = int(request.path[1:])
        cookies = [f"Set-Cookie: c{step}={step}; Path=/", f"Set-Cookie: last={step}; Expires=Fri, 31 Dec 2100 23:59:59 GMT; Path=/"]
        if step == 2:
            cookies.append("Set-Cookie: c0=; Max-Age=0; Path=/")
        head = ["HTTP/1.1 302 Found", f"Location: /{step + 1}", *cookies, "Content-Length: 0", "", ""]
        return "\r\n".join(head).encode() if step < 4 else None

    server = redirecting(answer)
    numbers = itertools.count()

    def number_from_the_second_on(request):
        if number := next(numbers):
            request.headers["X-Number"] = str(number)

    async def asynchronously(request):
        number_from_the_second_on(request)

    hook = asynchronously if runtime.is_async else number_from_the_second_on
    async with runtime.client(follow_redirects=True, event_hooks={"request": [hook]}) as client:
        await client.get(server.url + "/0", headers={"X-Own": "1"})
    sent = [request.headers.get("cookie") for request in server.requests]
    assert sent == [None, "c0=0; last=0", "c0=0; last=1; c1=1", "last=2; c1=1; c2=2", "last=3; c1=1; c2=2; c3=3"]
    assert [request.headers.get("x-number") for request in server.requests] == [None, "1", "2", "3", "4"]
    assert [request.headers.get("x-own") for request in server.requests] == ["1"] * 5


# What becomes of the body of a redirect.


@pytest.mark.parametrize("framing", ["length", "chunked"])
async def test_a_short_body_is_read_so_that_the_connection_can_be_used_again(runtime, scripted, framing):
    def script(conn):
        conn.read_request()
        if framing == "length":
            head = respond(b"x" * 5000, 302, [("Location", "/end")])
            conn.send(head[:-5000])
            conn.send(head[-5000:])
        else:
            pieces = list(respond_chunked([b"x" * 2500] * 2, [("Location", "/end")]))
            conn.send_each([pieces[0].replace(b"200 OK", b"302 Found"), *pieces[1:]])
        conn.read_request()
        conn.send(respond(b"end"))
        conn.wait_closed()

    server = scripted(script)
    async with runtime.client(follow_redirects=True) as client:
        response = await client.get(server.url)
    assert response.content == b"end"
    assert response.history[0].content == b"x" * 5000
    assert len(server.connections) == 1


@pytest.mark.parametrize("kind", ["announced", "endless"])
async def test_a_long_body_is_not_read(runtime, scripted, kind):
    def script(conn):
        if conn.read_request().path == "/end":
            conn.send(respond(b"end"))
            return
        if kind == "announced":
            conn.send(b"HTTP/1.1 302 Found\r\nLocation: /end\r\nContent-Length: 1000000000000\r\n\r\nabc")
            conn.wait_closed()
        else:
            conn.send(b"HTTP/1.1 302 Found\r\nLocation: /end\r\nTransfer-Encoding: chunked\r\n\r\n")
            while True:
                conn.send(b"400\r\n" + b"x" * 1024 + b"\r\n")

    server = scripted(script)
    async with runtime.client(follow_redirects=True) as client:
        response = await client.get(server.url)
        assert response.content == b"end"
        assert response.history[0].is_closed
        with pytest.raises(httpx.ResponseNotRead):
            _ = response.history[0].content
    assert len(server.connections) == 2


async def test_a_body_that_stalls_does_not_hold_up_the_redirect(runtime, scripted, monkeypatch):
    monkeypatch.setattr("httpx._exchange.drain.PATIENCE", 0.1)

    def script(conn):
        if conn.read_request().path == "/end":
            conn.send(respond(b"end"))
            return
        conn.send(b"HTTP/1.1 302 Found\r\nLocation: /end\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel")
        conn.wait_closed()

    async with runtime.client(follow_redirects=True, timeout=60) as client:
        response = await client.get(scripted(script).url)
        assert response.content == b"end"


async def test_the_body_of_a_redirect_is_not_decoded(runtime, redirecting):
    bomb = gzip.compress(bytes(20_000_000))

    def answer(request):
        return None if request.path == "/end" else respond(bomb, 302, [("Location", "/end"), ("Content-Encoding", "gzip")])

    server = redirecting(answer)
    async with runtime.client(follow_redirects=True) as client:
        response = await client.get(server.url)
        assert response.status_code == 200
        with pytest.raises(httpx.ResponseNotRead):
            _ = response.history[0].content
    assert len(server.connections) == 1


async def test_a_broken_coding_on_a_redirect_does_not_matter(runtime, redirecting):
    def answer(request):
        return None if request.path == "/end" else respond(b"not gzip", 302, [("Location", "/end"), ("Content-Encoding", "gzip")])

    async with runtime.client(follow_redirects=True) as client:
        assert (await client.get(redirecting(answer).url)).status_code == 200


async def test_an_error_after_a_redirect_carries_the_request_that_failed(runtime, redirecting, scripted):
    broken = scripted(lambda conn: conn.read_request() and None)
    source = redirecting(lambda request: broken.url + "/broken")
    async with runtime.client(follow_redirects=True) as client:
        with pytest.raises(httpx.RemoteProtocolError) as caught:
            await client.get(source.url)
    assert caught.value.request.url == broken.url + "/broken"
