"""The parameters of a query as an immutable multi-dict, form-encoded (WHATWG URL Standard section 5)."""

from __future__ import annotations

import re
import typing
from collections.abc import ItemsView, Iterable, Iterator, KeysView, Mapping, Sequence, ValuesView

from .urlparse import percent_decode, percent_encode

if typing.TYPE_CHECKING:
    PrimitiveData: typing.TypeAlias = str | int | float | bool | None
    QueryParamTypes: typing.TypeAlias = typing.Union[  # noqa: UP007 -- "|" does not take the forward reference
        "QueryParams",
        Mapping[str, PrimitiveData | Sequence[PrimitiveData]],
        Iterable[tuple[str, PrimitiveData]],
        str,
        bytes,
    ]

_FORM_UNSAFE = re.compile(r"[^A-Za-z0-9_.~ -]+")  # the space is no escape but becomes "+"


def _text(value: object) -> str:
    """A value as it is written in a query: "true" and "false", nothing for None, otherwise `str()`."""
    if value is True:
        return "true"
    if value is False:
        return "false"
    return "" if value is None else str(value)


def _form_encode(text: str) -> str:
    return percent_encode(text, _FORM_UNSAFE).replace(" ", "+")


def _form_decode(text: str) -> str:
    return percent_decode(text.replace("+", " "))


def _parse(text: str) -> Iterator[tuple[str, str]]:
    for field in text.split("&"):
        if field:
            key, _, value = field.partition("=")
            yield _form_decode(key), _form_decode(value)


def _pairs(value: object) -> Iterator[tuple[str, str]]:
    """The pairs that a constructor argument stands for, in its order."""
    if isinstance(value, Mapping):
        for key, entry in value.items():
            if isinstance(entry, (list, tuple)):
                yield from ((str(key), _text(item)) for item in entry)
            else:
                yield str(key), _text(entry)
        return
    if not isinstance(value, Iterable):
        raise TypeError(f"Query parameters are a str, bytes, mapping or sequence of pairs, not {type(value).__name__}.")
    for pair in value:
        if not isinstance(pair, (list, tuple)) or len(pair) != 2:
            raise TypeError("A sequence of query parameters holds pairs (name, value).")
        yield str(pair[0]), _text(pair[1])


class QueryParams(Mapping[str, str]):
    """Query parameters: an immutable mapping of names to values in which a name can occur several times.

    Made from a query string (str or ASCII bytes, without the "?"), a mapping whose values may be lists or tuples, a sequence of
    pairs, another `QueryParams`, keyword arguments, or nothing. `True` is written "true", `False` "false", `None` as an empty
    value, anything else as `str()` of it. Values of the same name stand together, where the name came first.

    Indexing, iterating and `len()` see each name once, with its first value; `multi_items()` sees them all.

    Raises `TypeError` for positional and keyword arguments together, or for a type not listed here.
    """

    __slots__ = ("__weakref__", "_dict", "_encoded")

    _dict: dict[str, list[str]]
    _encoded: str | None  # str(self), once it was asked for

    def __init__(self, *args: QueryParamTypes | None, **kwargs: typing.Any) -> None:
        if len(args) > 1:
            raise TypeError(f"QueryParams takes one positional argument, not {len(args)}.")
        if args and kwargs:
            raise TypeError("QueryParams takes a positional argument or keyword arguments, not both.")
        value: object = args[0] if args else kwargs
        self._encoded = None
        if isinstance(value, QueryParams):
            self._dict = value._dict  # shared: neither changes
            return
        if isinstance(value, bytes):
            value = value.decode("ascii")
        fields: dict[str, list[str]] = {}
        if value is not None:
            for key, entry in _parse(value) if isinstance(value, str) else _pairs(value):
                fields.setdefault(key, []).append(entry)
        self._dict = fields

    @classmethod
    def _of(cls, fields: dict[str, list[str]]) -> QueryParams:
        made = cls.__new__(cls)
        made._dict = fields
        made._encoded = None
        return made

    def keys(self) -> KeysView[str]:
        """The names, each once."""
        return self._dict.keys()

    def values(self) -> ValuesView[str]:
        """The first value of every name."""
        return {key: entries[0] for key, entries in self._dict.items()}.values()

    def items(self) -> ItemsView[str, str]:
        """Every name with its first value."""
        return {key: entries[0] for key, entries in self._dict.items()}.items()

    def multi_items(self) -> list[tuple[str, str]]:
        """Every pair of name and value, as they stand in the query."""
        return [(key, entry) for key, entries in self._dict.items() for entry in entries]

    def get(self, key: typing.Any, default: typing.Any = None) -> typing.Any:
        """The first value of `key`, or `default`."""
        entries = self._dict.get(str(key))
        return entries[0] if entries else default

    def get_list(self, key: str) -> list[str]:
        """All values of `key`; an empty list if there are none."""
        return list(self._dict.get(str(key), ()))

    def set(self, key: str, value: typing.Any = None) -> QueryParams:
        """A copy in which `value` is the only value of `key`."""
        return self._of({**self._dict, str(key): [_text(value)]})

    def add(self, key: str, value: typing.Any = None) -> QueryParams:
        """A copy with `value` after the values that `key` has."""
        return self._of({**self._dict, str(key): [*self._dict.get(str(key), ()), _text(value)]})

    def remove(self, key: str) -> QueryParams:
        """A copy without `key`; not an error if it is absent."""
        return self._of({name: entries for name, entries in self._dict.items() if name != str(key)})

    def merge(self, params: QueryParamTypes | None = None) -> QueryParams:
        """A copy with `params` added; a name that occurs there loses the values it has here."""
        return self._of({**self._dict, **QueryParams(params)._dict})

    def __getitem__(self, key: typing.Any) -> str:
        return self._dict[key][0]

    def __contains__(self, key: object) -> bool:
        return key in self._dict

    def __iter__(self) -> Iterator[str]:
        return iter(self._dict)

    def __len__(self) -> int:
        return len(self._dict)

    def __bool__(self) -> bool:
        return bool(self._dict)

    def __eq__(self, other: object) -> bool:
        """Whether both hold the same pairs, in whatever order. Never equal to anything but `QueryParams`."""
        if not isinstance(other, QueryParams):
            return NotImplemented
        return self._dict == other._dict or sorted(self.multi_items()) == sorted(other.multi_items())

    def __hash__(self) -> int:
        return hash(tuple(sorted(self.multi_items())))

    def __str__(self) -> str:
        """The query, form-encoded: a space is "+", and all but letters, digits and "-._~" is percent-encoded."""
        encoded = self._encoded
        if encoded is None:
            encoded = "&".join([f"{_form_encode(key)}={_form_encode(entry)}" for key, entry in self.multi_items()])
            self._encoded = encoded
        return encoded

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self)!r})"

    def __reduce__(self) -> tuple[typing.Any, ...]:
        return type(self), (self.multi_items(),)

    def __copy__(self) -> QueryParams:
        return self

    def __deepcopy__(self, memo: dict[int, typing.Any]) -> QueryParams:
        return self

    def update(self, params: QueryParamTypes | None = None) -> None:
        """Always raises `RuntimeError`: the parameters are immutable, `merge()` returns a changed copy."""
        raise RuntimeError("QueryParams are immutable since 0.18.0. Use `q = q.merge(...)` to create an updated copy.")

    def __setitem__(self, key: str, value: str) -> None:
        """Always raises `RuntimeError`: the parameters are immutable, `set()` returns a changed copy."""
        raise RuntimeError("QueryParams are immutable since 0.18.0. Use `q = q.set(key, value)` to create an updated copy.")
