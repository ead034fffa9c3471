"""The URL corpus of the web platform as an oracle: where we accept a web URL, browsers send it to the same scheme, host and port.

The corpus lies beside the repository (`../shared/corpora/whatwg-url`) and is not part of it; without it these tests are skipped.
Refusing what browsers repair is always right here. Each way in which an accepted URL may differ is named below.
"""

from __future__ import annotations

import json
import pathlib
import typing

import pytest

from httpx._exceptions import InvalidURL
from httpx._models.url import URL

CORPUS = pathlib.Path(__file__).parents[2].parent / "shared" / "corpora" / "whatwg-url"
pytestmark = pytest.mark.skipif(not CORPUS.is_dir(), reason="the corpus is not here")

WEB = {"http", "https", "ws", "wss", "ftp"}

# Targets that differ from the browsers', by input. The host is the same in every one of them.
TARGET_DIFFERS = {
    "a backslash is an ordinary character of the path, as RFC 3986 grants no meaning to it": {
        ":foo.com\\",
        ":\\",
        "\\x",
        "http://foo.com/\\@",
        "wss://host/ !\"$%&'()*+,-./:;<=>@[\\]^_`{|}~",
    },
    "an empty query is a query and is sent with its '?' (RFC 3986 section 6.2.3)": {
        "?",
        "http://example.org/test?#",
        "https://x/?#\uffffy",
    },
    "'%2e' is not a dot: an escape that the server gave us is not ours to decode": {
        "http://example.com/foo/%2e",
        "http://example.com/foo/%2e./%2e%2e/.%2e/%2e.bar",
        "http://www/foo/%2E/html",
        "https://example.com/aaa/bbb/%2e%2e?query",
    },
    "an apostrophe may stand in a query, and signed URLs rely on it": {
        "http://host/?'",
        "wss://host/dir/? !\"$%&'()*+,-./:;<=>?@[\\]^_`{|}~",
    },
}

# Browsers no longer examine A-labels at all; we refuse those that decode to nothing, to characters that map to others, or that
# are longer than 63 octets: nobody could register them, so one of two programs must be mistaken about them.
LABELS_REFUSED = {"xn--pokxncvks", "xn--"}


def load(*names: str) -> list[dict[str, typing.Any]]:
    cases = {}
    for name in names:
        if (CORPUS / name).is_file():
            for case in json.loads((CORPUS / name).read_text(encoding="utf-8")):
                if isinstance(case, dict):
                    cases[case["input"], case.get("base")] = case
    return list(cases.values())


def parsed(case: dict[str, typing.Any]) -> URL | None:
    """Our reading of a case, if we accept it as a URL that a request could be sent to."""
    try:
        url = URL(case["base"]).join(case["input"]) if case.get("base") else URL(case["input"])
    except InvalidURL:
        return None
    return url if url.scheme in WEB and url.host else None


def url_cases() -> list[dict[str, typing.Any]]:
    return load(
        "url/tests/urltestdata.json", "ada-wpt/urltestdata.json", "ada-wpt/ada_extra_urltestdata.json", "ada-wpt/ada_long_urltestdata.json"
    )


def test_what_we_accept_goes_where_browsers_send_it() -> None:
    accepted = 0
    for case in url_cases():
        url = parsed(case)
        if url is None:
            continue
        accepted += 1
        assert not case.get("failure"), case
        scheme, peer, port = url._origin
        shown = "" if url.port is None else str(port)
        assert (f"{scheme}:", peer, shown) == (case["protocol"], case["hostname"].strip("[]"), case["port"]), case
    assert accepted > 150


def test_what_we_accept_asks_for_what_browsers_ask_for_but_for_named_differences() -> None:
    named = set().union(*TARGET_DIFFERS.values())
    for case in url_cases():
        url = parsed(case)
        if url is not None and url.raw_path.decode() != case["pathname"] + case["search"]:
            assert case["input"] in named, (case, url.raw_path)


def test_web_urls_that_browsers_have_normalised_are_accepted_unchanged() -> None:
    for case in url_cases():
        if case.get("failure") or case["protocol"][:-1] not in WEB:
            continue
        if case["port"] == "0":
            continue  # nobody can listen there
        if any(label in LABELS_REFUSED or (label.startswith("xn--") and len(label) > 63) for label in case["hostname"].split(".")):
            continue
        url = URL(case["href"])
        assert str(url) == case["href"]
        assert url._origin[1] == case["hostname"].strip("[]")


@pytest.mark.parametrize("name", ["toascii.json", "IdnaTestV2.json", "IdnaTestV2-removed.json"])
def test_names_of_other_scripts_are_encoded_as_browsers_encode_them_or_refused(name: str) -> None:
    accepted = 0
    for case in load(f"ada-wpt/{name}"):
        try:
            host = URL("http://h/", host=case["input"]).raw_host.decode() if case["input"] else ""
        except InvalidURL:
            continue
        accepted += 1
        assert host == (case["output"] or ""), case
    assert accepted or name == "IdnaTestV2-removed.json"
