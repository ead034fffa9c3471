"""Digest authentication (RFC 7616) against a server that computes what it expects."""

from __future__ import annotations

import contextlib
import hashlib

import pytest

import httpx
from tests.auth.digest_server import DigestServer, fields_of
from tests.support.servers import keep_alive, respond

pytestmark = pytest.mark.usefixtures("no_leaks")

AUTH = ("user", "pässword")


@pytest.mark.parametrize("algorithm", ["MD5", "MD5-sess", "SHA-256", "SHA-256-sess", "SHA-512-256", "SHA-512-256-sess", "SHA", "sha-256"])
async def test_each_algorithm_is_spoken(runtime, scripted, algorithm):
    digest = DigestServer(f'Digest realm="r", nonce="{{nonce}}", qop="auth", algorithm={algorithm}, opaque="o"')
    server = scripted(digest)
    auth = httpx.DigestAuth(*AUTH)
    async with runtime.client(auth=auth) as client:
        for _ in range(3):
            response = await client.get(server.url + "/a%2Fb?q=1")
            assert response.content == b"welcome"
    assert digest.counts == ["00000001", "00000002", "00000003"]
    sent = [fields_of(request.headers["authorization"]) for request in server.requests[1:]]
    assert {fields["algorithm"] for fields in sent} == {algorithm}
    assert {fields["opaque"] for fields in sent} == {"o"}
    assert all(len(fields["cnonce"]) >= 16 for fields in sent)
    assert len({fields["cnonce"] for fields in sent}) == (1 if "sess" in algorithm else 3)


async def test_the_challenge_is_in_the_history(runtime, scripted):
    async with runtime.client(auth=httpx.DigestAuth(*AUTH)) as client:
        response = await client.get(scripted(DigestServer()).url)
    assert [passed.status_code for passed in response.history] == [401]
    assert response.history[0].content == b"who are you?"


async def test_a_challenge_of_rfc_2069_is_answered_the_old_way(runtime, scripted):
    server = scripted(DigestServer('Digest realm="", nonce="{nonce}"'))
    async with runtime.client(auth=httpx.DigestAuth(*AUTH)) as client:
        assert (await client.get(server.url)).status_code == 200
    assert set(fields_of(server.requests[1].headers["authorization"])) == {"username", "realm", "nonce", "uri", "response", "algorithm"}


async def test_names_in_a_challenge_are_of_any_case_and_spaces_do_not_matter(runtime, scripted):
    server = scripted(DigestServer('dIGEST  Realm = "r" ,NONCE="{nonce}" , QOP = "AUTH" , Algorithm = "md5"'))
    async with runtime.client(auth=httpx.DigestAuth(*AUTH)) as client:
        assert (await client.get(server.url)).status_code == 200


async def test_auth_is_preferred_and_auth_int_covers_content_in_memory(runtime, scripted):
    both = scripted(DigestServer('Digest realm="r", nonce="{nonce}", qop="auth-int, auth"'))
    only = scripted(DigestServer('Digest realm="r", nonce="{nonce}", qop="auth-int"'))
    async with runtime.client(auth=httpx.DigestAuth(*AUTH)) as client:
        assert (await client.post(both.url, content=b"content")).status_code == 200
        assert (await client.post(only.url, content=b"content")).status_code == 200
        assert (await client.get(only.url)).status_code == 200
    assert [fields_of(server.requests[1].headers["authorization"])["qop"] for server in (both, only)] == ["auth", "auth-int"]


async def test_auth_int_for_a_stream_returns_the_challenge(runtime, scripted):
    server = scripted(DigestServer('Digest realm="r", nonce="{nonce}", qop="auth-int"'))
    async with runtime.client(auth=httpx.DigestAuth(*AUTH)) as client:
        assert (await client.post(server.url, content=iter([b"stream"]))).status_code == 401
    assert len(server.requests) == 1


@pytest.mark.parametrize("in_one_field", [True, False])
async def test_the_strongest_algorithm_is_chosen_and_nothing_but_digest(runtime, scripted, in_one_field):
    challenges = [
        'Basic realm="r"',
        'Digest realm="r", nonce="{nonce}", qop="auth", algorithm=MD5',
        "Negotiate",
        'Digest realm="r", nonce="{nonce}", qop="auth", algorithm=SHA-256',
        'Digest realm="r", nonce="{nonce}", qop="auth", algorithm=UNHEARD-OF',
    ]
    server = scripted(DigestServer(", ".join(challenges)) if in_one_field else DigestServer(*challenges))
    async with runtime.client(auth=httpx.DigestAuth(*AUTH)) as client:
        assert (await client.get(server.url)).status_code == 200
    assert fields_of(server.requests[1].headers["authorization"])["algorithm"] == "SHA-256"


@pytest.mark.parametrize("challenge", ['Basic realm="r"', 'Digest realm="r", nonce="n", algorithm=UNHEARD-OF', "Negotiate abc=="])
async def test_what_cannot_be_answered_is_returned(runtime, scripted, challenge):
    server = scripted(lambda conn: conn.read_request() and conn.send(respond(b"", 401, [("WWW-Authenticate", challenge)])))
    async with runtime.client(auth=httpx.DigestAuth(*AUTH)) as client:
        assert (await client.get(server.url)).status_code == 401
    assert len(server.requests) == 1


async def test_an_algorithm_that_this_python_lacks_is_our_error_unless_there_is_another(runtime, scripted, monkeypatch):
    make = hashlib.new

    def enforcing(name, *args, **options):
        if name == "md5":
            raise ValueError("[digital envelope routines] unsupported")
        return make(name, *args, **options)

    monkeypatch.setattr(hashlib, "new", enforcing)
    only = scripted(DigestServer('Digest realm="r", nonce="{nonce}"'))
    both = scripted(DigestServer('Digest realm="r", nonce="{nonce}"', 'Digest realm="r", nonce="{nonce}", algorithm=SHA-256'))
    async with runtime.client(auth=httpx.DigestAuth(*AUTH)) as client:
        with pytest.raises(httpx.LocalProtocolError, match="needs MD5, which this Python does not have") as caught:
            await client.get(only.url)
        assert caught.value.request.url == only.url
        assert (await client.get(both.url)).status_code == 200


@pytest.mark.parametrize(
    "challenge",
    [
        'Digest realm="r", qop="auth"',
        'Digest nonce="n"',
        'Digest realm="r", nonce="n", qop="auth,au',
        'Digest realm="r" nonce="n"',
        'Digest realm="r", nonce="n", qop="something"',
        "Digest " + "\xa0" * 30_000,
    ],
)
async def test_a_malformed_challenge_is_the_servers_error(runtime, scripted, challenge):
    def script(conn):
        while True:
            conn.read_request()
            conn.send(respond(b"", 401, [("WWW-Authenticate", challenge)]))

    server = scripted(script)
    async with runtime.client() as client:
        with pytest.raises(httpx.RemoteProtocolError, match="Digest") as caught:
            await client.get(server.url, auth=httpx.DigestAuth(*AUTH))
        assert caught.value.request.url == server.url
        assert (await client.get(server.url)).status_code == 401
    assert len(server.connections) == 1


async def test_quotes_in_a_challenge_add_nothing_to_the_answer(runtime, scripted):
    server = scripted(DigestServer(r'Digest realm="r\", uri=\"/evil", nonce="{nonce}", qop="auth", opaque="\\\""'))
    async with runtime.client(auth=httpx.DigestAuth(*AUTH)) as client:
        assert (await client.get(server.url)).status_code == 200
    fields = fields_of(server.requests[1].headers["authorization"])
    assert (fields["realm"], fields["uri"], fields["opaque"]) == ('r", uri="/evil', "/", '\\"')


async def test_a_stale_nonce_is_replaced_once(runtime, scripted):
    digest = DigestServer(uses=2)
    server = scripted(digest)
    async with runtime.client(auth=httpx.DigestAuth(*AUTH)) as client:
        assert [(await client.get(server.url)).status_code for _ in range(4)] == [200] * 4
    assert digest.counts == ["00000001", "00000002", "00000003", "00000001", "00000002"]
    assert len(server.requests) == 6


@pytest.mark.parametrize(("stale", "requests"), [("", 2), (", stale=true", 3)])
async def test_a_server_that_is_never_content_is_not_asked_for_ever(runtime, scripted, stale, requests):
    nonces = iter(range(1_000))

    def script(conn):
        while True:
            conn.read_request()
            conn.send(respond(b"", 401, [("WWW-Authenticate", f'Digest realm="r", nonce="{next(nonces)}", qop="auth"{stale}')]))

    server = scripted(script)
    async with runtime.client(auth=httpx.DigestAuth(*AUTH)) as client:
        assert (await client.get(server.url)).status_code == 401
    assert len(server.requests) == requests


async def test_the_next_nonce_is_used(runtime, scripted):
    def script(conn):
        conn.read_request()
        conn.send(respond(b"", 401, [("WWW-Authenticate", 'Digest realm="r", nonce="first", qop="auth"')]))
        conn.read_request()
        conn.send(respond(b"", headers=[("Authentication-Info", 'qop=auth, nextnonce="second"')]))
        conn.read_request()
        conn.send(respond(b""))

    server = scripted(script)
    async with runtime.client(auth=httpx.DigestAuth(*AUTH)) as client:
        await client.get(server.url)
        await client.get(server.url)
    last = fields_of(server.requests[2].headers["authorization"])
    assert (last["nonce"], last["nc"]) == ("second", "00000001")


async def test_nonces_are_kept_per_origin(runtime, scripted):
    one, other = scripted(DigestServer()), scripted(DigestServer('Digest realm="other", nonce="{nonce}"'))
    async with runtime.client(auth=httpx.DigestAuth(*AUTH)) as client:
        for _ in range(2):
            await client.get(one.url)
            await client.get(other.url)
    assert [["authorization" in request.headers for request in server.requests] for server in (one, other)] == [[False, True, True]] * 2


async def test_another_servers_challenge_is_not_answered(runtime, scripted):
    other = scripted(DigestServer())

    def script(conn):
        while True:
            conn.read_request()
            conn.send(respond(b"", 302, [("Location", other.url)]))

    source = scripted(script)
    async with runtime.client(auth=httpx.DigestAuth(*AUTH), follow_redirects=True) as client:
        assert (await client.get(source.url)).status_code == 401
    assert len(source.requests) == len(other.requests) == 1


async def test_what_was_redirected_to_within_the_origin_is_what_is_authenticated(runtime, scripted):
    digest = DigestServer()

    def script(conn):
        request = conn.read_request()
        assert request.path == "/moved"
        conn.send(respond(b"", 307, [("Location", "/here")]))
        digest(conn)

    server = scripted(script)
    async with runtime.client(auth=httpx.DigestAuth(*AUTH), follow_redirects=True) as client:
        response = await client.post(server.url + "/moved", content=b"content")
    assert response.status_code == 200
    assert [(request.path, request.body) for request in server.requests] == [
        ("/moved", b"content"),
        ("/here", b"content"),
        ("/here", b"content"),
    ]


async def test_a_cookie_that_comes_with_the_challenge_goes_with_the_answer(runtime, scripted):
    def script(conn):
        conn.read_request()
        challenge = ("WWW-Authenticate", 'Digest realm="r", nonce="n", qop="auth"')
        conn.send(respond(b"", 401, [challenge, ("Set-Cookie", "session=new; Path=/")]))
        conn.read_request()
        conn.send(respond(b""))

    server = scripted(script)
    async with runtime.client(auth=httpx.DigestAuth(*AUTH), cookies={"own": "1"}) as client:
        await client.get(server.url)
    assert server.requests[0].headers["cookie"] == "own=1"
    assert sorted(server.requests[1].headers["cookie"].split("; ")) == ["own=1", "session=new"]


async def test_content_that_is_gone_is_not_sent_again_as_if_it_were_whole(runtime, scripted):
    server = scripted(DigestServer())
    async with runtime.client(auth=httpx.DigestAuth(*AUTH)) as client:
        with pytest.raises(httpx.StreamConsumed):
            await client.post(server.url, content=iter([b"only", b"once"]))
        assert (await client.post(server.url, content=iter([b"now", b"known"]))).status_code == 200
    assert [request.body for request in server.requests] == [b"onlyonce", b"nowknown"]


async def test_a_target_of_the_users_own_is_what_is_authenticated(runtime, scripted):
    server = scripted(DigestServer())
    async with runtime.client(auth=httpx.DigestAuth(*AUTH)) as client:
        assert (await client.get(server.url, extensions={"target": b"/odd%zz"})).status_code == 200


async def test_many_threads_and_tasks_count_one_nonce_together(runtime, scripted):
    digest = DigestServer()
    server = scripted(digest)
    async with runtime.client(auth=httpx.DigestAuth(*AUTH)) as client:
        await client.get(server.url)

        async def some():
            for _ in range(5):
                assert (await client.get(server.url)).status_code == 200

        await runtime.gather(*[some] * 4)
    assert sorted(digest.counts) == [f"{count:08x}" for count in range(1, 22)]


def test_the_user_name_is_hashed_where_the_server_asks_for_it():
    flow = httpx.DigestAuth("user", "password").auth_flow(httpx.Request("GET", "https://example.org/"))
    request = next(flow)
    challenge = 'Digest realm="r", nonce="n", qop="auth", algorithm=MD5, userhash=true'
    request = flow.send(httpx.Response(401, headers={"WWW-Authenticate": challenge}, request=request))
    fields = fields_of(request.headers["authorization"])
    assert fields["username"] == hashlib.md5(b"user:r").hexdigest()
    assert fields["userhash"] == "true"


@pytest.mark.parametrize(
    ("algorithm", "response"),
    [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_the_example_of_rfc_7616_section_3_9_1(monkeypatch, algorithm, response):
    auth = httpx.DigestAuth("Mufasa", "Circle of Life")
    cnonce = b"f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"
    monkeypatch.setattr(auth, "_get_client_nonce", lambda count, nonce: cnonce)
    challenge = (
        f'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm={algorithm}, '
        'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"'
    )
    flow = auth.sync_auth_flow(httpx.Request("GET", "http://www.example.org/dir/index.html"))
    request = next(flow)
    request = flow.send(httpx.Response(401, headers={"WWW-Authenticate": challenge}, request=request))
    fields = fields_of(request.headers["authorization"])
    assert fields["response"] == response
    assert fields["nc"] == "00000001"


@pytest.mark.parametrize(
    "challenge",
    [
        'Digest realm="\u4f60\xe9", nonce="n"',
        'Digest realm="a\\\tb", nonce="n", opaque="\\"\\\\"',
        f'Digest realm="{"a" * 60_000}", nonce="n"',
        'Digest realm="r", nonce="n", algorithm="MD5\\", uri=\\"/evil"',
        "Digest " + 'realm="r", ' * 2_000 + 'nonce="n"',
        'Digest realm="r", nonce="n", qop="auth,,,x"',
        "Digest",
        "Digest ,",
    ],
    ids=range(8),
)
async def test_a_hostile_challenge_leads_to_one_answer_at_most(runtime, scripted, challenge):
    def answer(request):
        return b"HTTP/1.1 401 X\r\nContent-Length: 0\r\nWWW-Authenticate: " + challenge.encode() + b"\r\n\r\n"

    server = scripted(keep_alive(answer))
    async with runtime.client(auth=httpx.DigestAuth("us\u00e9r", "canary-of-password")) as client:
        with contextlib.suppress(httpx.RemoteProtocolError):
            assert (await client.get(server.url)).status_code == 401
        assert client.pool_stats().in_use == 0
    assert len(server.requests) <= 2
    for request in server.requests:
        assert b"canary" not in request.head
        assert request.head.count(b" uri=") == request.head.count(b"Authorization")


@pytest.mark.parametrize("name", ["realm", "nonce", "opaque"])
async def test_a_challenge_that_no_request_could_carry_is_not_answered(runtime, scripted, name):
    """It would go back with each further request, and servers would refuse these all."""
    fields = {"realm": "r", "nonce": "n", "opaque": "o", name: "x" * 8_200}
    challenge = "Digest " + ", ".join(f'{name}="{value}"' for name, value in fields.items())
    server = scripted(keep_alive(lambda request: respond(b"no", 401, [("WWW-Authenticate", challenge)])))
    async with runtime.client(auth=httpx.DigestAuth(*AUTH)) as client:
        assert (await client.get(server.url)).status_code == 401
        assert (await client.get(server.url)).status_code == 401
    assert [request.headers.get("authorization") for request in server.requests] == [None, None]


async def test_a_next_nonce_that_no_request_could_carry_is_not_taken(runtime, scripted):
    digest = DigestServer()

    def script(conn):
        while True:
            request = conn.read_request()
            if "authorization" in request.headers:
                assert digest.judge(request, request.headers["authorization"]) == "ok"
                conn.send(respond(b"welcome", headers=[("Authentication-Info", f'nextnonce="{"x" * 8_200}"')]))
            else:
                conn.send(respond(b"no", 401, [("WWW-Authenticate", 'Digest realm="r", nonce="nonce1", qop="auth"')]))

    server = scripted(script)
    async with runtime.client(auth=httpx.DigestAuth(*AUTH)) as client:
        for _ in range(2):
            assert (await client.get(server.url)).content == b"welcome"
    assert digest.counts == ["00000001", "00000002"]
