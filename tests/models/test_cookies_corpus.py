"""The cookie tests of the http-state working group, and the checks of the public suffix list, where they are at hand."""

from __future__ import annotations

import datetime
import json
import re
from pathlib import Path

import pytest

import httpx
from httpx._models.public_suffix import is_public_suffix
from httpx._models.set_cookie import parse_cookie_date

CORPORA = Path(__file__).parents[2].parent / "shared" / "corpora"
NOW = datetime.datetime(2010, 6, 1, tzinfo=datetime.UTC).timestamp()

DIFFERENT = {
    "DISABLED_CHROMIUM0022": "disabled by the group: a NUL is to end the cookie; RFC 6265bis has the cookie ignored",
    "DISABLED_CHROMIUM0023": "disabled by the group: a CR is to end the cookie; RFC 6265bis has the cookie ignored",
}


def load(name):
    path = CORPORA / name
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    if path.suffix != ".json":
        return text.splitlines()
    return json.loads(re.sub(r"^//.*$", "", text, flags=re.MULTILINE) or "[]")


CASES = [case for case in load("http-state/parser.json") if case["test"] not in DIFFERENT]
DATES = [case for name in ("examples", "bsd-examples") for case in load(f"http-state/dates/{name}.json")]
SUFFIXES = [
    found.groups() for line in load("psl/tests/test_psl.txt") if (found := re.match(r"checkPublicSuffix\('([^']+)', (\S+)\);", line))
]


@pytest.mark.skipif(not CASES, reason="the corpus is not here")
@pytest.mark.parametrize("case", CASES, ids=[case["test"] for case in CASES])
def test_cookies_are_kept_and_sent_as_the_group_has_it(case, monkeypatch):
    monkeypatch.setattr("time.time", lambda: NOW)
    set_by = httpx.URL(f"http://home.example.org:8888/cookie-parser?{case['test']}")
    fields = [(b"Set-Cookie", line.encode()) for line in case["received"]]
    cookies = httpx.Cookies()
    cookies.extract_cookies(httpx.Response(200, headers=fields, request=httpx.Request("GET", set_by)))
    request = httpx.Request("GET", set_by.join(case.get("sent-to", f"/cookie-parser-result?{case['test']}")))
    cookies.set_cookie_header(request)
    expected = "; ".join(f"{sent['name']}={sent['value']}" for sent in case["sent"])
    assert request.headers.get("Cookie", "") == expected


@pytest.mark.skipif(not DATES, reason="the corpus is not here")
@pytest.mark.parametrize("case", DATES, ids=[case["test"] for case in DATES])
def test_dates_are_read_as_the_group_has_it(case):
    expected = case["expected"]
    if expected is not None:
        expected = datetime.datetime.strptime(expected, "%a, %d %b %Y %H:%M:%S GMT").replace(tzinfo=datetime.UTC).timestamp()
    assert parse_cookie_date(case["test"]) == expected


@pytest.mark.skipif(not SUFFIXES, reason="the corpus is not here")
@pytest.mark.parametrize(("domain", "registrable"), SUFFIXES, ids=[domain for domain, _ in SUFFIXES])
def test_public_suffixes_are_those_of_the_list(domain, registrable):
    pytest.importorskip("publicsuffixlist")
    if domain.startswith("."):
        pytest.skip("a cookie's domain has lost its dot by then")
    assert is_public_suffix(httpx.URL(f"http://{domain}").raw_host.decode()) == (registrable == "null")
