"""Header fields (RFC 9110 section 5): an ordered multi-dict with case-insensitive names."""

from __future__ import annotations

import typing
from collections.abc import Iterator, Mapping, MutableMapping

from .._types import HeaderTypes as HeaderTypes
from .credentials import CREDENTIAL_FIELDS, without_userinfo

Fields = list[tuple[bytes, bytes]]

_SECRET_NAMES = frozenset(name.encode("ascii") for name in (*CREDENTIAL_FIELDS, "set-cookie"))


PICKED = ("connection", "content-encoding", "content-length", "location", "set-cookie", "transfer-encoding")
"""The fields of a response that the client itself goes by. Parsers pick them out; the rest waits until it is asked for."""


class Headers(MutableMapping[str, str]):
    """Header fields in their order, with the case that they were given.

    Names are looked up without regard to case. A name that stands several times reads as its values joined by `, `;
    `get_list` and `multi_items` tell them apart. `encoding` defaults to what all of the values decode as: ASCII, else
    UTF-8, else ISO-8859-1.

    A copy shares everything with its original until one of the two is changed.
    """

    # _index: each lower-case name to its joined value, made at the first look-up.
    # _wire: what an HTTP/1.1 connection makes of the fields, kept for as long as they do not change.
    __slots__ = ("_encoding", "_fields", "_index", "_wire")

    def __init__(self, headers: HeaderTypes | None = None, encoding: str | None = None) -> None:
        self._encoding = encoding
        self._index: dict[bytes, bytes] | None = None
        self._wire: typing.Any = None
        self._fields: Fields
        if headers is None:
            self._fields = []
        elif isinstance(headers, Headers):
            self._fields = headers._fields
            self._index = headers._index
            self._wire = headers._wire
        elif isinstance(headers, Mapping):
            self._fields = [(_name(name, encoding), _value(value, encoding, name)) for name, value in headers.items()]
        else:
            self._fields = [(_name(name, encoding), _value(value, encoding, name)) for name, value in headers]

    @classmethod
    def _of(cls, fields: Fields) -> Headers:
        # For fields that a parser has already checked.
        headers = cls.__new__(cls)
        headers._fields = fields
        headers._index = headers._wire = headers._encoding = None
        return headers

    def _shared(self) -> Headers:
        # What `copy()` gives, in short.
        headers = _new(Headers)
        headers._fields = self._fields
        headers._index = self._index
        headers._wire = self._wire
        headers._encoding = self._encoding
        return headers

    def _each(self, name: bytes) -> list[bytes]:
        # The values of a lower-case name, apart.
        return [value for key, value in self._fields if key.lower() == name]

    def _lookup(self) -> dict[bytes, bytes]:
        index = self._index
        if index is None:
            index = {}
            for name, value in self._fields:
                key = name.lower()
                index[key] = index[key] + b", " + value if key in index else value
            self._index = index
        return index

    def _replace_fields(self, fields: Fields) -> None:
        self._fields = fields
        self._index = self._wire = None

    def _append(self, fields: Fields) -> None:
        # Fields on content, or cookies, which these lacked: what is worked out already need not be worked out again.
        self._fields = [*self._fields, *fields]
        self._index = None
        if self._wire is not None:
            self._wire = self._wire.extended(fields)

    @property
    def encoding(self) -> str:
        """How names and values are turned into text and back."""
        if self._encoding is None:
            for encoding in ("ascii", "utf-8"):
                try:
                    for name, value in self._fields:
                        name.decode(encoding)
                        value.decode(encoding)
                except UnicodeDecodeError:
                    continue
                self._encoding = encoding
                break
            else:
                self._encoding = "iso-8859-1"
        return self._encoding

    @encoding.setter
    def encoding(self, value: str) -> None:
        self._encoding = value

    @property
    def raw(self) -> list[tuple[bytes, bytes]]:
        """The fields as bytes, names in the case that they have on the wire."""
        return list(self._fields)

    @property
    def _list(self) -> list[tuple[bytes, bytes, bytes]]:
        # Read by pytest-httpx.
        return [(name, name.lower(), value) for name, value in self._fields]

    def keys(self) -> typing.KeysView[str]:
        """The lower-case names, each once."""
        encoding = self.encoding
        return dict.fromkeys(name.decode(encoding) for name in self._lookup()).keys()

    def values(self) -> typing.ValuesView[str]:
        """The values, those of one name joined by `, `."""
        return self._as_dict().values()

    def items(self) -> typing.ItemsView[str, str]:
        """Pairs of lower-case name and value, those of one name joined by `, `."""
        return self._as_dict().items()

    def _as_dict(self) -> dict[str, str]:
        encoding = self.encoding
        return {name.decode(encoding): value.decode(encoding) for name, value in self._lookup().items()}

    def multi_items(self) -> list[tuple[str, str]]:
        """A pair of lower-case name and value for each field, in order."""
        encoding = self.encoding
        return [(name.lower().decode(encoding), value.decode(encoding)) for name, value in self._fields]

    def get(self, key: str, default: typing.Any = None) -> typing.Any:
        """The value of a name, several joined by `, `, or `default`."""
        try:
            return self[key]
        except KeyError:
            return default

    def get_list(self, key: str, split_commas: bool = False) -> list[str]:
        """Each value of a name. With `split_commas` also those that stand in one field, separated by commas."""
        wanted = key.lower().encode(self.encoding)
        values = [value.decode(self.encoding) for name, value in self._fields if name.lower() == wanted]
        if not split_commas:
            return values
        return [part.strip() for value in values for part in value.split(",")]

    def update(self, headers: HeaderTypes | None = None) -> None:  # type: ignore[override]
        """Set each name in `headers` to the values it has there."""
        added = Headers(headers)
        names = {name.lower() for name, _ in added._fields}
        kept = [field for field in self._fields if field[0].lower() not in names]
        self._replace_fields(kept + added._fields)

    def copy(self) -> Headers:
        """An independent copy."""
        return Headers(self, encoding=self._encoding)

    def __getitem__(self, key: str) -> str:
        encoding = self._encoding or self.encoding
        value = self._lookup().get(_key(key, encoding))
        if value is None:
            raise KeyError(key)
        return value.decode(encoding)

    def __or__(self, other: HeaderTypes) -> Headers:
        """A copy with each name in `other` set to the values it has there."""
        if not isinstance(other, (Mapping, list, tuple)):
            return NotImplemented
        merged = self.copy()
        merged.update(other)
        return merged

    def __ror__(self, other: HeaderTypes) -> Headers:
        return Headers(other) | self if isinstance(other, (Mapping, list, tuple)) else NotImplemented

    def __ior__(self, other: HeaderTypes) -> Headers:
        if not isinstance(other, (Mapping, list, tuple)):
            return NotImplemented
        self.update(other)
        return self

    def __setitem__(self, key: str, value: str) -> None:
        encoding = self._encoding or "utf-8"
        name, new = _name(key, encoding), _value(value, encoding, key)
        wanted = name.lower()
        fields: list[tuple[bytes, bytes]] = []
        is_set = False
        for field in self._fields:
            if field[0].lower() != wanted:
                fields.append(field)
            elif not is_set:
                fields.append((name, new))
                is_set = True
        if not is_set:
            fields.append((name, new))
        self._replace_fields(fields)

    def __delitem__(self, key: str) -> None:
        wanted = _key(key, self.encoding)
        fields = [field for field in self._fields if field[0].lower() != wanted]
        if len(fields) == len(self._fields):
            raise KeyError(key)
        self._replace_fields(fields)

    def __contains__(self, key: typing.Any) -> bool:
        return isinstance(key, str) and _key(key, self._encoding or "utf-8") in self._lookup()

    def __iter__(self) -> Iterator[str]:
        return iter(self.keys())

    def __len__(self) -> int:
        """How many fields there are: a name that stands several times counts as often, as it always has in HTTPX."""
        return len(self._fields)

    def __eq__(self, other: object) -> bool:
        try:
            theirs = Headers(other)  # type: ignore[arg-type]
        except (TypeError, ValueError):
            return False
        return _comparable(self) == _comparable(theirs)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        encoding = self.encoding
        note = "" if encoding == "ascii" else f", encoding={encoding!r}"
        shown = [
            (name.lower().decode(encoding), "[secure]" if name.lower() in _SECRET_NAMES else without_userinfo(value.decode(encoding)))
            for name, value in self._fields
        ]
        as_dict = dict(shown)
        return f"Headers({as_dict if len(as_dict) == len(shown) else shown!r}{note})"

    def __getstate__(self) -> tuple[Fields, str | None]:
        return self._fields, self._encoding

    def __setstate__(self, state: tuple[Fields, str | None]) -> None:
        self._fields, self._encoding = state
        self._index = self._wire = None


_new = object.__new__  # in short, where each request does it


def _comparable(headers: Headers) -> list[tuple[bytes, bytes]]:
    return sorted((name.lower(), value) for name, value in headers._fields)


def _key(key: str, encoding: str) -> bytes:
    return key.lower().encode(encoding, "replace")


def _name(name: str | bytes, encoding: str | None) -> bytes:
    if isinstance(name, bytes):
        return name
    if isinstance(name, str):
        return _encoded(name, encoding, "Header names are ASCII (RFC 9110 section 5.1).")
    raise TypeError(f"Header name must be str or bytes, not {type(name)}")


def _value(value: str | bytes, encoding: str | None, name: str | bytes) -> bytes:
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return _encoded(value, encoding, f"Give the value of {name!r} as bytes, or httpx.Headers(..., encoding='utf-8').")
    raise TypeError(f"Header value must be str or bytes, not {type(value)}")


def _encoded(text: str, encoding: str | None, hint: str) -> bytes:
    try:
        return text.encode(encoding or "ascii")
    except UnicodeEncodeError as error:
        error.reason = f"{error.reason}. {hint}"
        raise
