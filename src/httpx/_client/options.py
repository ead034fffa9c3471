"""What a request may be given, for methods that hand it on as it is."""

from __future__ import annotations

import typing

from .._config import TimeoutTypes
from .._models.headers import HeaderTypes
from .._types import AuthTypes, CookieTypes, QueryParamTypes, RequestContent, RequestData, RequestExtensions, RequestFiles
from .defaults import UseClientDefault


class RequestOptions(typing.TypedDict, total=False):
    """The arguments of `client.request()` by keyword."""

    content: RequestContent | None
    data: RequestData | None
    files: RequestFiles | None
    json: typing.Any
    params: QueryParamTypes | None
    headers: HeaderTypes | None
    cookies: CookieTypes | None
    auth: AuthTypes | UseClientDefault | None
    follow_redirects: bool | UseClientDefault
    timeout: TimeoutTypes | UseClientDefault
    extensions: RequestExtensions | None
