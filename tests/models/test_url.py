"""What a URL is, piece by piece, and how it is changed: the behaviour on ordinary input."""

from __future__ import annotations

import copy
import pickle
import re
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from httpx._exceptions import InvalidURL
from httpx._models.query import QueryParams
from httpx._models.url import URL, parse_url

SIGNED = (
    "https://bucket.s3.eu-west-1.amazonaws.com/photos/a%20b%2Fc%c3%a9+d~e'f(g)*!.jpg"
    "?X-Amz-Credential=AKIA%2F20260101%2Feu-west-1%2Fs3%2Faws4_request&X-Amz-Signature=0a%2b+%2B~%7e&response=a;b,c:d@e/f?g&empty=&flag"
)


def test_a_full_url_has_all_its_components() -> None:
    url = URL("https://jo%40mail.org:a%20secret@EXAMPLE.com:1234/some%20path/%E2%98%83?search=a+b&x=%2f#frag%20ment")
    assert url.scheme == "https"
    assert url.raw_scheme == b"https"
    assert url.userinfo == b"jo%40mail.org:a%20secret"
    assert url.username == "jo@mail.org"
    assert url.password == "a secret"
    assert url.host == "example.com"
    assert url.raw_host == b"example.com"
    assert url.port == 1234
    assert url.netloc == b"example.com:1234"
    assert url.path == "/some path/☃"
    assert url.raw_path == b"/some%20path/%E2%98%83?search=a+b&x=%2f"
    assert url.query == b"search=a+b&x=%2f"
    assert url.params == QueryParams({"search": "a b", "x": "/"})
    assert url.fragment == "frag ment"
    assert url.raw == (b"https", b"example.com", 1234, b"/some%20path/%E2%98%83?search=a+b&x=%2f")
    assert url.is_absolute_url
    assert not url.is_relative_url


def test_a_relative_reference_is_a_url_without_scheme_and_host() -> None:
    url = URL("some/path?q#f")
    assert (url.scheme, url.host, url.netloc, url.path, url.query, url.fragment) == ("", "", b"", "some/path", b"q", "f")
    assert url.is_relative_url
    assert URL("//host/path").is_relative_url
    assert URL("mailto:someone@example.org").is_relative_url


def test_the_empty_url_is_a_reference_to_the_same_place() -> None:
    assert str(URL()) == str(URL("")) == ""
    assert URL("").raw_path == b"/"


@pytest.mark.parametrize(
    ("text", "normalised"),
    [
        ("HTTP://EXAMPLE.com/ABC", "http://example.com/ABC"),
        ("http://example.com:80/", "http://example.com/"),
        ("https://example.com:443", "https://example.com"),
        ("ws://example.com:80", "ws://example.com"),
        ("wss://example.com:443", "wss://example.com"),
        ("ftp://example.com:21", "ftp://example.com"),
        ("http://example.com:/x", "http://example.com/x"),
        ("http://example.com:00080/x", "http://example.com/x"),
        ("http://example.com:0443/x", "http://example.com:443/x"),
        ("https://example.com:80", "https://example.com:80"),
        ("other://example.com:80", "other://example.com:80"),
        ("http://example.com/a/./b/../c", "http://example.com/a/c"),
        ("http://example.com/a/b/..", "http://example.com/a/"),
        ("http://example.com/a/.", "http://example.com/a/"),
        ("http://example.com/../../a", "http://example.com/a"),
        ("http://example.com//a///b", "http://example.com//a///b"),
        ("http://example.com/.well-known/..a/b..", "http://example.com/.well-known/..a/b.."),
        ("a/../b/./c", "a/../b/./c"),
        ("http://@example.com", "http://example.com"),
        ("http://a@b@example.com", "http://a%40b@example.com"),
        ("http://example.com?", "http://example.com?"),
        ("http://example.com/#", "http://example.com/#"),
        ("http://", "http:"),
        ("all://*.example.com", "all://*.example.com"),
        ("file:///etc/hosts", "file:/etc/hosts"),
        ("file:////server/share", "file:////server/share"),
        ("data:text/plain,a b", "data:text/plain,a%20b"),
        ("http+unix://%2FVar%2Frun.sock/x", "http+unix://%2FVar%2Frun.sock/x"),
        ("1http://h/", "1http://h/"),
        ("://example.org", "://example.org"),
        ("localhost:8080/a", "localhost:8080/a"),
    ],
)
def test_a_url_is_normalised_without_changing_what_it_means(text: str, normalised: str) -> None:
    url = URL(text)
    assert str(url) == normalised
    assert str(URL(str(url))) == normalised


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("http://h", b"/"),
        ("http://h?x", b"/?x"),
        ("http://h/?", b"/?"),
        ('http://h/a b"<>#x', b"/a%20b%22%3C%3E"),
        ("http://h/{`}", b"/%7B%60%7D"),
        ("http://h/[|]^\\", b"/[|]^\\"),
        ("http://h/é?é", b"/%C3%A9?%C3%A9"),
        ("http://h/\U0001f600", b"/%F0%9F%98%80"),
        ("http://h/?a b\"<>'{`}[|]^\\", b"/?a%20b%22%3C%3E'{`}[|]^\\"),
        ("http://h/%zz%2%", b"/%zz%2%"),
        ("http://h/%é%41", b"/%%C3%A9%41"),
        ("http://h/a:b@c!$&'()*+,;=-._~", b"/a:b@c!$&'()*+,;=-._~"),
        ("path", b"path"),
    ],
)
def test_only_characters_that_a_component_cannot_hold_are_encoded(text: str, target: bytes) -> None:
    assert URL(text).raw_path == target


def test_a_signed_url_reaches_the_wire_byte_for_byte() -> None:
    url = URL(SIGNED)
    assert str(url) == SIGNED
    assert url.raw_path.decode() == SIGNED.removeprefix("https://bucket.s3.eu-west-1.amazonaws.com")
    assert str(url.copy_with(fragment="part")) == SIGNED + "#part"
    assert str(url.copy_with(raw_path=url.raw_path)) == SIGNED
    assert str(url.copy_with(query=url.query)) == SIGNED
    assert str(URL("http://other/").join(SIGNED)) == SIGNED


def test_userinfo_and_fragment_are_encoded_by_their_own_rules() -> None:
    assert URL("http://us er:p;w=[é]@h/").userinfo == b"us%20er:p%3Bw%3D%5B%C3%A9%5D"
    assert str(URL('http://h/#a b"<>`#?{}')) == "http://h/#a%20b%22%3C%3E%60#?{}"


@pytest.mark.parametrize(
    ("text", "username", "password"),
    [
        ("http://h", "", ""),
        ("http://user@h", "user", ""),
        ("http://:secret@h", "", "secret"),
        ("http://user:a:b@h", "user", "a:b"),
        ("http://a%3Ab:c%3ad@h", "a:b", "c:d"),
        ("http://%C3%BC:%ff@h", "ü", "\ufffd"),
    ],
)
def test_username_and_password_are_decoded(text: str, username: str, password: str) -> None:
    assert (URL(text).username, URL(text).password) == (username, password)


@pytest.mark.parametrize(
    ("text", "host", "raw_host"),
    [
        ("http://münchen.de/", "münchen.de", b"xn--mnchen-3ya.de"),
        ("http://MÜNCHEN.de/", "münchen.de", b"xn--mnchen-3ya.de"),
        ("http://faß.de/", "faß.de", b"xn--fa-hia.de"),
        ("http://www.中国.icom.museum", "www.中国.icom.museum", b"www.xn--fiqs8s.icom.museum"),
        ("http://XN--FIQS8S.icom.museum", "中国.icom.museum", b"xn--fiqs8s.icom.museum"),
        ("http://under_score.é.com", "under_score.é.com", b"under_score.xn--9ca.com"),
        ("http://é。com", "é.com", b"xn--9ca.com"),
        ("http://é.com.", "é.com.", b"xn--9ca.com."),
        ("http://ΒΌΛΟΣ.com", "βόλοσ.com", b"xn--nxasmq6b.com"),
        ("http://xn--n3h.net", "xn--n3h.net", b"xn--n3h.net"),
        ("http://under_score.com", "under_score.com", b"under_score.com"),
        ("http://example.com.", "example.com.", b"example.com."),
        ("http://127.0.0.1:80/", "127.0.0.1", b"127.0.0.1"),
    ],
)
def test_names_of_other_scripts_are_shown_decoded_and_sent_encoded(text: str, host: str, raw_host: bytes) -> None:
    url = URL(text)
    assert (url.host, url.raw_host) == (host, raw_host)
    assert URL(str(url)) == url


@pytest.mark.parametrize(
    ("text", "host", "netloc", "peer"),
    [
        ("http://[::1]/", "::1", b"[::1]", "::1"),
        ("http://[::1]:8080/", "::1", b"[::1]:8080", "::1"),
        ("http://[::FFFF:1.2.3.4]/", "::ffff:1.2.3.4", b"[::ffff:1.2.3.4]", "::ffff:102:304"),
        ("http://[2001:DB8:0:0:0:0:0:1]/", "2001:db8:0:0:0:0:0:1", b"[2001:db8:0:0:0:0:0:1]", "2001:db8::1"),
        ("http://[0:0:0:0:0:0:0:1]/", "0:0:0:0:0:0:0:1", b"[0:0:0:0:0:0:0:1]", "::1"),
        ("http://[1:0:0:2:0:0:0:3]/", "1:0:0:2:0:0:0:3", b"[1:0:0:2:0:0:0:3]", "1:0:0:2::3"),
        ("http://[1:2:3:4:5:6:7::]/", "1:2:3:4:5:6:7::", b"[1:2:3:4:5:6:7::]", "1:2:3:4:5:6:7:0"),
        ("http://[fe80::1%25eth0.7]/", "fe80::1", b"[fe80::1]", "fe80::1%eth0.7"),
    ],
)
def test_ipv6_hosts_have_no_brackets_and_one_canonical_origin(text: str, host: str, netloc: bytes, peer: str) -> None:
    url = URL(text)
    assert (url.host, url.netloc, url._origin[1]) == (host, netloc, peer)
    assert URL(str(url)) == url
    assert URL(str(url))._origin == url._origin


def test_the_zone_of_a_link_local_address_serves_connecting_only() -> None:
    for text in ("http://[fe80::1%25eth0]:81/x", "http://[fe80::1%eth0]:81/x"):
        url = URL(text)
        assert url._zone == "eth0"
        assert b"eth0" not in url.netloc + url.raw_host
        assert url._origin == ("http", "fe80::1%eth0", 81)
        assert str(url.copy_with(path="/y")) == str(url.copy_with(scheme="http", path="/y")) == "http://[fe80::1%25eth0]:81/y"
        assert str(url.copy_with(host="fe80::2")) == "http://[fe80::2]:81/x"


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        ("http://Example.com/a", ("http", "example.com", 80)),
        ("https://u:p@example.com:443/a", ("https", "example.com", 443)),
        ("https://example.com:8443", ("https", "example.com", 8443)),
        ("other://example.com", ("other", "example.com", None)),
        ("/path", ("", "", None)),
    ],
)
def test_the_origin_has_the_default_port_filled_in(text: str, origin: tuple[str, str, int | None]) -> None:
    assert URL(text)._origin == origin


def test_what_the_transport_reads_directly_agrees_with_the_public_properties() -> None:
    for text in ("http://h", "http://u:p@H:81/a b?c#d", "https://[::1]/", "rel?x", SIGNED):
        url = URL(text)
        assert url._scheme == url.scheme
        assert url._host.encode() == url.raw_host
        assert url._port == url.port
        assert url._netloc == url.netloc
        assert url._target == url.raw_path
        assert url._userinfo == url.userinfo
        reference = url._uri_reference
        assert (reference.scheme, reference.host, reference.port) == (url.scheme, url._host, url.port)
        assert reference.userinfo == url.userinfo.decode()
        assert (reference.path or "/") + ("" if reference.query is None else f"?{reference.query}") == url.raw_path.decode()


def test_a_url_shows_its_password_in_str_but_not_in_repr() -> None:
    url = URL("https://user:s3cret@example.com/s3?x#y")
    assert str(url) == "https://user:s3cret@example.com/s3?x#y"
    assert repr(url) == "URL('https://user:[secure]@example.com/s3?x#y')"
    assert repr(URL("//:s3cret@[::1]:8080")) == "URL('//:[secure]@[::1]:8080')"
    assert repr(URL("http://user@h")) == "URL('http://user@h')"


def test_urls_are_equal_when_they_are_written_the_same_after_normalising() -> None:
    url = URL("http://Example.com:80/a")
    assert url == URL("http://example.com/a")
    assert url == "HTTP://example.com/a"
    assert hash(url) == hash(URL("http://example.com/a"))
    assert len({url, URL("http://example.com/a")}) == 1
    assert url != URL("http://example.com/a/")
    assert URL("http://h") != URL("http://h/")
    assert url != 1
    assert url != "http://h:port"


@pytest.mark.parametrize("text", ["", "a?b#c", "http:", "http://u:p@é.com:81/ü?q=%2f#x", "foo:////x", SIGNED, "http://[fe80::1%eth0]/"])
def test_a_url_survives_pickle_and_copy(text: str) -> None:
    url = URL(text)
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        again = pickle.loads(pickle.dumps(url, protocol))
        assert again == url
        assert again._uri_reference == url._uri_reference
    assert copy.copy(url) == copy.deepcopy(url) == url


def test_a_url_cannot_be_changed() -> None:
    url = URL("http://h/")
    with pytest.raises(AttributeError):
        url.host = "other"  # type: ignore[misc]
    with pytest.raises(AttributeError):
        url.anything = 1  # type: ignore[attr-defined]


@pytest.mark.parametrize("value", [None, 1, b"http://h", ["http://h"]])
def test_a_url_is_made_from_text_or_from_a_url(value: object) -> None:
    with pytest.raises(TypeError, match=type(value).__name__):
        URL(value)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        URL("http://h").join(value)  # type: ignore[arg-type]


BASE = "http://u:p@h:81/p?q=1#f"


@pytest.mark.parametrize(
    ("components", "expected"),
    [
        ({}, BASE),
        ({"scheme": "HTTPS"}, "https://u:p@h:81/p?q=1#f"),
        ({"scheme": None}, "//u:p@h:81/p?q=1#f"),
        ({"host": "É.com"}, "http://u:p@xn--9ca.com:81/p?q=1#f"),
        ({"host": "::1"}, "http://u:p@[::1]:81/p?q=1#f"),
        ({"host": "[::1]"}, "http://u:p@[::1]:81/p?q=1#f"),
        ({"port": None}, "http://u:p@h/p?q=1#f"),
        ({"port": 80}, "http://u:p@h/p?q=1#f"),
        ({"port": 1}, "http://u:p@h:1/p?q=1#f"),
        ({"scheme": "https", "port": 443}, "https://u:p@h/p?q=1#f"),
        ({"netloc": b"x:9"}, "http://u:p@x:9/p?q=1#f"),
        ({"netloc": b"[::2]:9"}, "http://u:p@[::2]:9/p?q=1#f"),
        ({"netloc": b"x"}, "http://u:p@x/p?q=1#f"),
        ({"username": "a@:b"}, "http://a%40%3Ab@h:81/p?q=1#f"),
        ({"password": "a@:/?#"}, "http://:a%40%3A%2F%3F%23@h:81/p?q=1#f"),
        ({"username": "a", "password": "b"}, "http://a:b@h:81/p?q=1#f"),
        ({"username": None, "password": None}, "http://h:81/p?q=1#f"),
        ({"username": ""}, "http://h:81/p?q=1#f"),
        ({"userinfo": b"a:b"}, "http://a:b@h:81/p?q=1#f"),
        ({"userinfo": b""}, "http://h:81/p?q=1#f"),
        ({"path": "/é %20"}, "http://u:p@h:81/%C3%A9%20%20?q=1#f"),
        ({"path": "/a/../b/."}, "http://u:p@h:81/b/?q=1#f"),
        ({"path": ""}, "http://u:p@h:81?q=1#f"),
        ({"path": None}, "http://u:p@h:81?q=1#f"),
        ({"raw_path": b"/a%2f?b=c?d"}, "http://u:p@h:81/a%2f?b=c?d#f"),
        ({"raw_path": b"/a"}, "http://u:p@h:81/a#f"),
        ({"raw_path": b"/a?"}, "http://u:p@h:81/a?#f"),
        ({"raw_path": b"?x"}, "http://u:p@h:81?x#f"),
        ({"raw_path": None}, "http://u:p@h:81#f"),
        ({"raw_path": b"//x/y"}, "http://u:p@h:81//x/y#f"),
        ({"query": b"a=%20 +"}, "http://u:p@h:81/p?a=%20%20+#f"),
        ({"query": b""}, "http://u:p@h:81/p?#f"),
        ({"query": None}, "http://u:p@h:81/p#f"),
        ({"params": {"a": ["b c", "&"]}}, "http://u:p@h:81/p?a=b+c&a=%26#f"),
        ({"params": "a=b"}, "http://u:p@h:81/p?a=b#f"),
        ({"params": {}}, "http://u:p@h:81/p#f"),
        ({"params": None}, "http://u:p@h:81/p#f"),
        ({"params": {"a": 1}, "query": b"z"}, "http://u:p@h:81/p?a=1#f"),
        ({"fragment": "a b#"}, "http://u:p@h:81/p?q=1#a%20b#"),
        ({"fragment": ""}, "http://u:p@h:81/p?q=1#"),
        ({"fragment": None}, "http://u:p@h:81/p?q=1"),
    ],
)
def test_components_can_be_replaced_or_removed(components: dict[str, object], expected: str) -> None:
    assert str(URL(BASE).copy_with(**components)) == expected
    assert str(URL(BASE, **components)) == expected
    assert str(URL(URL(BASE), **components)) == expected


def test_a_url_can_be_made_from_components_alone() -> None:
    assert str(URL(scheme="https", host="example.com", path="/a", params={"b": "c"})) == "https://example.com/a?b=c"
    assert str(URL(path="a/b")) == "a/b"
    assert str(URL(scheme="mailto", path="a@b.c")) == "mailto:a@b.c"


def test_a_relative_path_never_turns_into_a_scheme() -> None:
    url = URL(path="a:b")
    assert url.scheme == URL(str(url)).scheme == ""


@pytest.mark.parametrize(
    ("components", "what"),
    [
        ({"path": "x"}, "begin with '/'"),
        ({"raw_path": b"x"}, "begin with '/'"),
        ({"path": "/a?b"}, "component 'path'"),
        ({"raw_path": b"/a#b"}, "component 'path'"),
        ({"query": b"a#b"}, "component 'query'"),
        ({"query": b"\xff"}, "ASCII"),
        ({"raw_path": b"/\xff"}, "ASCII"),
        ({"userinfo": b"a@b"}, "cannot hold"),
        ({"netloc": b"u:p@h"}, "username and password"),
        ({"netloc": b"h:x"}, "port"),
        ({"scheme": "a b"}, "scheme"),
        ({"scheme": "1"}, "scheme"),
        ({"host": "a/b"}, "host"),
        ({"host": "a:b"}, "Invalid IPv6 address"),
        ({"host": "[::1"}, "host"),
        ({"host": "a" * 65_537}, "component 'host' too long"),
        ({"host": None}, "host"),
        ({"port": 65536}, "port"),
        ({"port": -1}, "port"),
        ({"params": {"a": "\ud800"}}, "surrogate"),
    ],
)
def test_a_component_that_cannot_stand_where_it_is_put_is_refused(components: dict[str, object], what: str) -> None:
    with pytest.raises(InvalidURL, match=what):
        URL(BASE).copy_with(**components)


@pytest.mark.parametrize("components", [{"path": "//x"}, {"path": ":x"}, {"port": 80}, {"username": "u"}])
def test_a_component_that_needs_a_host_is_refused_without_one(components: dict[str, object]) -> None:
    with pytest.raises(InvalidURL):
        URL(**components)


def test_components_are_examined_by_the_rules_of_the_new_scheme() -> None:
    with pytest.raises(InvalidURL):
        URL("http+unix://%2Frun/").copy_with(scheme="http")
    with pytest.raises(InvalidURL):
        URL("other://127.1/").copy_with(scheme="http")
    assert URL("http://h:443").copy_with(scheme="https").port is None


@pytest.mark.parametrize(
    "components",
    [
        {"host": b"h"},
        {"scheme": 1},
        {"port": "80"},
        {"port": 80.0},
        {"port": True},
        {"path": b"/"},
        {"query": "q"},
        {"netloc": "h"},
        {"raw_path": "/"},
        {"fragment": b"f"},
        {"userinfo": "u"},
        {"raw_host": b"h"},
        {"unknown": 1},
    ],
)
def test_a_component_of_the_wrong_type_or_name_is_a_type_error(components: dict[str, object]) -> None:
    (name,) = components
    with pytest.raises(TypeError, match=name):
        URL(BASE, **components)


def test_parameters_are_added_set_removed_and_merged_in_copies() -> None:
    url = URL("http://h/?a=1&b=2#f")
    assert str(url.copy_set_param("a", "é")) == "http://h/?a=%C3%A9&b=2#f"
    assert str(url.copy_add_param("a", 3)) == "http://h/?a=1&a=3&b=2#f"
    assert str(url.copy_remove_param("a")) == "http://h/?b=2#f"
    assert str(url.copy_remove_param("a").copy_remove_param("b")) == "http://h/#f"
    assert str(url.copy_merge_params({"b": None, "c": [1, True]})) == "http://h/?a=1&b=&c=1&c=true#f"
    assert str(url) == "http://h/?a=1&b=2#f"


RFC_BASE = "http://a/b/c/d;p?q"


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("g:h", "g:h"),
        ("g", "http://a/b/c/g"),
        ("./g", "http://a/b/c/g"),
        ("g/", "http://a/b/c/g/"),
        ("/g", "http://a/g"),
        ("//g", "http://g"),
        ("?y", "http://a/b/c/d;p?y"),
        ("g?y", "http://a/b/c/g?y"),
        ("#s", "http://a/b/c/d;p?q#s"),
        ("g#s", "http://a/b/c/g#s"),
        ("g?y#s", "http://a/b/c/g?y#s"),
        (";x", "http://a/b/c/;x"),
        ("g;x?y#s", "http://a/b/c/g;x?y#s"),
        ("", "http://a/b/c/d;p?q"),
        (".", "http://a/b/c/"),
        ("./", "http://a/b/c/"),
        ("..", "http://a/b/"),
        ("../g", "http://a/b/g"),
        ("../..", "http://a/"),
        ("../../g", "http://a/g"),
        ("../../../g", "http://a/g"),
        ("/./g", "http://a/g"),
        ("/../g", "http://a/g"),
        ("g.", "http://a/b/c/g."),
        ("..g", "http://a/b/c/..g"),
        ("./../g", "http://a/b/g"),
        ("./g/.", "http://a/b/c/g/"),
        ("g/../h", "http://a/b/c/h"),
        ("g;x=1/../y", "http://a/b/c/y"),
        ("g?y/../x", "http://a/b/c/g?y/../x"),
        ("http:g", "http://a/b/c/g"),
        # Beyond the RFC's own table
        ("?", "http://a/b/c/d;p?"),
        ("g//h", "http://a/b/c/g//h"),
        ("..%2f..", "http://a/b/c/..%2f.."),
        ("%2e%2e/g", "http://a/b/c/%2e%2e/g"),
        ("g h é", "http://a/b/c/g%20h%20%C3%A9"),
        ("//[::1]:80/x", "http://[::1]/x"),
        ("https://b", "https://b"),
        ("://x", "http://a/b/c/://x"),
        (":x", "http://a/b/c/:x"),
    ],
)
def test_references_are_resolved_as_rfc_3986_section_5_has_it(reference: str, expected: str) -> None:
    assert str(URL(RFC_BASE).join(reference)) == expected
    assert str(URL(RFC_BASE).join(URL(reference))) == expected


@pytest.mark.parametrize(
    ("base", "reference", "expected"),
    [
        ("http://u:p@h:81/a", "b", "http://u:p@h:81/b"),
        ("http://h", "b", "http://h/b"),
        ("http://h", "?b", "http://h?b"),
        ("/a/b", "c", "/a/c"),
        ("/a/b", "../../../c", "/c"),
        ("a/b", "c", "a/c"),
        ("a/b", "../../c", "c"),
        ("", "c", "c"),
        ("/a", "//h/b", "//h/b"),
        ("/a", "http://h/b", "http://h/b"),
        ("other://h/a/b", "c", "other://h/a/c"),
        ("other:a/b", "c", "other:a/c"),
        ("x", "./a:b", "./a:b"),
    ],
)
def test_the_base_may_be_relative_or_of_any_scheme(base: str, reference: str, expected: str) -> None:
    assert str(URL(base).join(reference)) == expected


def test_parse_url_shares_short_urls_between_callers() -> None:
    assert parse_url("http://h/shared") is parse_url("http://h/shared")
    long = "http://h/" + "a" * 2_100
    assert parse_url(long) is not parse_url(long)
    assert parse_url(long) == URL(long)


def test_importing_the_model_loads_nothing_heavy() -> None:
    script = """if True:
        import sys, types
        package = types.ModuleType("httpx"); package.__path__ = [sys.argv[1]]; sys.modules["httpx"] = package
        models = types.ModuleType("httpx._models"); models.__path__ = [sys.argv[1] + "/_models"]; sys.modules["httpx._models"] = models
        import httpx._models.url as m
        m.URL("https://user:pass@example.com/a%20b?c=d").params
        heavy = {"dataclasses", "inspect", "ipaddress", "urllib.parse", "email", "idna", "unicodedata", "socket"}
        print(sorted(heavy & set(sys.modules)))"""
    import httpx._exceptions

    source = str(httpx._exceptions.__file__).rpartition("_exceptions")[0].rstrip("/\\")
    result = subprocess.run([sys.executable, "-S", "-c", script, source], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


@given(st.binary(max_size=40))
def test_what_goes_into_the_request_line_is_printable_ascii_whatever_the_path_was(raw_path):
    try:
        url = URL("http://example.org/").copy_with(raw_path=b"/" + raw_path)
    except InvalidURL:
        return
    assert re.fullmatch(rb"[!-~]+", url._target)
