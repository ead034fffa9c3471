"""What commonly holds credentials: URLs, and header fields.

Such fields are hidden in `repr`, kept out of the compression tables of HTTP/2, and never sent on to another origin.
"""

from __future__ import annotations

import re
import typing

if typing.TYPE_CHECKING:
    from .url import URL

# Names in lower case. `Client(sensitive_headers=...)` adds to them.
CREDENTIAL_FIELDS = frozenset(
    (
        "authorization",
        "proxy-authorization",
        "cookie",
        "api-key",
        "apikey",
        "ocp-apim-subscription-key",
        "private-token",
        "x-access-token",
        "x-amz-security-token",
        "x-api-key",
        "x-api-token",
        "x-auth-key",
        "x-auth-token",
        "x-authorization",
        "x-csrf-token",
        "x-functions-key",
        "x-gitlab-token",
        "x-goog-api-key",
        "x-goog-iam-authorization-token",
        "x-session-token",
        "x-shopify-access-token",
        "x-vault-token",
        "x-xsrf-token",
    )
)


_USERINFO = re.compile(r"//[^/?#]*@")


def shown_url(url: URL) -> URL:
    """A URL for people and logs, which has no user and no password."""
    return url.copy_with(userinfo=None) if url._userinfo else url


def without_userinfo(text: str) -> str:
    """`text`, with what stands before the host in its URLs masked."""
    return _USERINFO.sub("//[secure]@", text) if "@" in text else text
