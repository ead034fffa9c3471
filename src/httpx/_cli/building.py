"""From the command line to a client and its request."""

from __future__ import annotations

import contextlib
import dataclasses
import getpass
import json
import mimetypes
import netrc
import re
import ssl
import sys
import typing
import warnings
from pathlib import Path

import click

from .. import Client, Proxy
from .._auth import DigestAuth, NetRCAuth
from .._models.request import Request
from .._models.url import URL
from .._tls.context import SSLContext
from .._tls.identity import Identity, load_identity
from .items import BadItem, Items, parse_items, parse_json
from .options import Options

_METHODS = frozenset({"connect", "delete", "get", "head", "options", "patch", "post", "put", "trace"})
_LOCAL = re.compile(r"(localhost|127(\.\d+){3}|\[::1\])(?=[:/?#]|$)", re.IGNORECASE)
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")


@dataclasses.dataclass(slots=True)
class Plan:
    """What is to be sent, as it was meant: `method`, `url`, and the kinds of content, of which at most one is given."""

    method: str
    url: URL
    headers: list[tuple[str, str | None]]
    """None for a field that is not to be sent, though the client would by default."""
    content: str | None = None
    body: str | None = None
    """The path of a file that is the content; - for standard input."""
    json: typing.Any = None
    data: dict[str, list[str]] | None = None
    files: list[tuple[str, str, str | None]] = dataclasses.field(default_factory=list)
    """Name, path, and content type if one is given."""

    @property
    def has_content(self) -> bool:
        """Whether anything is sent but a head."""
        return bool(self.files) or any(value is not None for value in (self.content, self.body, self.json, self.data))

    def request(self, client: Client, stack: contextlib.ExitStack) -> Request:
        """Build it with the defaults of `client`. Files are opened, and closed by `stack`. Raises `OSError`."""
        content: dict[str, typing.Any] = {"content": self.content, "json": self.json, "data": self.data}
        if self.body is not None:
            content["content"] = sys.stdin.buffer if self.body == "-" else _opened(self.body, stack)
        if self.files:
            content["files"] = [(name, _upload(path, content_type, stack)) for name, path, content_type in self.files]
        given = {kind: value for kind, value in content.items() if value is not None}
        headers = [(name, value) for name, value in self.headers if value is not None]
        request = client.build_request(self.method, self.url, headers=headers, **given)
        for name in [name for name, value in self.headers if value is None and name in request.headers]:
            del request.headers[name]
        return request


def _opened(path: str, stack: contextlib.ExitStack) -> typing.BinaryIO:
    return stack.enter_context(open(path, "rb"))


def _upload(path: str, content_type: str | None, stack: contextlib.ExitStack) -> typing.Any:
    file = _opened(path, stack)
    return (Path(path).name, file, content_type) if content_type else (Path(path).name, file)


def make_plan(options: Options) -> Plan:
    """What the command line asks for. Raises `click.UsageError`, and `OSError` for files that cannot be read."""
    if not options.words and "://" in (options.download or ""):
        raise click.UsageError(f"-o took '{options.download}' for the name of a file: put it behind the URL, or say -O.")
    method, address, words = _sort_words(options.words)
    if options.method is not None and method is not None:
        raise click.UsageError(f"The method is given twice: {method} and {options.method}.")
    try:
        items = parse_items(words)
        plan = Plan(method or options.method or "", _url(address, [*options.params, *items.params]), _headers(options, items))
        _set_content(plan, options, items)
    except BadItem as error:
        raise click.UsageError(str(error)) from None
    plan.method = plan.method or ("HEAD" if options.head else "POST" if plan.has_content else "GET")
    return plan


def client_settings(options: Options) -> dict[str, typing.Any]:
    """The arguments for `httpx.Client`, from options that are `with_password`.

    Raises `click.UsageError`, and `OSError` for unusable files of certificates.
    """
    settings: dict[str, typing.Any] = {
        "timeout": options.timeout or None,
        "follow_redirects": options.follow_redirects,
        "http2": options.http2,
        "ssl_context": make_ssl_context(
            verify=options.verify, cacert=options.cacert, system_ca=options.system_ca, cert=options.cert, key=options.key
        ),
    }
    if options.cookies:
        settings["cookies"] = dict(options.cookies)
    if options.proxy is not None:
        try:
            settings["proxy"] = Proxy(options.proxy if _SCHEME.match(options.proxy) else f"http://{options.proxy}")
        except ValueError as error:
            raise click.UsageError(str(error)) from None
    auth = _auth(options)
    if auth is not None:
        settings["auth"] = auth
    return settings


def with_password(options: Options) -> Options:
    """The options with user and password in `auth`, asked for where the password is left out. Raises `click.UsageError`."""
    if options.auth is not None and options.user is not None:
        raise click.UsageError("--auth and --user say the same thing: give one of them.")
    if options.auth is not None:
        user, password = options.auth
        is_missing = password == "-"
    elif options.user is not None:
        user, separator, password = options.user.partition(":")
        is_missing = not separator
    else:
        return options
    return dataclasses.replace(options, auth=(user, _ask(f"Password for {user}: ") if is_missing else password), user=None)


def _ask(prompt: str) -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("error", getpass.GetPassWarning)
        try:
            return getpass.getpass(prompt)
        except getpass.GetPassWarning:
            raise click.UsageError(f"{prompt.removesuffix(': ')} is missing, and there is no terminal to ask for it on.") from None


def _auth(options: Options) -> typing.Any:
    if options.netrc:
        if options.auth is not None or options.digest:
            raise click.UsageError("--netrc says where user and password come from: give neither --auth, --user nor --digest with it.")
        try:
            return NetRCAuth()
        except netrc.NetrcParseError as error:
            raise click.UsageError(f"--netrc: {error}.") from None
    if options.digest:
        if options.auth is None:
            raise click.UsageError("--digest needs a user and a password: --auth USER PASSWORD.")
        return DigestAuth(*options.auth)
    return options.auth


def make_ssl_context(*, verify: bool, cacert: str | None, system_ca: bool, cert: str | None, key: str | None) -> ssl.SSLContext:
    """What the options on verification amount to. Raises `click.UsageError`, and `OSError` for unusable files."""
    if [cacert is not None, system_ca, not verify].count(True) > 1:
        raise click.UsageError("--cacert, --system-ca and --no-verify each say whom to trust: give one of them.")
    if key is not None and cert is None:
        raise click.UsageError("--key is the private key of a certificate: give that with --cert.")
    identity = None if cert is None else Identity(cert, key, lambda: _ask(f"Password for {key or cert}: "))
    if system_ca:
        system = ssl.create_default_context()
        if identity is not None:
            load_identity(system.load_cert_chain, identity)
        return system
    return SSLContext(verify if cacert is None else cacert, identity)


def _sort_words(words: tuple[str, ...]) -> tuple[str | None, str, tuple[str, ...]]:
    if len(words) > 1 and (words[0].lower() in _METHODS or re.fullmatch("[A-Z]+", words[0])):
        return words[0].upper(), words[1], words[2:]
    if not words:
        raise click.UsageError("Which URL? For example: httpx https://example.org, or httpx --help for more.")
    return None, words[0], words[1:]


def _url(address: str, params: list[tuple[str, str]]) -> URL:
    url = URL(complete_url(address))
    for name, value in params:
        url = url.copy_add_param(name, value)
    return url


def complete_url(address: str) -> str:
    """A URL as people type it: https, unless it is this machine; `:8000/path` is a port of it."""
    if address.startswith(":"):
        port, slash, rest = address[1:].partition("/")
        return f"http://localhost{':' if port else ''}{port}{slash}{rest}"
    if _SCHEME.match(address):
        return address
    return f"http://{address}" if _LOCAL.match(address) else f"https://{address}"


def _headers(options: Options, items: Items) -> list[tuple[str, str | None]]:
    headers: list[tuple[str, str | None]] = list(options.headers)
    for field in options.header:
        name, separator, value = field.partition(":")
        if not separator:
            raise BadItem(f"-H '{field}' has no colon: it is written 'Name: value'.")
        headers.append((name.strip(), value.strip() or None))
    return headers + items.headers


def _set_content(plan: Plan, options: Options, items: Items) -> None:
    is_form = options.form or bool(options.data or options.files or items.files)
    kinds = {
        "--content": options.content is not None,
        "--json": options.json is not None,
        "@file": items.body is not None,
        "fields or files": bool(options.data or options.files or items.files or items.fields),
    }
    given = [kind for kind, is_given in kinds.items() if is_given]
    if len(given) > 1:
        raise BadItem(f"A request has one content, and here are two: {given[0]} and {given[1]}.")
    if options.content is not None:
        plan.content = options.content
    elif options.json is not None:
        parse_json(options.json, options.json)  # sent as it was written, if it is JSON
        plan.content = options.json
        _add_content_type(plan, "application/json")
    elif items.body is not None:
        plan.body = items.body
        _add_content_type(plan, mimetypes.guess_type(items.body)[0] or "application/octet-stream")
    elif is_form:
        plan.data = _fields_of_form(options, items)
        plan.files = [*((name, path, None) for name, path in options.files), *items.files]
    elif items.fields:
        plan.json = _fields_of_json(items)


def _fields_of_json(items: Items) -> dict[str, typing.Any]:
    names = [name for name, _ in items.fields]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise BadItem(
            f"'{twice}' is given twice, and JSON has room for one. A list is written '{twice}:=[1, 2]'; a form (--form) may have both."
        )
    return dict(items.fields)


def _fields_of_form(options: Options, items: Items) -> dict[str, list[str]]:
    form: dict[str, list[str]] = {}
    for name, value in [*options.data, *items.fields]:
        form.setdefault(name, []).append(value if isinstance(value, str) else json.dumps(value))
    return form


def _add_content_type(plan: Plan, content_type: str) -> None:
    if not any(name.lower() == "content-type" for name, _ in plan.headers):
        plan.headers.append(("Content-Type", content_type))
