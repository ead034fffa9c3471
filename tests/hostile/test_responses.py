"""Responses over HTTP/1.1 that are malformed, endless, ambiguous, or cut: from the socket to the caller."""

from __future__ import annotations

import zlib

import pytest

import httpx
from tests.hostile.attack import EVIL, HASTY, Case, attack, flood, variants

RPE, DE, SLOW = httpx.RemoteProtocolError, httpx.DecodingError, httpx.ReadTimeout
OK = "HTTP/1.1 200 OK"
CHUNKED = "Transfer-Encoding: chunked"
LENGTH_2 = "Content-Length: 2"
HELLO = b"5\r\nhello\r\n0\r\n\r\n"


def reply(*lines: str, body: bytes = b"") -> bytes:
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


FRAMING = [
    # D1-D13: two truths about where the body ends.
    Case("length and chunked", reply(OK, "Content-Length: 3", CHUNKED, body=HELLO + EVIL), RPE),
    Case("chunked and length", reply(OK, CHUNKED, "Content-Length: 3", body=HELLO + EVIL), RPE),
    Case("two lengths", reply(OK, "Content-Length: 5", "content-length: 6", body=b"hello!"), RPE),
    Case("a list of lengths", reply(OK, "Content-Length: 5, 6", body=b"hello!"), RPE),
    Case("a list of equal lengths", reply(OK, "Content-Length: 5, 5", body=b"hello"), b"hello", reused=True),
    Case("three equal lengths", reply(OK, *["Content-Length: 5"] * 3, body=b"hello"), b"hello", reused=True),
    Case("equal lengths written differently", reply(OK, "Content-Length: 5, 05", body=b"hello"), RPE),
    Case("a list of lengths with a hole", reply(OK, "Content-Length: 5,", body=b"hello"), RPE),
    Case("a list of lengths that begins with a hole", reply(OK, "Content-Length: , 5", body=b"hello"), RPE),
    *[
        Case(f"length {value!r}", reply(OK, f"Content-Length: {value}", body=b"hello"), RPE)
        for value in ("0x5", "1_0", "5 5", "", "5.0", "5a", "+5", "-5", "-0", "5e0", "5;q=1", '"5"', "\xb2", "5\t5", "0b11", "NaN")
    ],
    Case("length -1, as curl once read it", reply(OK, "Content-Length: -1", body=EVIL), RPE),
    Case("length in other digits", "HTTP/1.1 200 OK\r\nContent-Length: \uff15\r\n\r\nhello".encode(), RPE),
    Case("length of a NUL", reply(OK, "Content-Length: 5\0", body=b"hello"), RPE),
    Case("length and a hard space", reply(OK, "Content-Length: 5\xa0", body=b"hello"), RPE),
    Case("a list of lengths of which the last one differs", reply(OK, "Content-Length: 5, 5, 6", body=b"hello!"), RPE),
    Case("a length of zero and chunked", reply(OK, "Content-Length: 0", CHUNKED, body=HELLO), RPE),
    Case("a name that upper case would make Transfer-Encoding", "HTTP/1.1 200 OK\r\nTran\u017ffer-Encoding: chunked\r\n\r\n".encode(), RPE),
    Case("length with white space around", reply(OK, "Content-Length: \t 5 \t ", body=b"hello"), b"hello", reused=True),
    Case("length with leading zeros", reply(OK, "Content-Length: 0005", body=b"hello"), b"hello", reused=True),
    Case("length of 30 digits", reply(OK, "Content-Length: " + "9" * 30), RPE),
    Case("length of 5000 digits", reply(OK, "Content-Length: " + "9" * 5000), RPE),
    Case("length of 2^64", reply(OK, f"Content-Length: {2**64}", body=b"x"), RPE, ends=True),
    Case("length of 2^63 - 1", reply(OK, f"Content-Length: {2**63 - 1}", body=b"x"), RPE, ends=True),
    Case("a length that is not allocated", reply(OK, f"Content-Length: {10**12}", body=b"abc"), RPE, words="received 3 bytes", ends=True),
    *[
        Case(f"coding {value!r}", reply(OK, f"Transfer-Encoding: {value}", body=HELLO), RPE)
        for value in (
            "xchunked",
            "chunkedx",
            "chunked, identity",
            "identity, chunked",
            "chunked, chunked",
            "gzip, chunked",
            "gzip",
            "identity",
            "",
            "chunked;q=1",
            "chunked ;",
            '"chunked"',
            "chunked,",
            ", chunked",
            "chunked\xa0",
            "chunked\x85",
            "c hunked",
        )
    ],
    Case("coding with a vertical tab", reply(OK, "Transfer-Encoding: \x0bchunked", body=HELLO), RPE),
    Case("coding with a NUL", reply(OK, "Transfer-Encoding: chunked\0", body=HELLO), RPE),
    Case("coding in two fields", reply(OK, CHUNKED, CHUNKED, body=HELLO), RPE),
    Case("coding and identity in two fields", reply(OK, "Transfer-Encoding: identity", CHUNKED, body=HELLO), RPE),
    Case("coding folded onto the next line", reply(OK, "Transfer-Encoding:", " chunked", body=HELLO), RPE),
    Case("coding folded after a tab", reply(OK, "Transfer-Encoding:", "\tchunked", body=HELLO), RPE),
    Case("coding with a space before the colon", reply(OK, "Transfer-Encoding : chunked", LENGTH_2, body=HELLO), RPE),
    Case("coding with an underscore is another field", reply(OK, "Transfer_Encoding: chunked", LENGTH_2, body=b"hi"), b"hi", reused=True),
    Case("coding of any case, padded", reply(OK, "transfer-ENCODING: \tChUnKeD ", body=HELLO), b"hello", reused=True),
    Case("coding in HTTP/1.0", reply("HTTP/1.0 200 OK", CHUNKED, body=HELLO), RPE),
    Case("coding in HTTP/1.0 that is kept alive", reply("HTTP/1.0 200 OK", "Connection: keep-alive", CHUNKED, body=HELLO), RPE),
    # D13-D17: chunks.
    *[
        Case(f"chunk size {size!r}", reply(OK, CHUNKED, body=size + b"\r\nhello\r\n0\r\n\r\n"), RPE)
        for size in (
            b"10000000000000005",
            b"0" * 300 + b"5",
            b"-5",
            b"+5",
            b"0x5",
            b" 5",
            b"\t5",
            b"5_",
            b"0_5",
            b"5 5",
            b"",
            b";ext",
            b"g",
            b"5h",
            b"\xef\xbc\x95",
            b"5\x00",
            b"5\x0b",
            b"5\xa0",
            b"5,5",
            b"5=",
            b"5;a\x00b",
            b"5;a\nb",
            b"5;a\rb",
            b"'5'",
        )
    ],
    Case("chunk size with white space behind it", reply(OK, CHUNKED, body=b"5 \t\r\nhello\r\n0\r\n\r\n"), b"hello", reused=True),
    Case("chunk size with leading zeros", reply(OK, CHUNKED, body=b"0000005\r\nhello\r\n00\r\n\r\n"), b"hello", reused=True),
    Case("chunk extension", reply(OK, CHUNKED, body=b'5;a="\\"b;c";d\r\nhello\r\n0;last\r\n\r\n'), b"hello", reused=True),
    Case("data longer than its chunk", reply(OK, CHUNKED, body=b"5\r\nhelloXX0\r\n\r\n"), RPE),
    Case("data shorter than its chunk", reply(OK, CHUNKED, body=b"6\r\nhello\r\n0\r\n\r\n"), RPE),
    Case("LF behind the size", reply(OK, CHUNKED, body=b"5\nhello\r\n0\r\n\r\n"), RPE),
    Case("CR behind the size", reply(OK, CHUNKED, body=b"5\rhello\r\n0\r\n\r\n"), RPE),
    Case("CR CR LF behind the size", reply(OK, CHUNKED, body=b"5\r\r\nhello\r\n0\r\n\r\n"), RPE),
    Case("LF behind the data", reply(OK, CHUNKED, body=b"5\r\nhello\n0\r\n\r\n"), RPE),
    Case("CR behind the data", reply(OK, CHUNKED, body=b"5\r\nhello\r0\r\n\r\n"), RPE),
    Case("LF CR behind the data", reply(OK, CHUNKED, body=b"5\r\nhello\n\r0\r\n\r\n"), RPE),
    Case("an empty line between chunks", reply(OK, CHUNKED, body=b"5\r\nhello\r\n\r\n0\r\n\r\n"), RPE),
    Case("LF LF at the end", reply(OK, CHUNKED, body=b"5\r\nhello\r\n0\n\n"), RPE),
    Case("LF for the last line", reply(OK, CHUNKED, body=b"5\r\nhello\r\n0\r\n\n" + EVIL), RPE),
    Case("not chunked at all", reply(OK, CHUNKED, body=b"<html>hello</html>"), RPE),
    Case("a response in the place of a chunk", reply(OK, CHUNKED, body=EVIL), RPE),
    *[
        Case(f"end of file {where}", reply(OK, CHUNKED, body=body), RPE, ends=True)
        for where, body in {
            "before the chunks": b"",
            "in a size": b"5",
            "in an extension": b"5;abc",
            "before the LF of a size": b"5\r",
            "in the data": b"5\r\nhel",
            "behind the data": b"5\r\nhello",
            "behind the CR of the data": b"5\r\nhello\r",
            "behind a chunk": b"5\r\nhello\r\n",
            "behind the last size": b"5\r\nhello\r\n0",
            "behind the last chunk": b"5\r\nhello\r\n0\r\n",
            "in the trailers": b"5\r\nhello\r\n0\r\nX-A: b\r\n",
            "before the very last LF": b"5\r\nhello\r\n0\r\n\r",
        }.items()
    ],
    Case(
        "end of file in a sized body", reply(OK, "Content-Length: 10", body=b"hello"), RPE, words="received 5 bytes, expected 10", ends=True
    ),
    Case("end of file before a sized body", reply(OK, "Content-Length: 10"), RPE, words="received 0 bytes, expected 10", ends=True),
    Case("a chunk of 2^63 bytes", reply(OK, CHUNKED, body=b"8000000000000000\r\nhello"), RPE, ends=True),
    Case("chunk extensions of 16 kB", reply(OK, CHUNKED, body=b"5;" + b"a" * 16_383 + b"\r\nhello\r\n0\r\n\r\n"), b"hello", reused=True),
    Case("chunk extensions of more", reply(OK, CHUNKED, body=b"5;" + b"a" * 16_384 + b"\r\nhello\r\n0\r\n\r\n"), RPE),
    Case("a response behind the last chunk", reply(OK, CHUNKED, body=b"0\r\n") + EVIL, RPE),
    # D18: trailers.
    Case("a trailer that is a request", reply(OK, CHUNKED, body=b"0\r\nGET / HTTP/1.1\r\n\r\n"), RPE),
    Case("a trailer that is a pseudo-header", reply(OK, CHUNKED, body=b"0\r\n:status: 500\r\n\r\n"), RPE),
    Case("500 trailers", reply(OK, CHUNKED, body=b"0\r\n" + b"A: b\r\n" * 500 + b"\r\n"), b"", reused=True),
    Case("501 trailers", reply(OK, CHUNKED, body=b"0\r\n" + b"A: b\r\n" * 501 + b"\r\n"), RPE),
    Case("a trailer longer than a header may be", reply(OK, CHUNKED, body=b"0\r\nA: " + b"b" * 70_000 + b"\r\n\r\n"), RPE),
    Case("trailers with line feeds alone", reply(OK, CHUNKED, body=b"0\r\nA: b\n\n"), RPE, ends=True),
    Case("a trailer without a colon", reply(OK, CHUNKED, body=b"5\r\nhello\r\n0\r\nBADTRAILER\r\n\r\n"), RPE),
    Case("a folded trailer", reply(OK, CHUNKED, body=b"5\r\nhello\r\n0\r\nA: b\r\n c\r\n\r\n"), RPE),
    Case("a trailer with a space in its name", reply(OK, CHUNKED, body=b"5\r\nhello\r\n0\r\nA : b\r\n\r\n"), RPE),
    Case("a trailer with a NUL", reply(OK, CHUNKED, body=b"5\r\nhello\r\n0\r\nA: \0\r\n\r\n"), RPE),
    Case("a trailer with a bare LF", reply(OK, CHUNKED, body=b"5\r\nhello\r\n0\r\nA: b\nB: c\r\n\r\n"), RPE),
    Case(
        "trailers that would frame, redirect, or set cookies",
        reply(
            OK,
            CHUNKED,
            body=b"5\r\nhello\r\n0\r\nContent-Length: 99\r\nTransfer-Encoding: x\r\nConnection: close\r\n"
            b"Location: /evil\r\nSet-Cookie: a=b\r\n\r\n",
        ),
        lambda response: (
            _equal(response.content, b"hello")
            or _equal(dict(response.headers), {"transfer-encoding": "chunked"})
            or _equal(list(response.cookies), [])
            or _equal(len(response.extensions["trailers"]), 5)
        ),
        reused=True,
    ),
    # Messages that have no body.
    Case("bytes behind HEAD", reply(OK, "Content-Length: 11", body=b"canary-EVIL"), b"", method="HEAD"),
    Case("HEAD with chunked", reply(OK, CHUNKED), b"", method="HEAD", reused=True),
    Case("HEAD with chunked and its body", reply(OK, CHUNKED, body=HELLO), b"", method="HEAD"),
    Case("HEAD with two lengths", reply(OK, "Content-Length: 5", "Content-Length: 6"), b"", method="HEAD", reused=None),
    Case("HEAD with a malformed length", reply(OK, "Content-Length: five"), b"", method="HEAD", reused=None),
    Case("304 with a length", reply("HTTP/1.1 304 Not Modified", "Content-Length: 5000", "ETag: x"), b"", reused=True),
    Case("304 with a length and its body", reply("HTTP/1.1 304 Not Modified", "Content-Length: 5", body=b"hello"), b""),
    Case("304 with chunked", reply("HTTP/1.1 304 Not Modified", CHUNKED), b"", reused=True),
    Case("204 with a length", reply("HTTP/1.1 204 No Content", "Content-Length: 4"), b""),
    Case("204 with a length and a body", reply("HTTP/1.1 204 No Content", "Content-Length: 4", body=b"EVIL"), b""),
    Case("204 with chunked", reply("HTTP/1.1 204 No Content", CHUNKED, body=b"4\r\nEVIL\r\n0\r\n\r\n"), b""),
    Case("204 with a length of zero", reply("HTTP/1.1 204 No Content", "Content-Length: 0"), b"", reused=True),
    Case("205 with a body", reply("HTTP/1.1 205 Reset Content", LENGTH_2, body=b"hi"), b"hi", reused=True),
    Case("a body without framing", reply(OK, body=b"to the end"), b"to the end", ends=True),
    Case("a body without framing, kept alive", reply(OK, "Connection: keep-alive", body=b"to the end"), b"to the end", ends=True),
    Case("a body without framing that looks like two", reply(OK, body=b"a" + EVIL), b"a" + EVIL, ends=True),
    Case(
        "HTTP/1.0 with a length, kept alive", reply("HTTP/1.0 200 OK", "Connection: Keep-Alive", LENGTH_2, body=b"hi"), b"hi", reused=True
    ),
    Case("HTTP/1.0 with a length", reply("HTTP/1.0 200 OK", LENGTH_2, body=b"hi"), b"hi"),
    Case("Connection: close among others", reply(OK, "Connection: x, CLOSE ,keep-alive", LENGTH_2, body=b"hi"), b"hi"),
    Case("Connection: close in the second field", reply(OK, "Connection: keep-alive", "connection: close", LENGTH_2, body=b"hi"), b"hi"),
    Case("Connection: closed is not close", reply(OK, "Connection: closed", LENGTH_2, body=b"hi"), b"hi", reused=True),
    Case("Proxy-Connection means nothing", reply(OK, "Proxy-Connection: close", LENGTH_2, body=b"hi"), b"hi", reused=True),
]


def _equal(found: object, expected: object) -> None:
    assert found == expected


HEADS = [
    # S: the grammar of a head.
    *[
        Case(name, reply(OK, line, LENGTH_2, body=b"hi"), RPE)
        for name, line in {
            "space before the colon": "X-A : b",
            "tab before the colon": "X-A\t: b",
            "folded line": "X-A: a\r\n folded",
            "folded line that is blank": "X-A: a\r\n ",
            "line of white space": " ",
            "no colon": "garbage line",
            "empty name": ": x",
            "CR in a value": "X-A: a\rX-B: c",
            "CR at the end of a value": "X-A: a\r",
            "LF in a value": "X-A: a\nX-B: c",
            "space in a name": "X A: b",
            "non-ASCII name": "X-\xe9: b",
            "NUL in a name": "X-\0: b",
            "NUL in a value": "X-A: a\0b",
            "ESC in a value": "X-A: \x1b[2J",
            "DEL in a value": "X-A: \x7f",
            "name in brackets": "X(A): b",
            "name in quotes": '"X-A": b',
            "name with a slash": "X/A: b",
            "pseudo header": ":status: 500",
            "leading space": " X-B: b",
            "leading tab": "\tX-B: b",
            "a request in a header": "GET / HTTP/1.1",
        }.items()
    ],
    *[
        Case(f"status line {line!r}", line.encode("latin-1") + b"\r\nContent-Length: 2\r\n\r\nhi", RPE)
        for line in (
            "HTTP/2.0 200 OK",
            "HTTP/1.10 200 OK",
            "HTTP/1.2 200 OK",
            "HTTP/0.9 200 OK",
            "HTTP/1 200 OK",
            "HTTP/01.1 200 OK",
            "http/1.1 200 OK",
            "XHTTP/1.1 200 OK",
            "ICY 200 OK",
            "HTTP/1.1  200 OK",
            "HTTP/1.1\t200 OK",
            "HTTP/1.1 200OK",
            "HTTP/1.1 20 OK",
            "HTTP/1.1 2000 OK",
            "HTTP/1.1 +20 OK",
            "HTTP/1.1 0x1 OK",
            "HTTP/1.1 000 OK",
            "HTTP/1.1 099 OK",
            "HTTP/1.1 -200 OK",
            "HTTP/1.1 2 0 OK",
            "HTTP/1.1 \xb2\xb2\xb2 OK",
            "HTTP/1.1",
            "HTTP/1.1 ",
            " HTTP/1.1 200 OK",
            "\tHTTP/1.1 200 OK",
            "HTTP/1.1 200 O\0K",
            "HTTP/1.1 200 O\rX-Inj: y",
            "HTTP/1.1 200 \x1b[2J",
            "HTTP /1.1 200 OK",
            "HTTP/1.1200 OK",
            "GET / HTTP/1.1",
            "200 OK",
            "<html>",
            "{}",
            "SSH-2.0-OpenSSH_9.2",
            "+OK POP3 ready",
            "220 mail ESMTP",
            "RTSP/1.0 200 OK",
            "HTTPS/1.1 200 OK",
        )
    ],
    Case("an empty line first", b"\r\n" + reply(OK, LENGTH_2, body=b"hi"), RPE),
    Case("a byte order mark first", b"\xef\xbb\xbf" + reply(OK, LENGTH_2, body=b"hi"), RPE),
    Case("a NUL first", b"\0", RPE),
    Case("no reason", reply("HTTP/1.1 200", LENGTH_2, body=b"hi"), b"hi", reused=True),
    Case("no reason but its space", reply("HTTP/1.1 200 ", LENGTH_2, body=b"hi"), b"hi", reused=True),
    Case("a reason in Latin-1", reply("HTTP/1.1 200 \xd6K", LENGTH_2, body=b"hi"), b"hi", reused=True),
    Case("a status that nobody knows", reply("HTTP/1.1 799 Hm", LENGTH_2, body=b"hi"), b"hi", reused=True),
    Case("a status of 999", reply("HTTP/1.1 999 Hm", LENGTH_2, body=b"hi"), b"hi", reused=True),
    Case("line feeds alone, throughout", b"HTTP/1.1 200 OK\nContent-Length: 2\n\nhi", b"hi"),
    Case("line feeds alone, then a response", b"HTTP/1.1 200 OK\nContent-Length: 2\n\nhi" + EVIL, b"hi"),
    Case("line feeds in the head, CRLF at its end", b"HTTP/1.1 200 OK\nContent-Length: 2\r\n\r\nhi", RPE),
    Case("CRLF in the head, line feeds at its end", b"HTTP/1.1 200 OK\r\nContent-Length: 2\n\nhi", RPE),
    Case("carriage returns alone", b"HTTP/1.1 200 OK\rContent-Length: 2\r\rhi", RPE, ends=True),
    Case("names of every legal character", reply(OK, "!#$%&'*+-.^_`|~09azAZ: b", LENGTH_2, body=b"hi"), b"hi", reused=True),
    Case("an empty value", reply(OK, "X-A:", "X-B: ", LENGTH_2, body=b"hi"), b"hi", reused=True),
    Case("bytes beyond ASCII in a value", reply(OK, "X-A: \xff\x80\xc3\xa9", LENGTH_2, body=b"hi"), b"hi", reused=True),
    Case("a head that ends the connection", b"HTTP/1.1 200 OK\r\nContent-Le", RPE, words="within the head", ends=True),
    Case("nothing at all", b"", RPE, words="without sending a response", ends=True),
    Case("a forged log line", b"HTTP/1.1 200 \x1b[2J\nERROR forged\r\n\r\n", RPE),
    Case("a TLS alert", b"\x15\x03\x01\x00\x02\x02\x46", RPE, words="https://"),
    Case("an HTTP/2 settings frame", b"\x00\x00\x00\x04\x00\x00\x00\x00\x00", RPE),
    Case("500 fields", reply(OK, *["A: b"] * 499, LENGTH_2, body=b"hi"), b"hi", reused=True),
    Case("501 fields", reply(OK, *["A: b"] * 500, LENGTH_2, body=b"hi"), RPE),
    Case("a head of 300 kB", reply(OK, *[f"X-{i}: " + "a" * 60_000 for i in range(5)], LENGTH_2, body=b"hi"), RPE),
    Case("a reason of 70 kB", reply("HTTP/1.1 200 " + "a" * 70_000, LENGTH_2, body=b"hi"), RPE),
    Case("another encoding of a head", "HTTP/1.1 200 OK\r\n\r\n".encode("utf-16"), RPE),
    Case("a compressed head", b"\x1f\x8b\x08\x00\x00\x00", RPE),
    Case("the beginning of what may be TLS, and then nothing", b"\x15", SLOW, timeout=HASTY),
    Case("60,000 commas in Connection", reply(OK, "Connection: " + "," * 60_000, LENGTH_2, body=b"hi"), b"hi", reused=True),
    # 1xx.
    Case("103 with line feeds alone", b"HTTP/1.1 103 X\n\n" + reply(OK, LENGTH_2, body=b"hi"), b"hi"),
    Case("103 and 101", reply("HTTP/1.1 103 X") + reply("HTTP/1.1 101 X"), RPE),
    Case("103 in HTTP/1.0", reply("HTTP/1.0 103 X") + reply(OK, LENGTH_2, body=b"hi"), b"hi", reused=True),
    Case("100 without being asked", reply("HTTP/1.1 100 Continue") + reply(OK, LENGTH_2, body=b"hi"), b"hi", reused=True),
    Case(
        "102 and 103", reply("HTTP/1.1 102 X") + reply("HTTP/1.1 103 X", "Link: </a>") + reply(OK, LENGTH_2, body=b"hi"), b"hi", reused=True
    ),
    Case("199", reply("HTTP/1.1 199 X") + reply(OK, LENGTH_2, body=b"hi"), b"hi", reused=True),
    Case("103 with a length and a body", reply("HTTP/1.1 103 X", LENGTH_2, body=b"hi") + EVIL, RPE),
    Case("103 with a length", reply("HTTP/1.1 103 X", "Content-Length: 500") + reply(OK, LENGTH_2, body=b"hi"), b"hi", reused=True),
    Case("103 with chunked", reply("HTTP/1.1 103 X", CHUNKED, body=HELLO), RPE),
    Case("103 that closes", reply("HTTP/1.1 103 X", "Connection: close") + reply(OK, LENGTH_2, body=b"hi"), b"hi", reused=None),
    Case("103 that sets a cookie", reply("HTTP/1.1 103 X", "Set-Cookie: a=b") + reply(OK, LENGTH_2, body=b"hi"), b"hi", reused=True),
    Case("103 and then nothing", reply("HTTP/1.1 103 X"), RPE, ends=True),
    Case("101 without being asked", reply("HTTP/1.1 101 Switching Protocols", "Upgrade: x", body=EVIL), RPE),
    Case("16 informational responses", reply("HTTP/1.1 103 X") * 16 + reply(OK, LENGTH_2, body=b"hi"), b"hi", reused=True),
    Case("17 informational responses", reply("HTTP/1.1 103 X") * 17 + reply(OK, LENGTH_2, body=b"hi"), RPE),
]

ENDLESS = [
    # L: what never ends.
    Case("header lines", flood(b"HTTP/1.1 200 OK\r\n", b"X-A: b\r\n" * 100), RPE),
    Case("one header line", flood(b"HTTP/1.1 200 OK\r\nX-A: ", b"b" * 1024), RPE),
    Case("one header name", flood(b"HTTP/1.1 200 OK\r\n", b"b" * 1024), RPE),
    Case("a status line", flood(b"HTTP/1.1 200 ", b"O" * 1024), RPE),
    Case("a status line without a break, of nothing", flood(b"HTTP/1.1 200 OK\r", b"\r" * 1024), RPE),
    Case("header lines with line feeds alone", flood(b"HTTP/1.1 200 OK\n", b"X-A: b\n" * 100), RPE),
    Case("100 Continue", flood(b"", reply("HTTP/1.1 100 Continue")), RPE),
    Case("103 Early Hints", flood(b"", reply("HTTP/1.1 103 Early Hints", "Link: </style.css>; rel=preload")), RPE),
    Case("103 with large heads", flood(b"", reply("HTTP/1.1 103 X", *[f"X-{i}: {'a' * 1000}" for i in range(100)])), RPE),
    Case("digits of a chunk size", flood(reply(OK, CHUNKED), b"0" * 1024), RPE),
    Case("a chunk extension", flood(reply(OK, CHUNKED, body=b"5;"), b"a" * 1024), RPE),
    Case("white space behind a chunk size", flood(reply(OK, CHUNKED, body=b"5"), b" " * 1024), RPE),
    Case("chunk extensions", flood(reply(OK, CHUNKED), b"1;" + b"x" * 8000 + b"\r\na\r\n"), RPE),
    Case("trailers", flood(reply(OK, CHUNKED, body=b"0\r\n"), b"X-A: b\r\n" * 100), RPE),
    Case("one trailer", flood(reply(OK, CHUNKED, body=b"0\r\nX-A: "), b"b" * 1024), RPE),
    Case("empty lines", flood(b"", b"\r\n" * 512), RPE),
    Case("garbage", flood(b"", b"\xff" * 1024), RPE),
    Case("nothing", lambda conn: conn.wait_closed(), SLOW, timeout=HASTY),
    Case("a head that stops", lambda conn: conn.send(b"HTTP/1.1 200 OK\r\n") or conn.wait_closed(), SLOW, timeout=HASTY),
    Case(
        "a body that stops", lambda conn: conn.send(reply(OK, "Content-Length: 9", body=b"abc")) or conn.wait_closed(), SLOW, timeout=HASTY
    ),
    Case("a chunk that stops", lambda conn: conn.send(reply(OK, CHUNKED, body=b"5\r\nab")) or conn.wait_closed(), SLOW, timeout=HASTY),
    Case(
        "trailers that stop", lambda conn: conn.send(reply(OK, CHUNKED, body=b"0\r\nA: b\r\n")) or conn.wait_closed(), SLOW, timeout=HASTY
    ),
]


DRIPPING = [
    Case("a head", lambda conn: conn.drip(b"HTTP/1.1 200 OK\r\n", b"X"), SLOW, timeout=HASTY),
    Case("100 Continue", lambda conn: conn.drip(b"", reply("HTTP/1.1 100 Continue")), (SLOW, RPE), timeout=HASTY),
    Case("a status line", lambda conn: conn.drip(b"HTTP/1.1 200 ", b"O"), SLOW, timeout=HASTY),
]


def _resets_after(data: bytes) -> object:
    def script(conn):
        conn.send(data)
        conn.reset()

    return script


BROKEN_OFF = [
    Case("reset before the response", _resets_after(b""), httpx.ReadError),
    Case("reset in the head", _resets_after(b"HTTP/1.1 200 OK\r\nX-A"), (httpx.ReadError, RPE)),
    Case("reset in the body", _resets_after(reply(OK, "Content-Length: 10", body=b"hello")), (httpx.ReadError, RPE)),
    Case("reset in a chunk", _resets_after(reply(OK, CHUNKED, body=b"5\r\nhel")), (httpx.ReadError, RPE)),
    Case("reset of a body without framing", _resets_after(reply(OK, body=b"hello")), httpx.ReadError),
]


def _gzip(data: bytes, wbits: int = 31) -> bytes:
    engine = zlib.compressobj(wbits=wbits)
    return engine.compress(data) + engine.flush()


def _coded(coding: str, body: bytes, *more: str) -> bytes:
    return reply(OK, f"Content-Encoding: {coding}", f"Content-Length: {len(body)}", *more, body=body)


GZIPPED = _gzip(b"hello")
BOMB = _gzip(bytes(120_000_000))
HELD = 128 * 2**20  # what has been decoded until it is too much
CODINGS = [
    # B, and what surrounds it. A body that does not decode says nothing against its connection, but was not read to its end.
    Case("gzip", _coded("gzip", GZIPPED), b"hello", reused=True),
    Case("gzip cut in its trailer", _coded("gzip", GZIPPED[:-3]), DE, reused=None),
    Case("gzip cut in its data", _coded("gzip", GZIPPED[:14]), DE, reused=None),
    Case("gzip cut in its header", _coded("gzip", GZIPPED[:5]), DE, reused=None),
    Case("gzip of one byte", _coded("gzip", b"\x1f"), DE, reused=None),
    Case("gzip with a wrong checksum", _coded("gzip", GZIPPED[:-8] + b"\0\0\0\0" + GZIPPED[-4:]), DE, reused=None),
    Case("gzip with a wrong size", _coded("gzip", GZIPPED[:-4] + b"\x09\0\0\0"), DE, reused=None),
    Case("gzip and garbage behind it", _coded("gzip", GZIPPED + b"garbage"), b"hello", reused=True),
    Case("gzip and a response behind it", _coded("gzip", GZIPPED + EVIL), b"hello", reused=True),
    Case("gzip and half of another member", _coded("gzip", GZIPPED + GZIPPED[:12]), DE, reused=None),
    Case("gzip and padding of zeros", _coded("gzip", GZIPPED + bytes(20)), b"hello", reused=True),
    Case("two members of gzip", _coded("gzip", _gzip(b"one") + _gzip(b"two")), b"onetwo", reused=True),
    Case("5,000 empty members of gzip", _coded("gzip", _gzip(b"") * 5_000 + _gzip(b"end")), b"end", reused=True),
    Case("plain text called gzip", _coded("gzip", b"hello, this is plain"), DE, reused=None),
    Case("nothing called gzip", _coded("gzip", b""), b"", reused=True),
    Case("deflate with a wrapper", _coded("deflate", zlib.compress(b"hello")), b"hello", reused=True),
    Case("deflate without one", _coded("deflate", _gzip(b"hello", -15)), b"hello", reused=True),
    Case("deflate and garbage behind it", _coded("deflate", zlib.compress(b"hello") + b"x"), b"hello", reused=True),
    Case("deflate with a wrong checksum", _coded("deflate", zlib.compress(b"hello")[:-1] + b"\0"), DE, reused=None),
    Case("deflate that needs a dictionary", _coded("deflate", b"\x78\xbb\0\0\0\0" + b"x" * 20), DE, reused=None),
    Case("br that is none", _coded("br", b"\xff" * 50), DE, reused=None),
    Case("zstd that is none", _coded("zstd", b"\xff" * 50), DE, reused=None),
    Case("zstd with a window of 2 GiB", _coded("zstd", b"\x28\xb5\x2f\xfd\x00\xf8\x01\0\0"), DE, reused=None),
    Case("zstd with a dictionary that is not there", _coded("zstd", b"\x28\xb5\x2f\xfd\x01\x00\x09\x01\x00\x00"), DE, reused=None),
    Case("a zip bomb", _coded("gzip", BOMB), DE, reused=None, memory=HELD),
    Case("a zip bomb in a zip bomb", _coded("gzip, gzip", _gzip(BOMB)), DE, reused=None, memory=HELD),
    Case("a zip bomb of three", _coded("gzip, deflate, gzip", _gzip(zlib.compress(BOMB))), DE, reused=None, memory=HELD),
    Case("fifty codings", _coded(", ".join(["gzip"] * 50), GZIPPED), DE, reused=None),
    Case("fifty codings in fifty fields", reply(OK, *["Content-Encoding: gzip"] * 50, "Content-Length: 5", body=b"hello"), DE, reused=None),
    Case("an unknown coding", _coded("foo", b"hello"), b"hello", reused=True),
    Case("an unknown coding over gzip", _coded("gzip, foo", GZIPPED), GZIPPED, reused=True),
    Case("identity", _coded("identity", b"hello"), b"hello", reused=True),
    Case("holes in the list", _coded(", ,gzip,", GZIPPED), b"hello", reused=True),
    Case(
        "chunks of gzip",
        reply(OK, "Content-Encoding: gzip", CHUNKED, body=b"%x\r\n%b\r\n0\r\n\r\n" % (len(GZIPPED), GZIPPED)),
        b"hello",
        reused=True,
    ),
    Case("gzip that ends with the connection", reply(OK, "Content-Encoding: gzip", body=GZIPPED[:-2]), DE, reused=None, ends=True),
    Case("gzip on HEAD", reply(OK, "Content-Encoding: gzip", "Content-Length: 77"), b"", method="HEAD", reused=True),
    Case("gzip on 304", reply("HTTP/1.1 304 Not Modified", "Content-Encoding: gzip"), b"", reused=True),
]

CONTENT = [
    *[
        Case(
            f"charset {charset!r}",
            reply(OK, f"Content-Type: text/plain; charset={charset}", LENGTH_2, body=b"\xc3\xa9"),
            lambda response: response.text and None,
            reused=True,
        )
        for charset in (
            "rot13",
            "hex",
            "zip",
            "idna",
            "punycode",
            "base64",
            "undefined",
            "unicode_escape",
            "utf-7",
            "x" * 9000,
            "\xff",
            '"',
            "",
            "..",
            "mbcs",
        )
    ],
    Case("JSON a million deep", _coded("gzip", _gzip(b"[" * 1_000_000)), lambda response: _no_json(response), reused=True),
    Case("JSON that is not", reply(OK, LENGTH_2, body=b"\xff\xfe"), lambda response: _no_json(response), reused=True),
    Case(
        "20,000 links",
        reply(OK, "Link: " + "<a>;" * 16_000, LENGTH_2, body=b"hi"),
        lambda response: response.links and None,
        reused=True,
    ),
    Case("a malformed link", reply(OK, 'Link: <a; rel="x', LENGTH_2, body=b"hi"), lambda response: response.links and None, reused=True),
    Case("a content type of 60 kB", reply(OK, "Content-Type: " + ";a=b" * 15_000, LENGTH_2, body=b"hi"), b"hi", reused=True),
]


def _no_json(response: httpx.Response) -> None:
    with pytest.raises((ValueError, RecursionError)):
        response.json()


@variants(FRAMING)
def test_framing(runtime, case, cut):
    attack(runtime, case, cut)


@variants(HEADS)
def test_heads(runtime, case, cut):
    attack(runtime, case, cut)


@variants(CODINGS)
def test_codings(runtime, case, cut):
    attack(runtime, case, cut)


@variants(CONTENT)
def test_content(runtime, case, cut):
    attack(runtime, case, cut)


@variants(ENDLESS)
def test_what_never_ends(runtime, case, cut):
    attack(runtime, case, cut)


@variants(DRIPPING)
def test_what_drips(runtime, case, cut):
    attack(runtime, case, cut)


@variants(BROKEN_OFF)
def test_what_is_broken_off(runtime, case, cut):
    attack(runtime, case, cut)
