"""Cookies: the mapping, what servers may store in it, and to whom its cookies go."""

from __future__ import annotations

import copy
import http.cookiejar
import pickle
import threading
import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import httpx
from httpx._models import public_suffix
from httpx._protocols.http1.serialize import serialize_fields


def receive(cookies, url, *fields):
    """`cookies` after a response from `url` with these Set-Cookie fields."""
    request = httpx.Request("GET", url)
    cookies.extract_cookies(httpx.Response(200, headers=[("Set-Cookie", field) for field in fields], request=request))
    return cookies


def sent(cookies, url):
    """The Cookie field of a request to `url`."""
    request = httpx.Request("GET", url)
    cookies.set_cookie_header(request)
    return request.headers.get("Cookie")


def sent_after(set_by, field, url):
    return sent(receive(httpx.Cookies(), set_by, field), url)


# The mapping.


def test_cookies_are_a_mapping():
    cookies = httpx.Cookies({"a": "1"})
    cookies["b"] = "2"
    assert dict(cookies) == {"a": "1", "b": "2"} == cookies
    assert (len(cookies), bool(cookies), "a" in cookies, cookies.get("c"), cookies.get("c", "?")) == (2, True, True, None, "?")
    del cookies["a"]
    assert list(cookies) == ["b"]
    cookies.clear()
    assert not cookies
    with pytest.raises(KeyError, match="'a'"):
        cookies["a"]


@pytest.mark.parametrize("source", [None, {}, []])
def test_nothing_makes_no_cookies(source):
    assert len(httpx.Cookies(source)) == 0
    assert not httpx.Cookies(source)


def test_cookies_are_made_from_pairs_and_from_cookies():
    cookies = httpx.Cookies([("a", "1"), ("b", "2")])
    copied = httpx.Cookies(cookies)
    copied["a"] = "3"
    assert (cookies["a"], copied["a"]) == ("1", "3")


def test_a_jar_is_used_as_it_is():
    jar = http.cookiejar.CookieJar()
    cookies = httpx.Cookies(jar)
    cookies["a"] = "1"
    assert [cookie.name for cookie in jar] == ["a"]
    assert cookies.jar is jar


def test_cookies_are_not_made_from_anything_else():
    with pytest.raises(TypeError, match="CookieJar"):
        httpx.Cookies(3)


def two_of_a_name():
    cookies = httpx.Cookies({"b": "3"})
    cookies.set("a", "1", domain="one.example")
    cookies.set("a", "2", domain="two.example", path="/p")
    return cookies


def test_several_of_a_name_are_told_apart_by_domain_and_path():
    cookies = two_of_a_name()
    assert (cookies.get("a", domain="one.example"), cookies.get("a", path="/p")) == ("1", "2")
    for look in (lambda: cookies["a"], lambda: cookies.get("a")):
        with pytest.raises(httpx.CookieConflict, match="domain="):
            look()


def test_cookies_are_deleted_by_name_domain_and_path():
    cookies = two_of_a_name()
    cookies.delete("a", domain="one.example")
    assert cookies["a"] == "2"
    cookies.delete("a")
    cookies.delete("a")
    with pytest.raises(KeyError):
        cookies.delete("a", domain="two.example", path="/p")
    assert dict(cookies) == {"b": "3"}


def test_cookies_are_cleared_by_domain_and_path():
    cookies = two_of_a_name()
    cookies.clear(domain="one.example")
    assert cookies["a"] == "2"
    cookies.clear(domain="two.example", path="/p")
    assert list(cookies) == ["b"]
    with pytest.raises(KeyError):
        cookies.clear(domain="three.example")
    with pytest.raises(ValueError, match="domain"):
        cookies.clear(path="/")


def test_update_takes_whatever_makes_cookies():
    cookies = httpx.Cookies({"a": "1"})
    jar = httpx.Cookies({"e": "5"}).jar
    for more in ({"b": "2"}, [("c", "3")], httpx.Cookies({"d": "4", "a": "0"}), jar, None):
        cookies.update(more)
    assert dict(cookies) == {"a": "0", "b": "2", "c": "3", "d": "4", "e": "5"}


def test_values_are_not_shown():  # X4
    cookies = receive(httpx.Cookies({"a": "SECRET1"}), "https://example.org/", "b=SECRET2; Secure")
    assert "SECRET" not in repr(cookies)
    assert repr(cookies) == "<Cookies[<Cookie a for  />, <Cookie b for example.org />]>"


# Which cookies are stored.


def test_a_response_has_the_cookies_that_it_sets():
    request = httpx.Request("GET", "https://example.org/a/b")
    fields = [("Set-Cookie", "a=1"), ("set-cookie", "b=2; Path=/; HttpOnly; SameSite=Lax; Max-Age=10; Secure")]
    response = httpx.Response(200, headers=fields, request=request)
    assert dict(response.cookies) == {"a": "1", "b": "2"}
    first, second = sorted(response.cookies.jar, key=lambda cookie: cookie.name)
    assert (first.domain, first.path, first.secure, first.expires, first.discard) == ("example.org", "/a", False, None, True)
    assert (second.path, second.secure, second.has_nonstandard_attr("HttpOnly")) == ("/", True, True)
    assert second.get_nonstandard_attr("SameSite") == "Lax"
    assert time.time() < second.expires <= time.time() + 10


def test_a_response_over_plain_http_shows_the_secure_cookies_that_it_sets():
    """As tests of applications look for them, under http://testserver; what is kept for later is another matter."""
    response = httpx.Response(200, headers={"Set-Cookie": "a=1; Secure"}, request=httpx.Request("GET", "http://testserver/"))
    assert dict(response.cookies) == {"a": "1"}
    kept = httpx.Cookies()
    kept.extract_cookies(response)
    assert dict(kept) == {}


def test_cookies_of_a_response_need_its_request():
    assert dict(httpx.Response(200).cookies) == {}
    with pytest.raises(RuntimeError, match="request"):
        _ = httpx.Response(200, headers={"Set-Cookie": "a=1"}).cookies


@pytest.mark.parametrize(
    ("url", "field"),
    [
        ("http://a.test/", "c=1; Domain=b.test"),  # C2
        ("http://a.test/", "c=1; Domain=sub.a.test"),
        ("http://a.test/", "c=1; Domain=test"),
        ("http://127.0.0.1/", "c=1; Domain=0.0.1"),
        ("http://www.example.co.uk/", "c=1; Domain=co.uk"),  # C4
        ("http://www.example.co.uk/", "c=1; Domain=Co.Uk"),
        ("http://www.example.co.uk./", "c=1; Domain=co.uk."),  # C5
        ("http://bucket.s3.amazonaws.com/", "c=1; Domain=s3.amazonaws.com"),
        ("http://a.test/", "c=1; Secure"),
        ("https://a.test/", "__Secure-c=1"),  # C10
        ("http://a.test/", "__Secure-c=1; Secure"),
        ("https://a.test/", "__SECURE-c=1"),
        ("https://a.test/", "__Host-c=1; Secure"),
        ("https://a.test/x/", "__Host-c=1; Secure; Path=/x"),
        ("https://a.test/", "__Host-c=1; Secure; Path=/; Domain=a.test"),
        ("https://a.test/", "__Host-c=1; Path=/"),
        ("http://a.test/", "c=a\x01b"),  # C11
        ("http://a.test/", "c=a\x7fb"),
        ("http://a.test/", "c"),
        ("http://a.test/", "=1"),
        ("http://a.test/", ""),
        ("http://a.test/", "c=" + "x" * 4096),  # C12
        ("http://a.test/", "c=1; Max-Age=0"),  # C14
        ("http://a.test/", "c=1; Max-Age=-5"),
        ("http://a.test/", "c=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT"),
        ("http://a.test/", "c=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0"),
    ],
)
def test_a_host_cannot_set_this(url, field):
    assert not receive(httpx.Cookies(), url, field)


@pytest.mark.parametrize(
    ("url", "field"),
    [
        ("https://a.test/x/y", "__Host-c=1; Secure; Path=/"),
        ("https://a.test/", "__Secure-c=1; Secure; Domain=a.test"),
        ("http://127.0.0.1/", "c=1; Domain=127.0.0.1"),
        ("http://localhost/", "c=1; Domain=localhost"),
        ("http://[::1]/", "c=1"),
        ("http://github.io/", "c=1; Domain=github.io"),
        ("http://a.test/", "c=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=5"),
        ("http://a.test/", "c=1; Max-Age=soon"),
        ("http://a.test/", "c=1; Max-Age=" + "9" * 400),
        ("http://a.test/", "c=1; Expires=Fri, 31 Dec 9999 23:59:59 GMT"),
        ("http://a.test/", "c=1; Expires=nonsense"),
        ("http://a.test/", "c=1; Expires=Thu, 01 Jan 1600 00:00:00 GMT"),
        ("http://a.test/", "c=1; Expires=Thu, 30 Feb 1970 00:00:00 GMT"),
        ("http://a.test/", "c=1; Domain="),
        ("http://a.test/", "c=1; Path=relative"),
    ],
)
def test_a_host_can_set_this_and_has_it_back(url, field):
    assert sent_after(url, field, url).endswith("=1")


def test_without_the_list_common_registries_are_public_suffixes(monkeypatch):
    monkeypatch.setattr(public_suffix, "_load", lambda: None)
    assert all(map(public_suffix.is_public_suffix, ("com", "co.uk", "com.au", "localhost")))
    assert not any(map(public_suffix.is_public_suffix, ("example.com", "example.uk", "www.co.uk")))


def test_a_public_suffix_keeps_its_own_cookie_to_itself():
    assert sent_after("http://github.io/", "c=1; Domain=github.io", "http://someone.github.io/") is None


def test_plain_http_leaves_secure_cookies_alone():  # C9
    cookies = receive(httpx.Cookies(), "https://www.a.test/", "c=secret; Secure; Domain=a.test")
    for url, field in [
        ("http://www.a.test/", "c=evil"),
        ("http://www.a.test/", "c=evil; Domain=a.test"),
        ("http://a.test/", "c=; Max-Age=0"),
    ]:
        receive(cookies, url, field)
    assert sent(cookies, "https://www.a.test/") == "c=secret"


def test_an_expired_cookie_takes_away_the_one_it_replaces():
    cookies = receive(httpx.Cookies(), "http://a.test/", "c=1", "d=2")
    receive(cookies, "http://a.test/", "c=; Expires=Thu, 01 Jan 1970 00:00:00 GMT")
    assert dict(cookies) == {"d": "2"}


def test_cookies_expire(monkeypatch):
    cookies = receive(httpx.Cookies(), "http://a.test/", "c=1; Max-Age=60", "d=2")
    later = time.time() + 61
    monkeypatch.setattr("time.time", lambda: later)
    assert sent(cookies, "http://a.test/") == "d=2"
    assert list(cookies) == ["d"]


def test_a_response_stores_no_more_than_fifty_cookies():  # C12
    cookies = receive(httpx.Cookies(), "http://a.test/", *(f"c{number}=1" for number in range(2000)))
    assert len(cookies) == 50


def test_a_host_stores_no_more_than_two_hundred_cookies():
    cookies = httpx.Cookies()
    for start in range(0, 300, 50):
        receive(cookies, "http://a.test/", *(f"c{number}=1" for number in range(start, start + 50)))
    assert len(cookies) == 200
    assert "c0" not in cookies
    assert "c299" in cookies


def test_a_site_of_many_hosts_does_not_fill_the_jar():
    """Its own cookies give way, and neither those of others nor those that the caller has set."""
    cookies = httpx.Cookies({"own": "1"})
    cookies.set("own-too", "1", domain="many.test")
    receive(cookies, "http://a.test/", "session=1")
    for host in range(100):
        receive(cookies, f"http://host{host}.many.test/", *(f"c{number}=1" for number in range(50)))
    assert len(cookies.jar) == 3_002
    assert "session=1" in sent(cookies, "http://a.test/")
    assert "own-too=1" in sent(cookies, "http://host99.many.test/")
    assert "c49=1" in sent(cookies, "http://host99.many.test/")


def test_a_cookie_that_is_set_again_is_the_same_cookie():
    cookies = receive(httpx.Cookies(), "http://a.test/", "c=1", "d=1; Path=/x")
    before = list(cookies.jar)
    receive(cookies, "http://a.test/", "c=1", "d=1; Path=/x")
    assert [one is other for one, other in zip(cookies.jar, before, strict=True)] == [True, True]


def change_value(cookies, url):
    for cookie in cookies.jar:
        cookie.value = "changed"


def make_secure(cookies, url):
    for cookie in cookies.jar:
        cookie.secure = True


steps = st.one_of(
    st.tuples(
        st.just(receive),
        st.sampled_from(["http://a.test/", "https://a.test/", "http://a.test/x/y", "http://b.a.test/"]),
        st.sampled_from(
            ["c=1", "c=2", "c=1; Path=/", "c=1; Path=/x", "c=1; Domain=a.test", "c=1; Secure", "c=; Max-Age=0", "d=1; Max-Age=100"]
        ),
    ),
    st.sampled_from(
        [
            (change_value, ""),
            (make_secure, ""),
            (lambda cookies, url: cookies.clear(), ""),
            (lambda cookies, url: cookies.delete("c"), ""),
            (lambda cookies, url: cookies.set("c", "1", url, "/"), "a.test"),
            (lambda cookies, url: cookies.jar.clear_session_cookies(), ""),
        ]
    ),
)


TOLD = (receive, "http://a.test/", "c=1")


@given(st.lists(steps, min_size=2, max_size=8))
@example([TOLD, (change_value, ""), TOLD])
@example([TOLD, (make_secure, ""), TOLD])
@example([TOLD, (httpx.Cookies.delete, "c"), TOLD])
@example([TOLD, (receive, "http://a.test/", "c=2"), TOLD])
def test_a_jar_holds_what_it_was_told_however_often_it_was_told_before(taken):
    # A jar of ours remembers what it was told, one of the standard library does not.
    ours, plain = httpx.Cookies(), httpx.Cookies(http.cookiejar.CookieJar())

    def seen(cookies):
        held = [{**vars(cookie), "created": None, "expires": cookie.expires and 1} for cookie in cookies.jar]
        return held, [sent(cookies, f"{scheme}://{host}/x/y") for scheme in ("http", "https") for host in ("a.test", "b.a.test")]

    for step, *arguments in taken:
        for cookies in (ours, plain):
            step(cookies, *arguments)
        assert seen(ours) == seen(plain)


def test_what_a_caller_puts_into_a_jar_stays_there():
    cookies = httpx.Cookies()
    for number in range(4_000):
        cookies.set(f"c{number}", "1", domain=f"host{number}.test")
    receive(cookies, "http://a.test/", "session=1")
    assert len(cookies.jar) == 4_001
    assert sent(cookies, "http://a.test/") == "session=1"


def test_no_more_is_sent_than_servers_take():  # C12
    cookies = httpx.Cookies()
    for number in range(300):
        cookies.set(f"c{number}", "x" * 100, domain="a.test")
    header = sent(cookies, "http://a.test/")
    assert len(header) <= 8190
    assert header.count("=") == len(range(0, 8190, len("c100=; ") + 100))
    for number in range(300):
        cookies.set(f"c{number}", "x", domain="a.test")
    assert sent(cookies, "http://a.test/").count("=") == 150


@pytest.mark.parametrize(
    "field",
    [
        "c=1; Expires=" + "9" * 50_000,
        "c=1; Expires=" + "1:" * 25_000,
        'c="' + "\\" * 50_000,
        "c=1" + "; a=b" * 10_000,
        "c" + "=" * 50_000,
        ";" * 50_000,
    ],
)
def test_hostile_fields_are_read_in_linear_time(field):  # C13
    started = time.process_time()
    receive(httpx.Cookies(), "http://a.test/", field)
    assert time.process_time() - started < 1.0  # quadratic would be a hundred times that


@pytest.mark.parametrize("raw", [b"c=\xc3\xa9", b"c=\xe9"])
def test_a_value_goes_back_as_the_bytes_that_came(raw):
    request = httpx.Request("GET", "http://a.test/")
    cookies = httpx.Response(200, headers=[(b"Set-Cookie", raw)], request=request).cookies
    assert cookies["c"] == "é"
    cookies.set_cookie_header(request)
    assert request.headers.raw[-1] == (b"Cookie", raw)


_texts = st.text(alphabet=st.characters(codec="utf-8"), max_size=30)
_names = st.sampled_from(["Domain", "Path", "Expires", "Max-Age", "Secure", "HttpOnly", "SameSite", "", "x"])
_fields = st.builds(
    lambda pair, attributes: "; ".join([pair, *(f"{name}={value}" for name, value in attributes)]).encode(),
    _texts,
    st.lists(st.tuples(_names, st.one_of(_texts, st.sampled_from(["a.test", "/", "9", "Thu, 01 Jan 2099 00:00:00 GMT"]))), max_size=5),
)


@settings(max_examples=300)
@given(st.one_of(_fields, st.binary(max_size=60)))
def test_whatever_a_server_sets_what_is_sent_is_a_header(field):
    request = httpx.Request("GET", "https://a.test/")
    cookies = httpx.Response(200, headers=[(b"Set-Cookie", field)], request=request).cookies
    cookies.set_cookie_header(request)
    serialize_fields(request.headers.raw)
    assert request.headers.raw[1:] == [] or field.lstrip(b"\t ").startswith(request.headers.raw[1][1].partition(b"=")[0])


# To whom they go.


@pytest.mark.parametrize(
    ("set_by", "field", "url", "is_sent"),
    [
        ("http://a.test/", "c=1; Domain=a.test", "http://nota.test/", False),  # C1
        ("http://a.test/", "c=1; Domain=a.test", "http://sub.a.test/", True),
        ("http://a.test/", "c=1; Domain=.a.test", "http://a.test/", True),
        ("http://a.test/", "c=1", "http://sub.a.test/", False),  # C3
        ("http://sub.a.test/", "c=1", "http://a.test/", False),
        ("http://a.test/", "c=1; Path=/any", "http://a.test/anybad", False),  # C7
        ("http://a.test/", "c=1; Path=/any", "http://a.test/any/thing", True),
        ("http://a.test/", "c=1; Path=/any", "http://a.test/any?thing", True),
        ("http://a.test/x/y", "c=1", "http://a.test/x/z", True),
        ("http://a.test/x/y", "c=1", "http://a.test/", False),
        ("https://a.test/", "c=1; Secure", "http://a.test/", False),  # C8
        ("https://a.test/", "c=1; Secure", "https://a.test/", True),
        ("https://a.test/", "c=1", "http://a.test/", True),
        ("http://a.test:8000/", "c=1", "http://a.test:9000/", True),
        ("http://A.test/", "c=1; Domain=a.TEST", "http://b.a.test/", True),
        ("http://1.2.3.4/", "c=1", "http://1.2.3.4/", True),
        ("http://bücher.example/", "c=1", "http://xn--bcher-kva.example/", True),
    ],
)
def test_a_cookie_goes_where_it_belongs(set_by, field, url, is_sent):
    assert (sent_after(set_by, field, url) is not None) == is_sent


def test_longer_paths_come_first_then_older_cookies():
    cookies = receive(httpx.Cookies(), "http://a.test/x/", "a=1; Path=/", "b=2", "c=3; Path=/; Domain=a.test", "a=4; Path=/")
    assert sent(cookies, "http://a.test/x/y") == "b=2; a=4; c=3"


@pytest.mark.parametrize("of_request", [True, False])
def test_a_cookie_without_a_domain_stays_with_the_first_host(of_request):  # R11
    cookies = httpx.Cookies({"sid": "S"})
    if of_request:
        request = httpx.Request("GET", "http://a.test/x", cookies={"sid": "S"})
        assert request.headers["Cookie"] == "sid=S"
    assert sent(cookies, "http://a.test/x") == "sid=S"
    for url in ("http://b.test/", "http://sub.a.test/", "http://test/"):
        assert sent(cookies, url) is None
    assert sent(cookies, "http://a.test/") == "sid=S"
    assert cookies["sid"] == "S"


def test_a_server_replaces_the_cookie_that_the_caller_gave_it():
    cookies = httpx.Cookies({"sid": "old"})
    sent(cookies, "http://a.test/")
    receive(cookies, "http://a.test/", "sid=new; Path=/")
    assert sent(cookies, "http://a.test/") == "sid=new"


@pytest.mark.parametrize(
    ("domain", "url", "is_sent"),
    [
        ("a.test", "http://a.test/", True),
        ("a.test", "http://sub.a.test/", True),
        (".a.test", "http://sub.a.test/", True),
        ("a.test", "http://nota.test/", False),
        ("localhost", "http://localhost:8000/", True),
        ("localhost.local", "http://localhost:8000/", True),
        ("testserver.local", "http://testserver/", True),
        ("localhost.local", "http://otherhost/", False),
    ],
)
def test_a_cookie_that_the_caller_sets_for_a_domain_goes_to_it(domain, url, is_sent):
    cookies = httpx.Cookies()
    cookies.set("c", "1", domain=domain)
    assert (sent(cookies, url) == "c=1") == is_sent
    assert cookies.get("c", domain=domain) == "1"


def test_cookies_of_one_request_stand_in_for_stored_ones():
    cookies = receive(httpx.Cookies(), "http://a.test/", "a=1", "b=2")
    request = httpx.Request("GET", "http://a.test/")
    cookies.set_cookie_header(request, {"b": "3", "c": "4"})
    assert request.headers["Cookie"] == "a=1; b=3; c=4"
    assert dict(cookies) == {"a": "1", "b": "2"}


def test_a_cookie_field_of_the_caller_is_left_alone():
    request = httpx.Request("GET", "http://a.test/", cookies={"a": "1"}, headers={"cookie": "b=2"})
    assert request.headers.get_list("Cookie") == ["b=2"]


def test_nothing_is_added_where_there_is_nothing():
    assert sent(httpx.Cookies(), "http://a.test/") is None
    assert sent(httpx.Cookies({"c": "1"}), "/relative") == "c=1"
    assert "cookie" not in httpx.Request("GET", "http://a.test/", cookies={}).headers


def test_a_line_break_in_a_cookie_does_not_reach_the_wire(app):
    with httpx.Client() as client, pytest.raises(httpx.LocalProtocolError, match="Cookie"):
        client.send(httpx.Request("GET", app.url, cookies={"a": "1\r\nInjected: yes"}))
    assert app.requests == []


# Jars.


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, lambda thing: pickle.loads(pickle.dumps(thing))])
def test_host_only_cookies_stay_so_in_copies(duplicate):  # C15
    original = receive(httpx.Cookies(), "http://a.test/", "host=1; Max-Age=100", "domain=2; Domain=a.test")
    copied = duplicate(original)
    assert sent(copied, "http://a.test/") == "host=1; domain=2"
    assert sent(copied, "http://sub.a.test/") == "domain=2"
    copied["more"] = "3"
    assert "more" not in original


def test_a_jar_of_ours_can_be_pickled_by_itself():
    jar = receive(httpx.Cookies(), "http://a.test/", "host=1").jar
    assert sent(httpx.Cookies(pickle.loads(pickle.dumps(jar))), "http://sub.a.test/") is None


def test_cookies_over_a_plain_jar_can_be_pickled():
    cookies = httpx.Cookies(http.cookiejar.CookieJar())
    cookies["a"] = "1"
    assert dict(pickle.loads(pickle.dumps(cookies))) == {"a": "1"}


def test_jars_written_to_files_come_back(tmp_path):
    jar = http.cookiejar.MozillaCookieJar(str(tmp_path / "cookies.txt"))
    receive(httpx.Cookies(jar), "http://a.test/", "host=1; Max-Age=100", "domain=2; Domain=a.test; Max-Age=100")
    jar.save()
    loaded = http.cookiejar.MozillaCookieJar(str(tmp_path / "cookies.txt"))
    loaded.load()
    assert sent(httpx.Cookies(loaded), "http://sub.a.test/") == "domain=2"
    assert sent(httpx.Cookies(loaded), "http://a.test/") in ("host=1; domain=2", "domain=2; host=1")


def test_a_plain_jar_is_held_to_the_same_rules():
    jar = http.cookiejar.CookieJar()
    receive(httpx.Cookies(jar), "http://a.test/", "host=1", "domain=2; Domain=a.test")
    assert sent(httpx.Cookies(jar), "http://sub.a.test/") == "domain=2"
    assert sent(pickle.loads(pickle.dumps(httpx.Cookies(jar))), "http://sub.a.test/") == "domain=2"


class Refusing(http.cookiejar.CookiePolicy):
    """A policy that refuses what it is told to."""

    netscape, rfc2965, hide_cookie2 = True, False, False

    def __init__(self, *refused):
        self.refused = refused

    def set_ok(self, cookie, request):
        return "set" not in self.refused

    def return_ok(self, cookie, request):
        return "return" not in self.refused

    def domain_return_ok(self, domain, request):
        return "domain" not in self.refused

    def path_return_ok(self, path, request):
        return "path" not in self.refused


@pytest.mark.parametrize("refused", ["set", "return", "domain", "path"])
def test_a_policy_that_was_set_is_asked(refused):
    cookies = httpx.Cookies()
    cookies.jar.set_policy(Refusing(refused))
    receive(cookies, "http://a.test/", "c=1")
    assert bool(cookies) == (refused != "set")
    assert sent(cookies, "http://a.test/") is None


@pytest.mark.parametrize("host", ["a.test", "localhost"])
def test_a_policy_of_the_standard_library_can_be_set(host):
    cookies = httpx.Cookies(http.cookiejar.CookieJar(http.cookiejar.DefaultCookiePolicy(blocked_domains=["b.test"])))
    receive(cookies, f"http://{host}/", "c=1")
    receive(cookies, "http://b.test/", "d=2")
    assert list(cookies) == ["c"]
    assert sent(cookies, f"http://{host}/") == "c=1"


def test_cookies_can_be_used_from_many_threads():
    cookies = httpx.Cookies()
    failures = []

    def work(number):
        try:
            for turn in range(50):
                receive(cookies, f"http://h{number}.test/", f"c{turn}=1")
                assert sent(cookies, f"http://h{number}.test/").count("=") == turn + 1
                assert len(list(cookies)) > turn
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(cookies) == 200


@pytest.mark.parametrize(
    ("domain", "host", "is_kept"),
    [
        ("testserver.local", "testserver", True),
        (".testserver.local", "testserver", True),
        ("local", "testserver", False),
        ("other.local", "testserver", False),
        ("a.test.local", "a.test", False),
    ],
)
def test_servers_of_one_label_may_call_themselves_local_as_the_standard_library_does(domain, host, is_kept):
    cookies = httpx.Cookies()
    receive(cookies, f"http://{host}/", f"a=1; Domain={domain}")
    assert bool(cookies) is is_kept
    assert sent(cookies, f"http://{host}/") == ("a=1" if is_kept else None)
    assert sent(cookies, "http://other.local/") is None
