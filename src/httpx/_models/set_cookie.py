"""Reading a Set-Cookie field and the dates in it (RFC 6265 sections 5.1.1 and 5.2, RFC 6265bis section 5.6)."""

from __future__ import annotations

import datetime
import re

MAX_COOKIE_SIZE = 4096
"""Bytes that name and value may have together; a larger cookie is ignored."""

MAX_ATTRIBUTE_SIZE = 1024
"""Bytes that the value of an attribute may have; a larger one is ignored."""

_CONTROLS = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")

# The parts of a date, in whatever order; any other character separates them. [A-Za-z0-9:] and what is not ASCII does not.
_DATE_DELIMITER = re.compile(r"[\t\x20-\x2f\x3b-\x40\x5b-\x60\x7b-\x7e]+")
_TIME = re.compile(r"(\d{1,2}):(\d{1,2}):(\d{1,2})(?!\d)", re.ASCII)
_DAY = re.compile(r"(\d{1,2})(?!\d)", re.ASCII)
_YEAR = re.compile(r"(\d{2,4})(?!\d)", re.ASCII)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


class SetCookie:
    """What a Set-Cookie field says; None for an attribute that is not there, or that has to be ignored."""

    domain: str | None = None  # without its leading dot, in lower case
    path: str | None = None
    expires: float | None = None  # in seconds since the epoch
    max_age: int | None = None
    secure: bool = False
    http_only: bool = False
    same_site: str | None = None

    def __init__(self, name: str, value: str, charset: str) -> None:
        self.name = name
        self.value = value
        self.charset = charset  # what both were decoded from, so that they go back as the bytes that came


def parse_set_cookie(field: bytes) -> SetCookie | None:
    """The cookie in the value of a Set-Cookie field, None if it has to be ignored."""
    if _CONTROLS.search(field):
        return None
    charset = "utf-8"
    try:
        text = field.decode(charset)
    except UnicodeDecodeError:
        charset = "iso-8859-1"
        text = field.decode(charset)
    pair, *attributes = text.split(";")
    name, equals, value = pair.partition("=")
    name, value = name.strip(" \t"), value.strip(" \t")
    if not equals or not name or len(name.encode(charset)) + len(value.encode(charset)) > MAX_COOKIE_SIZE:
        return None
    said = SetCookie(name, value, charset)
    for attribute in attributes:
        key, _, argument = attribute.partition("=")
        _read_attribute(said, key.strip(" \t").lower(), argument.strip(" \t"))
    return said


def _read_attribute(said: SetCookie, name: str, value: str) -> None:
    # Of several attributes of one name the last counts.
    if len(value) > MAX_ATTRIBUTE_SIZE:
        return
    if name == "path":
        said.path = value if value.startswith("/") else None
    elif name == "domain":
        if value:
            said.domain = value.removeprefix(".").lower()
    elif name == "expires":
        if (expires := parse_cookie_date(value)) is not None:
            said.expires = expires
    elif name == "max-age":
        digits = value.removeprefix("-")
        if digits.isascii() and digits.isdigit():
            said.max_age = int(value)
    elif name == "secure":
        said.secure = True
    elif name == "httponly":
        said.http_only = True
    elif name == "samesite":
        said.same_site = value


def parse_cookie_date(text: str) -> float | None:
    """Seconds since the epoch, None if `text` is no date: servers write them in many ways, RFC 6265 section 5.1.1 reads most."""
    time = day = month = year = None
    for token in _DATE_DELIMITER.split(text):
        if time is None and (found := _TIME.match(token)):
            time = (int(found[1]), int(found[2]), int(found[3]))
        elif day is None and (found := _DAY.match(token)):
            day = int(found[1])
        elif month is None and token[:3].lower() in _MONTHS:
            month = _MONTHS.index(token[:3].lower()) + 1
        elif year is None and (found := _YEAR.match(token)):
            year = int(found[1])
    if time is None or day is None or month is None or year is None:
        return None
    if year < 100:
        year += 1900 if year >= 70 else 2000
    if year < 1601:
        return None
    try:
        return datetime.datetime(year, month, day, *time, tzinfo=datetime.UTC).timestamp()
    except ValueError:
        return None
