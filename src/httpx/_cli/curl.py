"""`--curl`: the same request as a command for curl."""

from __future__ import annotations

import shlex

from .._models.request import Request
from .building import Plan
from .options import Options

# Fields that curl adds of its own accord, with the same meaning.
_OWN = frozenset({"host", "content-length", "transfer-encoding", "connection", "accept-encoding"})
_OWN_METHODS = {"GET": False, "POST": True, "HEAD": False}  # what curl takes by itself, by whether there is content


def curl_command(options: Options, plan: Plan, request: Request) -> str:
    """A command that sends `request` as the options have it sent, quoted for a POSIX shell, an option a line.

    Passwords are in it if they were given.
    """
    arguments = [["--globoff"]] if set("[]{}") & set(str(request.url)) else []
    arguments += [["--head"]] if request.method == "HEAD" else []
    if _OWN_METHODS.get(request.method) != plan.has_content:
        arguments.append(["--request", request.method])
    arguments += [["--compressed"]] if "accept-encoding" in request.headers else []
    arguments += _headers(plan, request) + _content(plan, request) + _connection(options)
    url = request.url.copy_with(fragment=None)
    lines = [" ".join(map(shlex.quote, argument)) for argument in [*arguments, [str(url)]]]
    return " \\\n    ".join(["curl", *lines]) if len(lines) > 2 else " ".join(["curl", *lines])


def _headers(plan: Plan, request: Request) -> list[list[str]]:
    headers = []
    for raw_name, raw_value in request.headers.raw:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        if name.lower() in _OWN and not any(name.lower() == given.lower() for given, _ in plan.headers):
            continue
        if name.lower() == "accept" and value == "*/*":
            continue
        if name.lower() == "content-type" and value.startswith("multipart/form-data"):
            continue  # curl chooses a boundary of its own
        headers.append(["--header", f"{name}: {value}" if value else f"{name};"])
    removed = [name for name, value in plan.headers if value is None]
    if plan.has_content and "content-type" not in request.headers:
        removed.append("Content-Type")  # curl would call it a form
    return headers + [["--header", f"{name}:"] for name in removed]


def _content(plan: Plan, request: Request) -> list[list[str]]:
    if plan.body is not None:
        return [["--data-binary", f"@{plan.body}"]]
    if plan.files:
        fields = [["--form-string", f"{name}={value}"] for name, values in (plan.data or {}).items() for value in values]
        for name, path, content_type in plan.files:
            fields.append(["--form", f'{name}=@"{_escaped(path)}"' + (f";type={content_type}" if content_type else "")])
        return fields
    return [["--data-raw", request.content.decode("utf-8")]] if plan.has_content else []


def _escaped(path: str) -> str:
    return path.replace("\\", "\\\\").replace('"', '\\"')


def _connection(options: Options) -> list[list[str]]:
    told: list[list[str]] = []
    if options.auth is not None:
        told += [["--digest"]] if options.digest else []
        told.append(["--user", ":".join(options.auth)])
    told += [["--netrc"]] if options.netrc else []
    told += [["--location"]] if options.follow_redirects else []
    told += [["--http2"]] if options.http2 else []
    told += [["--insecure"]] if not options.verify else []
    if options.timeout:
        told.append(["--connect-timeout", f"{options.timeout:g}"])
    for option, value in (("--proxy", options.proxy), ("--cacert", options.cacert), ("--cert", options.cert), ("--key", options.key)):
        told += [[option, value]] if value is not None else []
    if options.remote_name or options.download == ".":
        told.append(["--remote-name"])
    elif options.download is not None:
        told.append(["--output", options.download])
    return told
