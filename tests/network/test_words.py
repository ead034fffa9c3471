"""How long something took, in words."""

from __future__ import annotations

import pytest

from httpx._network.words import seconds


@pytest.mark.parametrize(
    ("timeout", "shown"),
    [
        (5.0, "5 seconds"),
        (4.987, "5 seconds"),
        (4.87, "4.9 seconds"),
        (1, "1 second"),
        (0.25, "0.25 seconds"),
        (0.0034, "0.003 seconds"),
        (0.0, "0 seconds"),
        (None, "0 seconds"),
    ],
)
def test_a_time_out_in_words(timeout, shown):
    assert seconds(timeout) == shown
