"""Every option of the command: how it is written, what it means, and where it stands on the help page."""

from __future__ import annotations

import dataclasses
import typing

import click

Pairs = tuple[tuple[str, str], ...]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What was asked for on the command line; a field for each option of `OPTIONS`."""

    words: tuple[str, ...] = ()
    method: str | None = None
    head: bool = False
    params: Pairs = ()
    headers: Pairs = ()
    header: tuple[str, ...] = ()
    cookies: Pairs = ()
    content: str | None = None
    json: str | None = None
    data: Pairs = ()
    files: Pairs = ()
    form: bool = False
    auth: tuple[str, str] | None = None
    user: str | None = None
    digest: bool = False
    netrc: bool = False
    follow_redirects: bool = False
    timeout: float = 5.0
    proxy: str | None = None
    http2: bool = False
    verify: bool = True
    cacert: str | None = None
    system_ca: bool = False
    cert: str | None = None
    key: str | None = None
    download: str | None = None
    remote_name: bool = False
    resume: bool = False
    checksum: str | None = None
    force: bool = False
    include: bool = False
    body: bool = False
    pretty: bool | None = None
    verbose: bool = False
    quiet: bool = False
    timing: bool = False
    trace: str | None = None
    har: str | None = None
    har_secrets: bool = False
    curl: bool = False


class Section(click.Option):
    """An option that knows its section of the help page."""

    def __init__(self, section: str, *names: str, **settings: typing.Any) -> None:
        super().__init__(names, **settings)
        self.section = section


REQUEST = "The request"
CREDENTIALS = "Credentials"
CONNECTION = "The connection"
TLS = "Verification"
FILE = "Into a file"
SCREEN = "On the screen"
INSIGHT = "Insight"
OTHER = "Other"

_PAIR = {"type": (str, str), "multiple": True}


def _print_completion(context: click.Context, parameter: click.Parameter, shell: str | None) -> None:
    if shell is None or context.resilient_parsing:
        return
    from click.shell_completion import get_completion_class

    kind = get_completion_class(shell)
    assert kind is not None
    click.echo(kind(context.command, {}, "httpx", "_HTTPX_COMPLETE").source())
    context.exit()


def _print_version(context: click.Context, parameter: click.Parameter, value: bool) -> None:
    if value and not context.resilient_parsing:
        from ..__version__ import __version__

        click.echo(f"httpx {__version__}")
        context.exit()


OPTIONS: list[Section] = [
    Section(
        REQUEST,
        "-m",
        "-X",
        "--method",
        metavar="METHOD",
        help="Instead of GET, or POST if there is content. A first word will do, too.",
    ),
    Section(REQUEST, "-I", "--head", is_flag=True, help="Ask for the head of the response only (HEAD)."),
    Section(REQUEST, "-p", "--params", **_PAIR, metavar="NAME VALUE", help="Add a query parameter."),
    Section(REQUEST, "-h", "--headers", **_PAIR, metavar="NAME VALUE", help="Send a header field."),
    Section(REQUEST, "-H", "--header", multiple=True, metavar="'NAME: VALUE'", help="Send a header field, written as curl has it."),
    Section(REQUEST, "--cookies", **_PAIR, metavar="NAME VALUE", help="Send a cookie."),
    Section(REQUEST, "-c", "--content", metavar="TEXT", help="The content, as it is."),
    Section(REQUEST, "-j", "--json", metavar="JSON", help="The content, as JSON."),
    Section(REQUEST, "-d", "--data", **_PAIR, metavar="NAME VALUE", help="A field of a form."),
    Section(
        REQUEST,
        "-f",
        "--files",
        type=(str, click.Path()),
        multiple=True,
        metavar="NAME FILE",
        help="Upload a file, with the fields of a form if there are any.",
    ),
    Section(REQUEST, "--form", is_flag=True, help="Send name=value as a form, not as JSON."),
    Section(CREDENTIALS, "-a", "--auth", type=(str, str), metavar="USER PASSWORD", help="Sign in. You are asked for a password that is -."),
    Section(CREDENTIALS, "-u", "--user", metavar="USER[:PASSWORD]", help="The same, in one word."),
    Section(CREDENTIALS, "--digest", is_flag=True, help="Use digest authentication, so that the password is not sent."),
    Section(CREDENTIALS, "--netrc", is_flag=True, help="Take user and password from ~/.netrc."),
    Section(CONNECTION, "-L", "--follow-redirects", is_flag=True, help="Follow redirects."),
    Section(
        CONNECTION,
        "--timeout",
        type=click.FloatRange(min=0),
        default=5.0,
        metavar="SECONDS",
        help="For each wait: 5 by default, 0 for no limit.",
    ),
    Section(CONNECTION, "-x", "--proxy", metavar="URL", help="Go through this proxy (http, https, socks5)."),
    Section(CONNECTION, "--http2", is_flag=True, help="Speak HTTP/2 with servers that can."),
    Section(
        TLS, "--verify/--no-verify", " /-k", default=True, help="Whether the server must prove who it is. Without, anyone may be listening."
    ),
    Section(TLS, "--cacert", type=click.Path(), metavar="FILE", help="Trust the authorities in this file or directory, and no others."),
    Section(TLS, "--system-ca", is_flag=True, help="Trust the authorities that the operating system trusts."),
    Section(TLS, "--cert", type=click.Path(), metavar="FILE", help="Show this client certificate (PEM, PKCS #12)."),
    Section(TLS, "--key", type=click.Path(), metavar="FILE", help="Its private key, unless the same file has it."),
    Section(
        FILE,
        "-o",
        "--download",
        is_flag=False,
        flag_value=".",
        type=click.Path(),
        metavar="[FILE]",
        help="Save the body. For a directory, or nothing, under the name that it has there; - is standard output.",
    ),
    Section(FILE, "-O", "remote_name", is_flag=True, help="The same as --download without a name."),
    Section(FILE, "--resume", is_flag=True, help="Go on where an earlier download broke off, if the file is still the same."),
    Section(FILE, "--checksum", metavar="ALGORITHM:HEX", help="What the file must amount to, such as sha256:9f86d0..."),
    Section(FILE, "--force", is_flag=True, help="Overwrite a file that is there."),
    Section(SCREEN, "-v", "--verbose", is_flag=True, help="Show every request and the head of every response, too."),
    Section(SCREEN, "-i", "--include", is_flag=True, help="Print the head of the response also into a pipe."),
    Section(SCREEN, "-b", "--body", is_flag=True, help="Print the body only."),
    Section(SCREEN, "--pretty/--raw", default=None, help="Lay out and colour the body, or do not; by default on a terminal."),
    Section(SCREEN, "-q", "--quiet", is_flag=True, help="Print nothing but the body into a pipe; the exit status tells."),
    Section(INSIGHT, "--timing", is_flag=True, help="Draw how long everything took: name, connection, TLS, waiting, body."),
    Section(INSIGHT, "--trace", type=click.Path(), metavar="FILE", help="Draw the same as a page of HTML."),
    Section(
        INSIGHT,
        "--har",
        type=click.Path(),
        metavar="FILE",
        help="Record it all for a browser's network panel (HAR 1.2), without credentials.",
    ),
    Section(INSIGHT, "--har-secrets", is_flag=True, help="Record credentials and cookies, too."),
    Section(INSIGHT, "--curl", is_flag=True, help="Send nothing; print the curl command for the same request."),
    Section(
        OTHER,
        "--completion",
        type=click.Choice(["bash", "fish", "zsh"]),
        metavar="SHELL",
        is_eager=True,
        expose_value=False,
        callback=_print_completion,
        help="Print the script that teaches a shell to complete this command (bash, fish, zsh).",
    ),
    Section(OTHER, "--version", is_flag=True, is_eager=True, expose_value=False, callback=_print_version, help="Print the version."),
]


def complete_words(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """The first word may be a method, or `doctor`."""
    if context.params.get("words"):
        return []
    return [word for word in ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "doctor") if word.startswith(incomplete)]


WORDS = click.Argument(["words"], nargs=-1, metavar="[METHOD] URL [ITEM]...", shell_complete=complete_words)
