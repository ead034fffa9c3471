"""`httpx.Proxy` as a value, and the settings of transports that exclude each other."""

from __future__ import annotations

import pytest

import httpx


def test_credentials_move_from_the_url_to_auth():
    proxy = httpx.Proxy("http://user%40corp:pass%20word@proxy.example:3128", auth=("other", "other"))
    assert proxy.url == "http://proxy.example:3128"
    assert proxy.auth == ("user@corp", "pass word")
    assert proxy.raw_auth == (b"user@corp", b"pass word")


def test_a_bare_proxy_has_nothing_to_tell():
    proxy = httpx.Proxy("socks5://proxy.example:1080")
    assert (proxy.auth, proxy.raw_auth, proxy.ssl_context) == (None, None, None)
    assert proxy.headers == {}
    assert repr(proxy) == "Proxy('socks5://proxy.example:1080')"


def test_credentials_outside_ascii_are_utf_8():
    assert httpx.Proxy("http://proxy.example", auth=("é", "ü")).raw_auth == ("é".encode(), "ü".encode())


def test_repr_hides_what_is_secret():
    proxy = httpx.Proxy("http://user:CANARY@proxy.example", headers={"Proxy-Authorization": "Bearer CANARY", "X-A": "b"})
    assert repr(proxy) == (
        "Proxy('http://proxy.example', auth=('user', '********'), headers={'proxy-authorization': '[secure]', 'x-a': 'b'})"
    )


@pytest.mark.parametrize("url", ["ftp://proxy.example", "proxy.example:3128", "//proxy.example", ""])
def test_the_scheme_must_be_one_of_a_proxy(url):
    with pytest.raises(ValueError, match="Unknown scheme for proxy URL"):
        httpx.Proxy(url)


def test_a_url_with_an_unknown_scheme_is_shown_without_its_password():
    with pytest.raises(ValueError, match="Unknown scheme") as caught:
        httpx.Proxy("ftp://user:CANARY@proxy.example")
    assert "CANARY" not in str(caught.value)


@pytest.mark.parametrize("url", ["user:CANARY@proxy.example:3128", "http:/user:CANARY@proxy.example"])
def test_nor_is_one_that_lacks_its_slashes(url):
    with pytest.raises(ValueError, match="proxy URL") as caught:
        httpx.Proxy(url)
    assert "CANARY" not in str(caught.value)


@pytest.mark.parametrize("auth", ["ab", ("user",), ("user", "password", "realm"), ("user", None), (b"user", b"password"), 5])
def test_credentials_are_a_pair_of_strings(auth):
    with pytest.raises(TypeError, match="pair of strings"):
        httpx.Proxy("http://proxy.example", auth=auth)


@pytest.mark.parametrize("transport", [httpx.HTTPTransport, httpx.AsyncHTTPTransport])
class TestTransports:
    def test_the_positions_are_those_of_httpx(self, transport):
        transport(True, None, True, True, False, httpx.Limits(), None, None, None, 0, None)

    def test_some_protocol_must_be_left(self, transport):
        with pytest.raises(ValueError, match="no protocol"):
            transport(http1=False, http2=False)

    def test_a_socket_and_a_proxy_exclude_each_other(self, transport):
        with pytest.raises(ValueError, match="uds= and proxy="):
            transport(uds="/run/server.sock", proxy="http://proxy.example")

    @pytest.mark.parametrize("context", [True, "ca.pem"])
    def test_the_context_of_a_proxy_must_be_one(self, transport, context):
        proxy = httpx.Proxy("https://proxy.example", ssl_context=context)
        with pytest.raises(TypeError, match=r"ssl_context= of a Proxy is an ssl\.SSLContext"):
            transport(proxy=proxy)

    def test_a_proxy_may_be_a_url(self, transport):
        transport(proxy="http://proxy.example")
        transport(proxy=httpx.URL("http://proxy.example"))
        transport(proxy=httpx.Proxy("http://proxy.example"))
