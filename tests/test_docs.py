"""The examples in the documentation run as they are written; only the hosts and files in them are local ones."""

from __future__ import annotations

import doctest
import logging
import re
import ssl
from pathlib import Path

import certifi
import pytest

import httpx
from tests.support.certificates import Authority
from tests.support.certificates import Client as ClientFiles
from tests.support.proxies import http_proxy
from tests.support.servers import respond, respond_json
from tests.support.websocket import echo

ROOT = Path(__file__).parent.parent
_SESSION = re.compile(r"^```pycon\n(.*?)^```", re.DOTALL | re.MULTILINE)
_EXAMPLE = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)


@pytest.fixture
def log_levels():
    """An example sets a level, which is nothing to the tests after it."""
    before = [(logger, logger.level) for logger in (logging.getLogger(), logging.getLogger("httpx"))]
    yield
    for logger, level in before:
        logger.setLevel(level)


@pytest.fixture
def world(tmp_path, monkeypatch, scripted, local_hosts, log_levels):
    """The hosts and files that the examples name."""
    authority = Authority(tmp_path)
    files: ClientFiles = authority.client()
    authority.hashed_directory()
    hosts = ("www.example.org", "api.example.org", "internal.example", "example.org")

    def answer(conn):
        while True:
            request = conn.read_request()
            asked = request.headers
            if "sec-websocket-key" in asked:
                echo(conn, request)
                return
            if asked.get("accept") != "text/event-stream":
                conn.send(respond_json({"ok": True}))
            elif "last-event-id" in asked:
                conn.send(respond(status=204))
            else:
                conn.send(respond(b"retry: 0\nid: 1\ndata: hello\n\n", headers=[("Content-Type", "text/event-stream")]))

    server = scripted(answer, ssl_context=authority.server(*hosts))
    for host in hosts:
        local_hosts.add(host, {443: server.port})
    local_hosts.add("wrong.example", {443: server.port})
    routes = {f"{host}:443": server.port for host in hosts}
    encrypted = scripted(http_proxy(routes), ssl_context=authority.server("proxy.example"))
    local_hosts.add("proxy.example", {3128: scripted(http_proxy(routes)).port, 443: encrypted.port})
    folder = tmp_path / "path" / "to"
    folder.mkdir(parents=True)
    (folder / "ca.pem").write_bytes(authority.pem.read_bytes())
    (folder / "certs").symlink_to(tmp_path / "certs")
    (folder / "client.key").write_bytes(files.key.read_bytes())
    (folder / "client.pem").write_bytes(files.combined.read_bytes())
    monkeypatch.chdir(tmp_path)
    (tmp_path / "client.pem").write_bytes(files.certificate.read_bytes())
    monkeypatch.setattr(certifi, "where", lambda: str(authority.pem))
    monkeypatch.setattr("httpx._tls.default._default", None)
    for variable in ("SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr("httpx._network.resolver.literal_address", _documentation_addresses(server.port))
    return server


def _documentation_addresses(port):
    from httpx._network.addresses import literal_address

    def replaced(host, asked):
        return literal_address("127.0.0.1", port) if host == "192.0.2.7" else literal_address(host, asked)

    return replaced


PAGES = ["README.md", *sorted(str(path.relative_to(ROOT)) for path in (ROOT / "docs").rglob("*.md"))]
PROGRAMS = [page for page in PAGES if _EXAMPLE.search((ROOT / page).read_text())]
SESSIONS = [page for page in PAGES if _SESSION.search((ROOT / page).read_text())]


@pytest.mark.parametrize("page", PROGRAMS)
def test_the_examples_of_a_page_run(world, page):
    examples = _EXAMPLE.findall((ROOT / page).read_text())
    names: dict[str, object] = {"__name__": "example"}
    for example in examples:
        exec(compile(example, page, "exec"), names)
    for thing in names.values():
        if isinstance(thing, httpx.Client):
            thing.close()
    assert world.connections


@pytest.mark.parametrize("page", SESSIONS)
def test_the_sessions_of_a_page_go_as_shown(page):
    sessions = _SESSION.findall((ROOT / page).read_text())
    test = doctest.DocTestParser().get_doctest("\n".join(sessions), {}, page, page, 0)
    told: list[str] = []
    doctest.DocTestRunner(verbose=False).run(test, out=told.append)
    assert told == []


def test_the_page_on_clusters_brings_in_its_example():
    (included,) = re.findall(r'^--8<-- "(.*)"$', (ROOT / "docs" / "distributed.md").read_text(), re.MULTILINE)
    assert (ROOT / included).is_file()


def test_every_public_name_is_in_the_reference():
    pages = "".join(path.read_text() for path in (ROOT / "docs" / "reference").glob("*.md"))
    shown = set(re.findall(r"^::: httpx\.(?:\w+\.)*(\w+)$", pages, re.MULTILINE))
    about_itself = {"__description__", "__title__", "__version__", "main"}
    assert set(httpx.__all__) - about_itself <= shown


def test_what_public_classes_inherit_from_others_is_in_the_reference():
    pages = "".join(path.read_text() for path in (ROOT / "docs" / "reference").glob("*.md"))
    complete = set(re.findall(r"^::: httpx\.(\w+)\n    options:\n      inherited_members: true$", pages, re.MULTILINE))
    for name in httpx.__all__:
        bases = [base for base in getattr(getattr(httpx, name), "__mro__", ())[1:] if base.__module__.startswith("httpx._")]
        inherited = {member for base in bases for member in vars(base) if not member.startswith("_")}
        if name == "SSLContext":
            inherited -= set(dir(ssl.SSLContext))  # which is documented elsewhere
        assert not inherited or name in complete, f"{name}: {inherited}"


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"])
def test_links_of_pages_outside_of_the_site_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", (ROOT / page).read_text()):
        assert (ROOT / target).exists(), target
