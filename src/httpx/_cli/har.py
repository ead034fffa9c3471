"""`--har`: the exchanges as an HTTP Archive (HAR 1.2), which the network panels of browsers open."""

from __future__ import annotations

import base64
import json
import typing
from collections.abc import Sequence

from .. import __version__
from .._content.text import parse_content_type_charset
from .._models.headers import Headers
from .._models.request import Request
from .._models.response import Response
from .body import is_text
from .recording import Exchange

_SECRET = frozenset({"authorization", "proxy-authorization", "cookie", "set-cookie"})
_REDACTED = "[secure]"


def write_har(file: typing.TextIO, exchanges: Sequence[Exchange], *, with_secrets: bool = False) -> None:
    """Write the archive. Unless `with_secrets`, credentials and cookies are left out."""
    archive = {
        "log": {
            "version": "1.2",
            "creator": {"name": "httpx", "version": __version__},
            "pages": [],
            "entries": [_entry(exchange, with_secrets) for exchange in exchanges],
        }
    }
    json.dump(archive, file, indent=2)
    file.write("\n")


def _entry(exchange: Exchange, with_secrets: bool) -> dict[str, typing.Any]:
    timings = _timings(exchange)
    entry: dict[str, typing.Any] = {
        "startedDateTime": exchange.date.isoformat(timespec="milliseconds"),
        "time": round(sum(value for name, value in timings.items() if value > 0 and name != "ssl"), 3),
        "request": _request(exchange, with_secrets),
        "response": _response(exchange, with_secrets),
        "cache": {},
        "timings": timings,
    }
    if exchange.address is not None:
        entry["serverIPAddress"] = exchange.address
    return entry


def _timings(exchange: Exchange) -> dict[str, float]:
    # In milliseconds; -1 for what did not happen. TLS counts as part of `connect`, and so does opening a tunnel.
    def took(*names: str) -> float:
        found = [exchange.phases[name] for name in names if name in exchange.phases]
        return round(sum(end - begin for begin, end in found) * 1000, 3) if found else -1

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


def _request(exchange: Exchange, with_secrets: bool) -> dict[str, typing.Any]:
    request, response = exchange.request, exchange.response
    url = request.url if with_secrets or not request.url.userinfo else request.url.copy_with(username=None, password=None)
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


def _response(exchange: Exchange, with_secrets: bool) -> dict[str, typing.Any]:
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
    return {
        "status": response.status_code,
        "statusText": response.reason_phrase,
        "httpVersion": response.http_version,
        "cookies": [cookie for value in response.headers.get_list("set-cookie") for cookie in _cookies(value, with_secrets)[:1]],
        "headers": _headers(response.headers, with_secrets),
        "content": _content(response),
        "redirectURL": response.headers.get("location", ""),
        "headersSize": -1,
        "bodySize": response.num_bytes_downloaded,
    }


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


def header_pairs(headers: Headers, *, with_secrets: bool) -> list[tuple[str, str]]:
    """Names and values; unless `with_secrets`, those that hold credentials or cookies without their value."""
    pairs = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers.raw]
    return [(name, value if with_secrets or name.lower() not in _SECRET else _REDACTED) for name, value in pairs]


def _headers(headers: Headers, with_secrets: bool) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in header_pairs(headers, with_secrets=with_secrets)]


def _cookies(field: str | None, with_secrets: bool) -> list[dict[str, str]]:
    # RFC 6265 section 4.2.1; what is not a pair is left out.
    pairs = (pair.partition("=") for pair in (field or "").split(";"))
    return [{"name": name.strip(), "value": value.strip() if with_secrets else _REDACTED} for name, equals, value in pairs if equals]
