"""Public suffixes: the domains under which anybody can register a name, such as `com`, `co.uk` and `github.io`.

A cookie for one of them would go to strangers. The list at publicsuffix.org is what tells them: it comes with the package
`publicsuffixlist`, the extra `cookies`. Without it the rule is that a name of one label is public, and so is a label that
registries commonly use under the two-letter domain of a country.
"""

from __future__ import annotations

import functools
import typing

_REGISTRY_LABELS = frozenset(("ac", "co", "com", "edu", "gov", "mil", "ne", "net", "or", "org"))


def is_public_suffix(domain: str) -> bool:
    """Whether `domain`, in lower case and A-labels, is a public suffix."""
    labels = domain.rstrip(".").split(".")
    if len(labels) == 1:
        return True
    suffixes = _load()
    if suffixes is not None:
        return bool(suffixes.is_public(".".join(labels)))
    return len(labels) == 2 and len(labels[1]) == 2 and labels[0] in _REGISTRY_LABELS


@functools.cache
def _load() -> typing.Any:
    try:
        from publicsuffixlist import PublicSuffixList
    except ImportError:
        return None
    return PublicSuffixList()
