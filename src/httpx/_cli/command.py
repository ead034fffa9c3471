"""The command `httpx`: from its arguments to an exit status."""

from __future__ import annotations

import contextlib
import sys
import time
import typing

import click

from .. import Client
from .._models.request import Request
from .._models.response import Response
from .._observability.har import save_har
from .._observability.trace_page import save_page
from .._streaming.download import Checksum
from .body import is_endless, safe
from .building import Plan, client_settings, make_plan, with_password
from .curl import curl_command
from .download import Download
from .failures import EXPECTED, FAILED, INTERRUPTED, status_of, status_of_failure
from .help import Manual
from .options import OPTIONS, WORDS, Options
from .progress import progress_bar
from .recording import Recorder
from .screen import Screen, human_size, open_closed_streams, silence_stdout
from .waterfall import draw


def run(args: typing.Sequence[str] | None = None, prog_name: str | None = None, **extra: typing.Any) -> typing.Any:
    """Run the command, or `httpx doctor`, with `args` (by default those of the process). Ends with `SystemExit`."""
    open_closed_streams()
    words = list(sys.argv[1:] if args is None else args)
    if words[:1] == ["doctor"]:
        from .doctor import doctor

        return doctor.main(words[1:], prog_name="httpx doctor", **extra)
    if words == ["-h"]:
        words = ["--help"]
    return command.main(words, prog_name=prog_name or "httpx", **extra)


def _call(**values: typing.Any) -> None:
    options = Options(**values)
    sys.exit(perform(options))


command = Manual(
    "httpx", callback=_call, params=[WORDS, *OPTIONS], context_settings={"help_option_names": ["--help"]}, no_args_is_help=True
)


def perform(options: Options) -> int:
    """Do what the options say, and return the exit status. Raises `click.UsageError`."""
    screen = Screen(
        shows_head=True if options.include else False if options.body else None,
        shows_all=options.verbose,
        lays_out=options.pretty,
        is_quiet=options.quiet,
    )
    try:
        return _perform(options, screen)
    except EXPECTED as error:
        if isinstance(error, BrokenPipeError):
            silence_stdout()  # whoever read our output has had enough of it
            return FAILED
        screen.failure(error)
        return status_of_failure(error)
    except KeyboardInterrupt:
        screen.note("Interrupted.")
        return INTERRUPTED


def _perform(options: Options, screen: Screen) -> int:
    plan = make_plan(options)
    options = with_password(options)
    download = _download(options, plan)
    with contextlib.ExitStack() as stack:
        recorder = Recorder()
        client = stack.enter_context(_WatchedClient(recorder, screen, **client_settings(options)))
        request = plan.request(client, stack)
        if options.curl:
            print(curl_command(options, plan, request))
            return 0
        if options.timing or options.trace is not None or options.har is not None:
            recorder.watch(client)
            stack.callback(_report, options, screen, recorder)
        if download is not None:
            download.prepare(request)
        response = client.send(request, stream=True)
        with contextlib.closing(response):
            screen.head(response, is_last=True)
            screen.status(response)
            if options.har is not None and download is None and not is_endless(response.headers.get("content-type", "")):
                response.read()  # so that the body is recorded, too
            if download is not None and response.is_success:
                _save(download, response, screen)
            elif options.download == "-":
                screen.copy(response)
            else:
                screen.body(response)
                if download is not None:
                    screen.note("Nothing was saved.")
        return status_of(response)


def _download(options: Options, plan: Plan) -> Download | None:
    destination = options.download or ("." if options.remote_name else None)
    if destination is None or destination == "-":
        if options.resume or options.checksum or options.force:
            raise click.UsageError("--resume, --checksum and --force are about files: say which one with --download.")
        return None
    try:
        checksum = None if options.checksum is None else Checksum.parse(options.checksum)
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    return Download(destination, plan.url, resume=options.resume, force=options.force, checksum=checksum)


def _save(download: Download, response: Response, screen: Screen) -> None:
    done, total = download.start(response)
    assert download.target is not None
    began = time.perf_counter()
    try:
        with progress_bar(screen.err, safe(download.target.name), done, total, is_quiet=screen.is_quiet) as progress:
            target = download.receive(response, progress)
    except BaseException:
        if download.can_go_on:
            screen.note(f"What has arrived is kept: go on with --resume (as {download.target}.part).")
        raise
    took = time.perf_counter() - began
    resumed = f", {human_size(done)} of it before" if done else ""
    screen.note(f"Saved {target} ({human_size(target.stat().st_size)}{resumed}, in {took:.1f} s).")


def _report(options: Options, screen: Screen, recorder: Recorder) -> None:
    if options.timing:
        if screen.is_terminal:
            screen.err.print()
        draw(screen.err, recorder.exchanges)
    if options.trace is not None:
        save_page(options.trace, recorder.exchanges)
    if options.har is not None:
        save_har(options.har, recorder.exchanges, with_secrets=options.har_secrets)


class _WatchedClient(Client):
    """A client whose every single request and response is shown and recorded, those of redirects and challenges, too."""

    def __init__(self, recorder: Recorder, screen: Screen, **settings: typing.Any) -> None:
        super().__init__(**settings)
        self._recorder = recorder
        self._screen = screen
        self._previous: Response | None = None

    def _send_single_request(self, request: Request) -> Response:
        if self._previous is not None:
            self._screen.head(self._previous, is_last=False)
        self._screen.request(request)
        self._recorder.begin(request)
        try:
            self._previous = super()._send_single_request(request)
        except BaseException as error:
            self._recorder.failed(error)
            raise
        self._previous.request = request
        self._recorder.answered(self._previous)
        return self._previous
