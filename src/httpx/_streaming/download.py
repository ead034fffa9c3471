"""A body into a file: whole or not at all, in one go or in several, and what it should be.

The body goes to `NAME.part`, which takes the name of the file when it is complete and its checksum is right. Beside it
lies `NAME.part.json`, which says what the server called this version: with it, a download that broke off goes on only
if the file is still the same one (`If-Range`, RFC 9110 section 13.1.5).
"""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import email.utils
import hashlib
import hmac
import json
import os
import re
import stat
import typing
from collections.abc import Callable
from pathlib import Path

from .._exceptions import DownloadError, NetworkError, RemoteProtocolError, TimeoutException, TLSError
from .._models.headers import Headers
from .._models.request import Request
from .._models.response import Response
from .._models.url import URL
from .filenames import choose_filename

_CONTENT_RANGE = re.compile(r"bytes (\d{1,19})-(\d{1,19})/(\d{1,19}|\*)\Z", re.ASCII)
_NUMBER = re.compile(r"\d{1,19}", re.ASCII)
_REPR_DIGEST = re.compile(r"(sha-256|sha-512)=:([A-Za-z0-9+/=]+):")  # RFC 9530
_READ_SIZE = 1 << 20
_MAX_NOTES = 100_000

Progress = Callable[[int, int | None], typing.Any]
"""Is given how many bytes there are, and how many there will be in all, if that is known."""


@dataclasses.dataclass(slots=True)
class Checksum:
    """What a file must amount to."""

    algorithm: str
    expected: str
    """In hexadecimal digits."""

    @classmethod
    def parse(cls, text: str) -> Checksum:
        """From `sha256:9f86d0...`. Raises `ValueError`."""
        name, _, expected = text.partition(":")
        algorithm = name.lower().replace("-", "")
        if algorithm not in hashlib.algorithms_guaranteed or algorithm.startswith("shake"):
            raise ValueError(f"'{name}' is no checksum that is known here: write sha256: and the hexadecimal digits, for example.")
        size = hashlib.new(algorithm, usedforsecurity=False).digest_size * 2
        if not re.fullmatch(rf"[0-9a-fA-F]{{{size}}}", expected):
            raise ValueError(f"A {name} checksum has {size} hexadecimal digits; '{expected}' has not.")
        return cls(algorithm, expected.lower())


@dataclasses.dataclass(slots=True)
class Part:
    """What an earlier download left behind."""

    size: int
    validator: str
    """The entity tag or the date that the server gave this version."""


class Download:
    """One file to be made of what `asked` leads to.

    * `destination`: its path; or a folder, for a file in it under the name that the server proposes. `target` is its path, once
      that is known.
    * `resume`: whether to go on with what an earlier download of the same URL left behind.
    * `force`: whether a file that is there may be overwritten.
    * `checksum`: what the file must amount to.

    Raises `FileExistsError` if the file is there already.
    """

    advice_to_overwrite = "Pass overwrite=True, or another path."
    advice_to_start_over = "Pass resume=False."

    def __init__(
        self, destination: str, asked: URL, *, resume: bool = False, force: bool = False, checksum: Checksum | None = None
    ) -> None:
        path = Path(destination)
        is_folder = destination.endswith(("/", os.sep)) or path.is_dir()
        self._folder = path if is_folder else path.parent
        self.target: Path | None = None if is_folder else path
        self._asked = asked
        self._force = force
        self._checksum = checksum
        if resume and is_folder:
            self.target = _find_part(self._folder, asked)
        self._left = _read_part(self.target, asked) if resume and self.target is not None else None
        self._check_target()

    def _check_target(self) -> None:
        if self.target is not None and not self._force and os.path.lexists(self.target):
            raise self.exists(f"{self.target} is there already. {self.advice_to_overwrite}")

    def exists(self, message: str) -> Exception:
        """What to raise if a file is in the way."""
        return FileExistsError(message)

    def problem(self, message: str) -> Exception:
        """What to raise if a file is not what it should be."""
        return DownloadError(message)

    def prepare(self, request: Request) -> None:
        """Add to the request what a download needs: the bytes as they are, and only those that are missing."""
        request.headers["Accept-Encoding"] = "identity"
        if self._left is not None:
            request.headers["Range"] = f"bytes={self._left.size}-"
            request.headers["If-Range"] = self._left.validator

    def start(self, response: Response) -> tuple[int, int | None]:
        """Look at the head: how many bytes are there already, and how many there will be in all, if that is known.

        Raises `FileExistsError`, or `DownloadError` if the server answers with another range than was asked for.
        """
        if self.target is None:
            self.target = self._folder / choose_filename(self._asked, response.headers)
            self._check_target()
        total = _number(response.headers.get("content-length"))
        if response.status_code != 206:
            self._left = None
            return 0, None if "content-encoding" in response.headers else total
        found = _CONTENT_RANGE.match(response.headers.get("content-range", ""))
        if self._left is None or found is None or int(found[1]) != self._left.size:
            raise self.problem(f"The server sent another part of {self.target.name} than the one asked for. {self.advice_to_start_over}")
        return self._left.size, None if found[3] == "*" else int(found[3])

    def begin(self, response: Response) -> Writing:
        """Open the file for the body that follows; call `start()` before."""
        assert self.target is not None
        checksums = self._checksums(response)
        if self._left is None:
            file = _open_part(_part_of(self.target), appending=False)
            try:
                _remember(self.target, self._asked, response)
            except BaseException:
                file.close()
                raise
        else:
            file = self._reopen(self._left.size)
            try:
                _digest(file, checksums)
            except BaseException:
                file.close()
                raise
        return Writing(self, file, checksums)

    def _reopen(self, size: int) -> typing.BinaryIO:
        # It was looked at before the request; what lies there now may be something else.
        assert self.target is not None
        part = _part_of(self.target)
        with contextlib.suppress(OSError):
            file = _open_part(part, appending=True)
            found = os.fstat(file.fileno())
            if _is_own(found, part.parent) and found.st_size == size:
                return file
            file.close()
        raise self.problem(f"{part} is not what it was when the download began. {self.advice_to_start_over}")

    def go_on(self) -> None:
        """What has arrived by now is not asked for again."""
        assert self.target is not None
        self._left = _read_part(self.target, self._asked)

    @property
    def can_go_on(self) -> bool:
        """Whether something has arrived that a later download can go on with."""
        return self.target is not None and _read_part(self.target, self._asked) is not None

    def _checksums(self, response: Response) -> list[tuple[Checksum, typing.Any]]:
        # The user's, and what the server says of the whole file (not of what a coding made of it).
        checksums = [] if self._checksum is None else [self._checksum]
        if "content-encoding" not in response.headers:
            for name, encoded in _REPR_DIGEST.findall(response.headers.get("repr-digest", "")):
                with contextlib.suppress(ValueError):
                    checksums.append(Checksum(name.replace("-", ""), base64.b64decode(encoded, validate=True).hex()))
        return [(checksum, hashlib.new(checksum.algorithm, usedforsecurity=False)) for checksum in checksums]

    def check(self, checksums: list[tuple[Checksum, typing.Any]]) -> None:
        """Raise `DownloadError`, and throw the file away, if it is not what it should be."""
        assert self.target is not None
        for checksum, digest in checksums:
            if not hmac.compare_digest(digest.hexdigest(), checksum.expected):
                _forget(self.target)
                _part_of(self.target).unlink()
                raise self.problem(
                    f"{self.target.name} has the wrong checksum and was thrown away: {checksum.algorithm} is {digest.hexdigest()}, "
                    f"and should be {checksum.expected}."
                )

    def name(self) -> Path:
        """Give the file its name: it is complete."""
        assert self.target is not None
        part = _part_of(self.target)
        if self._force:
            os.replace(part, self.target)
        else:
            try:
                os.link(part, self.target)  # unlike renaming, this does not overwrite what has come into being meanwhile
                part.unlink()
            except FileExistsError:
                raise self.exists(f"{self.target} came into being meanwhile; what was downloaded is in {part}.") from None
            except OSError:  # a file system without links
                self._check_target()
                os.rename(part, self.target)
        _forget(self.target)
        return self.target


class Writing:
    """A file that is being written, and what it amounts to so far."""

    def __init__(self, download: Download, file: typing.BinaryIO, checksums: list[tuple[Checksum, typing.Any]]) -> None:
        self._download = download
        self._file = file
        self._checksums = checksums

    def write(self, data: bytes) -> None:
        """Add what has arrived."""
        self._file.write(data)
        for _, digest in self._checksums:
            digest.update(data)

    def finish(self) -> Path:
        """Check the file, and give it its name. Raises `OSError` and `DownloadError`."""
        self.close()
        self._download.check(self._checksums)
        return self._download.name()

    def close(self) -> None:
        """Stop writing, complete or not."""
        self._file.close()


def _part_of(target: Path) -> Path:
    return target.with_name(f"{target.name}.part")


def _notes_of(target: Path) -> Path:
    return target.with_name(f"{target.name}.part.json")


def _find_part(folder: Path, asked: URL) -> Path | None:
    # Under which name an earlier download began is not known before the server is asked.
    for notes in folder.glob("*.part.json"):
        target = folder / notes.name.removesuffix(".part.json")
        if _read_part(target, asked) is not None:
            return target
    return None


def _read_part(target: Path, asked: URL) -> Part | None:
    try:
        part, about_notes = _part_of(target).lstat(), _notes_of(target).lstat()
        if not (_is_own(part, target.parent) and _is_own(about_notes, target.parent)) or about_notes.st_size > _MAX_NOTES:
            return None
        notes = json.loads(_notes_of(target).read_text(encoding="utf-8"))
        # One that is complete has nothing to go on with; why it was not finished nobody knows.
        is_useful = 0 < part.st_size != notes["total"] and notes["resource"] == _resource(asked)
        return Part(part.st_size, str(notes["validator"])) if is_useful else None
    except (FileNotFoundError, ValueError, KeyError, TypeError, RecursionError):
        return None


def _is_own(found: os.stat_result, folder: Path) -> bool:
    # A file that we have made: no link to what is elsewhere, and nothing that another user has put there for us to go on with.
    # Whoever owns the folder may do with it as they like, anyhow.
    owners = (getattr(os, "geteuid", lambda: found.st_uid)(), folder.stat().st_uid)
    return stat.S_ISREG(found.st_mode) and found.st_nlink == 1 and found.st_uid in owners


def _remember(target: Path, asked: URL, response: Response) -> None:
    _forget(target)
    validator = _validator(response.headers)
    if validator is None or "content-encoding" in response.headers:
        return
    notes = {"resource": _resource(asked), "validator": validator, "total": _number(response.headers.get("content-length"))}
    with open(_notes_of(target), "x", encoding="utf-8") as file:
        json.dump(notes, file)


def _resource(asked: URL) -> str:
    # Another URL may have the same entity tag. Only the hash is kept: there may be a password in it.
    return hashlib.sha256(str(asked.copy_with(fragment=None)).encode()).hexdigest()


def _validator(headers: Headers) -> str | None:
    # What vouches for every byte (RFC 9110 section 8.8): a strong entity tag, or a date in which no second version fits.
    tag: str = headers.get("etag", "")
    if tag.startswith('"'):
        return tag
    date: str = headers.get("last-modified", "")
    try:
        modified, now = (email.utils.parsedate_to_datetime(text) for text in (date, headers.get("date", "")))
        return date if (now - modified).total_seconds() >= 1 else None
    except (ValueError, TypeError, OverflowError):
        return None


def _forget(target: Path) -> None:
    _notes_of(target).unlink(missing_ok=True)


def _open_part(part: Path, *, appending: bool) -> typing.BinaryIO:
    # Never through a link that someone else has put there: made anew, or opened as what it is.
    flags = getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)
    if appending:
        return open(os.open(part, flags | os.O_RDWR | os.O_APPEND), "r+b")
    part.unlink(missing_ok=True)
    return open(os.open(part, flags | os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666), "wb")


def _digest(file: typing.BinaryIO, checksums: list[tuple[Checksum, typing.Any]]) -> None:
    # Of what is there; the file stands at its end then.
    while checksums and (data := file.read(_READ_SIZE)):
        for _, digest in checksums:
            digest.update(data)


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and _NUMBER.fullmatch(text) else None


class Downloaded(typing.NamedTuple):
    """A file that was downloaded, see `Client.download()`."""

    path: Path
    """Where it is."""
    size: int
    """Its size in bytes."""
    resumed_from: int
    """How many of them were there before, from an earlier download."""
    response: Response
    """The last response, whose body is in the file."""


async def download(
    client: typing.Any,
    make_request: Callable[[], Request],
    target: Download,
    progress: Progress | None,
    attempts: int,
    sending: dict[str, typing.Any],
) -> Downloaded:
    """Make the file; when the connection breaks, go on where it broke, at most `attempts` times in all."""
    calls = client._calls
    resumed_from = None
    for attempt in range(1, attempts + 1):
        request = make_request()
        target.prepare(request)
        response = await calls.send(client, request, **sending)
        try:
            if not response.is_success:
                await calls.read(response)
                response.raise_for_status()
            done, total = target.start(response)
            if resumed_from is None:
                resumed_from = done
            path = await _receive(calls, response, target, progress, done, total)
            return Downloaded(path, path.stat().st_size, resumed_from, response)
        except DownloadError as error:
            error.request = request
            raise
        except (NetworkError, TimeoutException, RemoteProtocolError) as error:
            if attempt == attempts or isinstance(error, TLSError) or not target.can_go_on:
                raise
            target.go_on()
        finally:
            await calls.close(response)
    raise ValueError(f"attempts= counts the first one, and so is 1 at least, not {attempts}.")


async def _receive(
    calls: typing.Any, response: Response, target: Download, progress: Progress | None, done: int, total: int | None
) -> Path:
    # In larger pieces than the network gives: where there is an event loop, each is handed to a thread.
    writing = await calls.in_thread(lambda: target.begin(response))
    pieces = calls.contents(response)
    gathered = bytearray()
    try:
        try:
            while (piece := await calls.next_piece(pieces)) is not None:
                gathered += piece
                done += len(piece)
                if len(gathered) >= _READ_SIZE:
                    data = bytes(gathered)
                    gathered.clear()
                    await calls.in_thread(lambda data=data: writing.write(data))
                if progress is not None:
                    progress(done, total)
        finally:
            writing.write(bytes(gathered))  # also of a download that breaks off: what has arrived is kept
        if total is not None and done != total:
            raise RemoteProtocolError(f"The server sent {done} bytes of a file that has {total}, as it says.", request=response.request)
        path: Path = await calls.in_thread(writing.finish)
        return path
    finally:
        writing.close()
        await calls.close_generator(pieces)


def prepare(client: typing.Any, url: typing.Any, settings: dict[str, typing.Any]) -> typing.Any:
    """The conversation that `client.download()` is; `settings` are its arguments."""
    checksum = settings.pop("digest")
    target = Download(
        os.fspath(settings.pop("path")),
        client._merge_url(url),
        resume=settings.pop("resume"),
        force=settings.pop("overwrite"),
        checksum=None if checksum is None else Checksum.parse(checksum),
    )
    progress, attempts = settings.pop("progress"), settings.pop("attempts")
    sending: dict[str, typing.Any] = {name: settings.pop(name) for name in ("auth", "follow_redirects") if name in settings}
    return download(client, lambda: client.build_request("GET", url, **settings), target, progress, attempts, sending)
