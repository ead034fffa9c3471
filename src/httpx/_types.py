"""Types of arguments, for annotations."""

from __future__ import annotations

import os
import typing
from collections.abc import AsyncIterable, Callable, Iterable, Mapping, Sequence

from ._content.streams import AsyncByteStream as AsyncByteStream
from ._content.streams import SyncByteStream as SyncByteStream

if typing.TYPE_CHECKING:
    import ssl
    from http.cookiejar import CookieJar

    from ._auth.base import Auth
    from ._config import Timeout
    from ._models.cookies import Cookies
    from ._models.headers import Headers
    from ._models.query import QueryParams
    from ._models.request import Request
    from ._models.url import URL
    from ._proxy import Proxy

PrimitiveData = str | int | float | bool | None

PathTypes = str | os.PathLike[str]
_Data = PathTypes | bytes | bytearray
_Password = str | bytes | bytearray | Callable[[], str | bytes | bytearray] | None
_TrustSource = bool | _Data
VerifyTypes = typing.Union["ssl.SSLContext", _TrustSource, Sequence[_TrustSource]]
CertTypes = _Data | tuple[_Data, _Data | None] | tuple[_Data, _Data | None, _Password]

RequestContent = str | bytes | bytearray | memoryview | typing.IO[bytes] | os.PathLike[str] | Iterable[bytes] | AsyncIterable[bytes]
RequestData = Mapping[str, typing.Any] | Sequence[tuple[str, typing.Any]]
RequestExtensions = Mapping[str, typing.Any]
ResponseContent = str | bytes | Iterable[bytes] | AsyncIterable[bytes]
ResponseExtensions = Mapping[str, typing.Any]

FileContent = typing.IO[bytes] | os.PathLike[str] | bytes | str | Iterable[bytes] | AsyncIterable[bytes]
FileTypes = (
    FileContent
    | tuple[str | None, FileContent]
    | tuple[str | None, FileContent, str | None]
    | tuple[str | None, FileContent, str | None, Mapping[str, str]]
)
RequestFiles = Mapping[str, FileTypes | list[FileTypes]] | Sequence[tuple[str, FileTypes]]

CookieTypes = typing.Union["Cookies", "CookieJar", dict[str, str], list[tuple[str, str]]]

HeaderTypes = typing.Union[
    "Headers",
    Mapping[str, str],
    Mapping[bytes, bytes],
    Sequence[tuple[str, str]],
    Sequence[tuple[bytes, bytes]],
]
TimeoutTypes = typing.Union[
    None,
    float,
    tuple[float | None, float | None, float | None, float | None],
    "Timeout",
]

URLTypes = typing.Union["URL", str]
AuthTypes = typing.Union[tuple[str | bytes, str | bytes], "Callable[[Request], Request]", "Auth"]
ProxyTypes = typing.Union["Proxy", "URL", str]
QueryParamTypes = typing.Union[
    "QueryParams",
    Mapping[str, PrimitiveData | Sequence[PrimitiveData]],
    list[tuple[str, PrimitiveData]],
    tuple[tuple[str, PrimitiveData], ...],
    str,
    bytes,
]
