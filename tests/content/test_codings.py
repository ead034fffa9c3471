"""Content codings: undone whatever the pieces, refused when cut or corrupt, and never more memory than a bound."""

from __future__ import annotations

import contextlib
import gzip
import importlib.util
import itertools
import random
import sys
import tracemalloc
import zlib

import brotli
import pytest

import httpx
from httpx._content import brotli_decoder, codings, zstd_decoder

zstandard = pytest.importorskip("zstandard") if sys.version_info < (3, 14) else None

_random = random.Random(1)  # the same in all processes that collect these tests
PLAIN = b"".join(_random.randbytes(50) + bytes(50) for _ in range(2000))


def gzip_compress(data):
    return gzip.compress(data, mtime=0)  # so are its results


def deflate_bare(data):
    engine = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return engine.compress(data) + engine.flush()


def zstd(data):
    if zstandard is None:
        from compression import zstd as module

        return module.compress(data)
    return zstandard.ZstdCompressor(write_checksum=True).compress(data)


def br(data):
    return brotli.compress(data, quality=4)


ENCODERS = {"gzip": gzip_compress, "deflate": zlib.compress, "br": br, "zstd": zstd}


def response(encoded, coding, **settings):
    return httpx.Response(200, headers={"Content-Encoding": coding}, content=encoded, **settings)


def decoded(pieces, coding, **settings):
    """What a response whose body comes in these pieces decodes to."""
    return b"".join(response(iter(pieces), coding, **settings).iter_bytes())


def _use_zstd_of(engine, monkeypatch):
    if engine == "zstandard":
        zstandard = pytest.importorskip("zstandard")
        monkeypatch.setattr(zstd_decoder, "_load", lambda: (zstd_decoder.engines_of_zstandard, zstandard.ZstdError))
    elif not any(importlib.util.find_spec(name) for name in ("compression", "backports")):
        pytest.skip("neither compression.zstd nor backports.zstd is here")


@pytest.fixture(params=["standard", "zstandard"])
def zstd_engine(request, monkeypatch):
    """Either way to undo zstd: with the standard library (or its backport), and with zstandard."""
    _use_zstd_of(request.param, monkeypatch)


@pytest.fixture(params=["gzip", "deflate", "br", "zstd of standard", "zstd of zstandard"])
def coding(request, monkeypatch):
    """Each coding, and zstd with either engine."""
    name, _, engine = request.param.partition(" of ")
    if engine:
        _use_zstd_of(engine, monkeypatch)
    return name


def cut(data, size):
    return [data[start : start + size] for start in range(0, len(data), size)]


@pytest.mark.parametrize("size", [1, 7, 4096, 1 << 30])
def test_a_body_is_decoded_whatever_its_pieces(coding, size):
    plain = PLAIN[: size * 30_000]
    assert decoded(cut(ENCODERS[coding](plain), size), coding) == plain


@pytest.mark.parametrize("size", [1, 2, 1 << 30])
def test_deflate_comes_with_its_wrapper_and_without(size):  # B12
    plain = PLAIN[: size * 30_000]
    assert decoded(cut(zlib.compress(plain), size), "deflate") == plain
    assert decoded(cut(deflate_bare(plain), size), "deflate") == plain


@pytest.mark.parametrize("size", [1, 10, 1 << 30])
def test_several_gzip_members_and_zstd_frames_are_one_body(zstd_engine, size):  # B9, B10
    assert decoded(cut(gzip_compress(b"one") + gzip_compress(b"two") + bytes(5), size), "gzip") == b"onetwo"
    skippable = b"\x5a\x2a\x4d\x18\x03\0\0\0abc"
    assert decoded(cut(zstd(b"one") + skippable + zstd(b"") + zstd(b"two"), size), "zstd") == b"onetwo"


@pytest.mark.parametrize("chain", list(itertools.permutations(["gzip", "br", "zstd"])), ids=" ".join)
def test_a_chain_is_undone_in_reverse(zstd_engine, chain):
    encoded = PLAIN
    for coding in chain:
        encoded = ENCODERS[coding](encoded)
    assert decoded(cut(encoded, 1000), ", ".join(chain)) == PLAIN
    fields = [("Content-Encoding", coding) for coding in chain]
    assert httpx.Response(200, headers=fields, content=encoded).content == PLAIN


def test_five_codings_are_undone_and_six_are_not():  # B3
    encoded = b"plain"
    for _ in range(5):
        encoded = gzip_compress(encoded)
    assert response(encoded, ",".join(["gzip"] * 5)).content == b"plain"
    for fields in ([("Content-Encoding", ",".join(["gzip"] * 6))], [("Content-Encoding", "gzip")] * 50):
        with pytest.raises(httpx.DecodingError, match="at most 5"):
            httpx.Response(200, headers=fields, content=encoded)


@pytest.mark.parametrize("missing", [1, 2, 8, 10])
def test_a_body_that_was_cut_short_is_an_error(coding, missing):  # B5, B6, B7
    with pytest.raises(httpx.DecodingError, match="ends in the middle"):
        decoded([ENCODERS[coding](PLAIN)[:-missing]], coding)


def test_even_one_byte_is_a_body_that_was_cut_short(coding):
    with pytest.raises(httpx.DecodingError):
        decoded([ENCODERS[coding](PLAIN)[:1]], coding)


@pytest.mark.parametrize(("coding", "start"), [("gzip", -8), ("gzip", -4), ("deflate", -4), ("zstd", -4)])
def test_a_wrong_checksum_is_an_error(zstd_engine, coding, start):  # B8
    encoded = bytearray(ENCODERS[coding](PLAIN))
    encoded[start] ^= 0xFF
    with pytest.raises(httpx.DecodingError, match="not valid"):
        decoded([bytes(encoded)], coding)


def test_what_is_not_encoded_at_all_is_an_error(coding):  # B12
    with pytest.raises(httpx.DecodingError):
        decoded([b"just some text that nobody has compressed"], coding)


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
@pytest.mark.parametrize("behind", [b"trailing garbage", b"\0\0garbage", b"\x1f", b"\x1fgarbage"])
def test_bytes_behind_the_end_of_gzip_and_deflate_are_not_content(coding, behind):
    encoded = ENCODERS[coding](PLAIN)
    assert decoded([encoded + behind], coding) == decoded([encoded, behind], coding) == PLAIN
    assert decoded([encoded, *(behind[start : start + 1] for start in range(len(behind)))], coding) == PLAIN


@pytest.mark.parametrize("coding", ["br", "zstd of standard", "zstd of zstandard"], indirect=True)
def test_bytes_behind_the_end_of_brotli_and_zstd_are_an_error(coding):
    with pytest.raises(httpx.DecodingError):
        decoded([ENCODERS[coding](PLAIN) + b"trailing garbage"], coding)
    with pytest.raises(httpx.DecodingError):
        decoded([ENCODERS[coding](PLAIN), b"trailing garbage"], coding)


def test_whatever_is_broken_is_a_decoding_error(coding):
    whole = ENCODERS[coding](PLAIN[:2000])
    for position in range(0, len(whole), 7):
        for broken in (whole[:position], whole[:position] + b"\xff" + whole[position:], whole[:position] + b"\0\0" + whole[position + 2 :]):
            with contextlib.suppress(httpx.DecodingError):
                decoded(cut(broken, 50), coding)


def test_no_body_is_no_error(coding):  # B14
    assert decoded([], coding) == b""
    assert response(b"", coding).content == b""


@pytest.mark.parametrize(
    ("coding", "encoded", "plain"),
    [
        ("GZIP", gzip_compress(b"x"), b"x"),
        ("x-gzip", gzip_compress(b"x"), b"x"),
        (" gzip ,identity", gzip_compress(b"x"), b"x"),
        ("", b"x", b"x"),
        ("identity", b"x", b"x"),
        ("foo", b"x", b"x"),
        ("gzip, foo", b"x", b"x"),
        ("foo, gzip", gzip_compress(b"x"), b"x"),
        ("dcb", b"x", b"x"),
    ],
)
def test_names_are_read_without_regard_to_case_and_unknown_ones_left_alone(coding, encoded, plain):  # B16
    assert response(encoded, coding).content == plain


def test_the_window_of_zstd_is_bounded(zstd_engine):  # B11
    frame = b"\x28\xb5\x2f\xfd" + b"\x00" + bytes([(31 - 10) << 3]) + b"\x01\0\0"
    tracemalloc.start()
    with pytest.raises(httpx.DecodingError, match="not valid zstd"):
        decoded([frame], "zstd")
    assert tracemalloc.get_traced_memory()[1] < 8 * 1024 * 1024
    tracemalloc.stop()


def test_pieces_are_small_however_much_a_byte_stands_for(coding):
    size = 30_000_000
    encoded = ENCODERS[coding](bytes(size))
    assert len(encoded) * 500 < size
    pieces = list(map(len, response(iter([encoded]), coding).iter_bytes()))
    assert sum(pieces) == size
    assert max(pieces) <= 1024 * 1024


@pytest.mark.parametrize("times", [1, 2])
def test_a_bomb_is_given_up(coding, times):
    encoded = ENCODERS[coding](bytes(110 * 1024 * 1024))
    if times == 2:
        encoded = ENCODERS[coding](encoded)
    taken = []
    bombed = response(iter([encoded]), ", ".join([coding] * times), request=httpx.Request("GET", "http://example.org/"))
    with pytest.raises(httpx.DecodingError, match="250 times its size") as caught:
        taken.extend(map(len, bombed.iter_bytes()))
    assert sum(taken) <= codings.MAX_DECODED_SIZE
    assert bombed.is_closed
    assert caught.value.request is bombed.request


def test_the_limits_are_the_callers_to_set():
    encoded = gzip_compress(bytes(10_000_000))

    def sized(**limits):
        return httpx.Request("GET", "http://example.org/", extensions=limits)

    with pytest.raises(httpx.DecodingError, match="5 times"):
        response(encoded, "gzip", request=sized(max_decoded_size=1_000_000, max_decoded_ratio=5))
    with pytest.raises(httpx.DecodingError, match="5 times"):
        response(gzip_compress(bytes(100_000)), "gzip", request=sized(max_decoded_size=1_000, max_decoded_ratio=5))
    for limits in (
        {"max_decoded_size": None},
        {"max_decoded_size": 1, "max_decoded_ratio": 2000},
        {"max_decoded_size": 1, "max_decoded_ratio": None},
    ):
        assert len(response(encoded, "gzip", request=sized(**limits)).content) == 10_000_000


def test_accept_encoding_says_what_can_be_undone():
    assert codings.accept_encoding() == "gzip, deflate, br, zstd"
    with httpx.Client() as client:
        assert client.headers["Accept-Encoding"] == "gzip, deflate, br, zstd"


@pytest.fixture
def uncached():
    """The choice of codings, made anew within the test."""
    caches = [codings.available_codings, codings.accept_encoding, brotli_decoder._load, zstd_decoder._load, zstd_decoder.has_zstd]
    for cache in caches:
        cache.cache_clear()
    yield
    for cache in caches:
        cache.cache_clear()


def test_what_is_not_installed_is_neither_offered_nor_undone(uncached, monkeypatch):
    for name in ("brotli", "brotlicffi"):
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert codings.accept_encoding() == "gzip, deflate"
    assert response(b"raw", "br").content == b"raw"
    assert response(b"raw", "gzip, zstd").content == b"raw"


def test_a_brotli_that_cannot_be_bounded_is_not_offered(uncached, monkeypatch):  # B15
    class Old:
        class Decompressor:
            def process(self, data): ...

    monkeypatch.setitem(sys.modules, "brotli", Old)
    assert "br" not in codings.accept_encoding()
    assert response(b"raw", "br").content == b"raw"


def test_a_zstd_that_cannot_be_imported_says_so(uncached, monkeypatch):
    for name in ("compression.zstd", "backports.zstd", "zstandard"):
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setattr(zstd_decoder, "has_zstd", lambda: True)
    with pytest.raises(httpx.DecodingError, match=r"pip install httpx\[zstd\]"):
        response(b"raw", "zstd")


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd"])
async def test_a_response_over_the_wire_is_decoded(no_leaks, runtime, scripted, coding):
    encoded = ENCODERS[coding](PLAIN)

    def answer(conn):
        while True:
            assert coding in conn.read_request().headers["accept-encoding"]
            conn.send(b"HTTP/1.1 200 OK\r\nContent-Encoding: %b\r\nContent-Length: %d\r\n\r\n" % (coding.encode(), len(encoded)))
            conn.send_each(cut(encoded, 30_000))

    server = scripted(answer)
    async with runtime.client() as client:
        assert (await client.get(server.url)).content == PLAIN
        async with client.stream("GET", server.url) as streamed:
            assert b"".join([piece async for piece in streamed.aiter_bytes()]) == PLAIN
        async with client.stream("GET", server.url) as streamed:
            assert b"".join([piece async for piece in streamed.aiter_raw()]) == encoded
        assert streamed.num_bytes_downloaded == len(encoded)
    assert len(server.connections) == 1


@pytest.mark.parametrize("body", [b"not compressed", gzip_compress(PLAIN)[:-4]], ids=["plain", "cut"])
async def test_a_body_that_does_not_decode_closes_its_response(no_leaks, runtime, scripted, body):
    def answer(conn):
        while True:
            conn.read_request()
            conn.send(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(body))
            conn.send(body)

    server = scripted(answer)
    async with runtime.client() as client:
        with pytest.raises(httpx.DecodingError) as caught:
            await client.get(server.url)
        assert str(caught.value.request.url) == server.url
        async with client.stream("GET", server.url) as streamed:
            with pytest.raises(httpx.DecodingError):
                async for _ in streamed.aiter_bytes():
                    pass
            assert streamed.is_closed


async def test_closing_decodes_nothing(no_leaks, runtime, scripted):  # B4
    encoded = gzip_compress(bytes(50_000_000))

    def answer(conn):
        conn.read_request()
        conn.send(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(encoded))
        conn.send(encoded)
        conn.wait_closed()

    server = scripted(answer)
    async with runtime.client() as client, client.stream("GET", server.url) as streamed:
        async for _ in streamed.aiter_bytes(65_536):
            break
        await streamed.aclose()
        with pytest.raises((httpx.StreamConsumed, httpx.StreamClosed)):
            await streamed.aread()


def test_very_many_small_frames_of_zstd_cost_one_decompressor(monkeypatch):
    """It takes far longer to make than such a frame to decode."""
    zstandard = pytest.importorskip("zstandard")
    _use_zstd_of("zstandard", monkeypatch)
    made, make = [], zstandard.ZstdDecompressor
    monkeypatch.setattr(zstandard, "ZstdDecompressor", lambda **settings: made.append(settings) or make(**settings))
    frames = zstandard.ZstdCompressor().compress(b"") * 1_000 + b"\x50\x2a\x4d\x18\2\0\0\0hi" * 1_000
    body = frames + zstandard.ZstdCompressor().compress(b"hello")
    for size in (7, 1_000, len(body)):
        assert decoded([body[start : start + size] for start in range(0, len(body), size)], "zstd") == b"hello"
    assert len(made) == 3
