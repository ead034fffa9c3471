"""Exchanges as an HTTP Archive (HAR 1.2), which the network panels of browsers open: what is written, and a recorder for clients."""

from __future__ import annotations

import base64
import collections
import dataclasses
import datetime
import os
import time
import typing
from collections.abc import Iterable

from ..__version__ import __version__
from .._content.text import is_text, parse_content_type_charset
from .._models.credentials import shown_url, without_userinfo
from .._models.headers import Headers
from .._models.request import Request
from .._models.response import Response
from .recorded import PHASES, REDACTED, RecordedExchange, header_pairs
from .watching import watch


def save_har(path: str | os.PathLike[str], exchanges: Iterable[RecordedExchange], *, with_secrets: bool = False) -> None:
    """Write the archive. Unless `with_secrets`, credentials and cookies are left out; with them, nobody else may read the file."""
    import json

    archive = {
        "log": {
            "version": "1.2",
            "creator": {"name": "httpx", "version": __version__},
            "pages": [],
            "entries": [_entry(exchange, with_secrets) for exchange in exchanges],
        }
    }
    mode = 0o600 if with_secrets else 0o666
    with open(path, "w", encoding="utf-8", opener=lambda name, flags: os.open(name, flags, mode)) as file:
        json.dump(archive, file, indent=2)
        file.write("\n")


def _entry(exchange: RecordedExchange, with_secrets: bool) -> dict[str, typing.Any]:
    timings = _timings(exchange)
    entry: dict[str, typing.Any] = {
        "startedDateTime": exchange.date.isoformat(timespec="milliseconds"),
        "time": round(sum(value for name, value in timings.items() if value > 0 and name != "ssl"), 3),
        "request": _request(exchange, with_secrets),
        "response": _response(exchange, with_secrets),
        "cache": {},
        "timings": timings,
        "_resourceType": "fetch",  # Chrome would guess, and take JSON for a script
    }
    if exchange.address is not None:
        entry["serverIPAddress"] = exchange.address
    return entry


def _timings(exchange: RecordedExchange) -> dict[str, float]:
    # In milliseconds; -1 for what did not happen. TLS counts as part of `connect`, and so does opening a tunnel.
    def took(*names: str) -> float:
        found = [end - begin for name, (begin, end) in exchange.phases.items() if name in names]
        return round(sum(found) * 1000, 3) if found else -1

    timings = {
        "dns": took("name"),
        "connect": took("connect", "proxy", "tls"),
        "ssl": took("tls"),
        "send": max(took("send"), 0),
        "wait": max(took("wait"), 0),
        "receive": max(took("body"), 0),
    }
    known = sum(value for name, value in timings.items() if value > 0 and name != "ssl")
    return {"blocked": max(round(exchange.duration * 1000 - known, 3), 0), **timings}


def _request(exchange: RecordedExchange, with_secrets: bool) -> dict[str, typing.Any]:
    request, response = exchange.request, exchange.response
    url = request.url if with_secrets else shown_url(request.url)
    content = getattr(request, "_content", None)
    described: dict[str, typing.Any] = {
        "method": request.method,
        "url": str(url.copy_with(fragment=None)),
        "httpVersion": response.http_version if response is not None else "HTTP/1.1",
        "cookies": _cookies(request.headers.get("cookie"), with_secrets),
        "headers": _headers(request.headers, with_secrets),
        "queryString": [{"name": name, "value": value} for name, value in url.params.multi_items()],
        "headersSize": -1,
        "bodySize": _sent_size(request, content),
    }
    if content:
        described["postData"] = {"mimeType": request.headers.get("content-type", ""), "text": content.decode("utf-8", "replace")}
    return described


def _sent_size(request: Request, content: bytes | None) -> int:
    return len(content) if content is not None else int(request.headers.get("content-length", -1))


def _response(exchange: RecordedExchange, with_secrets: bool) -> dict[str, typing.Any]:
    response = exchange.response
    if response is None:
        # What browsers write for a request that failed.
        return {
            "status": 0,
            "statusText": "",
            "httpVersion": "",
            "cookies": [],
            "headers": [],
            "content": {"size": 0, "mimeType": "x-unknown"},
            "redirectURL": "",
            "headersSize": -1,
            "bodySize": -1,
            "_error": "" if exchange.error is None else f"{type(exchange.error).__name__}: {exchange.error}",
        }
    head = _head_size(response)
    location = response.headers.get("location", "")
    return {
        "status": response.status_code,
        "statusText": response.reason_phrase,
        "httpVersion": response.http_version,
        "cookies": [cookie for value in response.headers.get_list("set-cookie") for cookie in _cookies(value, with_secrets)[:1]],
        "headers": _headers(response.headers, with_secrets),
        "content": _content(response),
        "redirectURL": location if with_secrets else without_userinfo(location),
        "headersSize": head,
        "bodySize": response.num_bytes_downloaded,
        "_transferSize": max(head, 0) + response.num_bytes_downloaded,
    }


def _head_size(response: Response) -> int:
    # On HTTP/2 heads are compressed, and nobody knows of how many bytes.
    if not response.http_version.startswith("HTTP/1"):
        return -1
    start = len(f"{response.http_version} {response.status_code} {response.reason_phrase}\r\n")
    return start + sum(len(name) + len(value) + 4 for name, value in response.headers.raw) + 2


def _content(response: Response) -> dict[str, typing.Any]:
    kind = response.headers.get("content-type", "")
    content = getattr(response, "_content", None)
    if content is None:
        return {"size": response.num_bytes_downloaded, "mimeType": kind}
    described: dict[str, typing.Any] = {"size": len(content), "mimeType": kind}
    if "content-encoding" in response.headers:
        described["compression"] = len(content) - response.num_bytes_downloaded
    if is_text(kind, content) and (parse_content_type_charset(kind) or "utf-8").lower() in ("utf-8", "utf8", "us-ascii", "ascii"):
        described["text"] = content.decode("utf-8", "replace")
    elif content:
        described |= {"text": base64.b64encode(content).decode("ascii"), "encoding": "base64"}
    return described


def _headers(headers: Headers, with_secrets: bool) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in header_pairs(headers, with_secrets=with_secrets)]


def _cookies(field: str | None, with_secrets: bool) -> list[dict[str, str]]:
    # RFC 6265 section 4.2.1; what is not a pair is left out.
    pairs = (pair.partition("=") for pair in (field or "").split(";"))
    return [{"name": name.strip(), "value": value.strip() if with_secrets else REDACTED} for name, equals, value in pairs if equals]


class HAR:
    """Records what a client sends and receives, as an HTTP Archive.

        har = httpx.HAR()
        with httpx.Client() as client:
            har.watch(client)
            client.get("https://www.example.org/")
        har.save("session.har")
        har.save_html("session.html")

    Every exchange is recorded, those of redirects and challenges too. Bodies are in the archive if they were read; they are kept in
    memory until it is saved, the last `max_entries` of them. Credentials and cookies are left out unless `with_secrets`, but not
    what is in bodies and queries: look before you pass an archive on.
    """

    def __init__(self, *, with_secrets: bool = False, max_entries: int = 1_000) -> None:
        self._with_secrets = with_secrets
        self._records: collections.deque[_Record] = collections.deque(maxlen=max_entries)

    def __len__(self) -> int:
        return len(self._records)

    def watch(self, client: typing.Any) -> None:
        """Record from here on what `client`, a `Client` or an `AsyncClient`, does. Any number of clients may be watched."""
        watch(client, self._begin)

    def _begin(self, client: typing.Any, request: Request) -> _Record:
        record = _Record(request)
        self._records.append(record)
        return record

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the archive. With secrets, nobody else may read the file."""
        save_har(path, self._exchanges(), with_secrets=self._with_secrets)

    def save_html(self, path: str | os.PathLike[str]) -> None:
        """Write a page that shows where the time went, as a waterfall, and the heads. It has no bodies, credentials and cookies."""
        from .trace_page import save_page

        save_page(path, self._exchanges())

    def _exchanges(self) -> list[RecordedExchange]:
        return [record.exchange() for record in list(self._records)]


class _Record:
    def __init__(self, request: Request) -> None:
        self._began = time.monotonic()
        self._exchange = RecordedExchange(request, self._began, datetime.datetime.now().astimezone(), ended=self._began)

    def answered(self, response: Response) -> None:
        self._exchange.answered(response, time.monotonic())

    def failed(self, error: BaseException) -> None:
        self._exchange.failed(error, time.monotonic())

    def exchange(self) -> RecordedExchange:
        """What is known by now: how long the body took shows when it was read."""
        exchange = self._exchange
        timings = None if exchange.response is None else exchange.response.timings
        if timings is None:
            return dataclasses.replace(exchange, phases={"wait": (self._began, exchange.ended)}, is_new_connection=None)
        phases, now = {}, self._began
        for name in PHASES:
            seconds = getattr(timings, name)
            if seconds is None:
                continue
            if name != "pool" or seconds >= 0.001:
                phases[name] = (now, now + seconds)
            now += seconds
        assert exchange.response is not None
        tls = exchange.response.tls
        return dataclasses.replace(
            exchange,
            phases=phases,
            ended=self._began + timings.total,
            is_new_connection=timings.connect is not None,
            tls=None if tls is None else f"{tls.version}, {tls.cipher}",
        )
