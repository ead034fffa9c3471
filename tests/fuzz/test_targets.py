"""The fuzzing targets, on what hypothesis makes of bytes in general and of their seeds in particular. `scripts/fuzz` goes further."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fuzz.targets import SEEDS, TARGETS


@st.composite
def mutated(draw: st.DrawFn, seeds: list[bytes]) -> bytes:
    """A seed with some of its bytes replaced, removed, doubled, or with others put in between."""
    data = bytearray(draw(st.sampled_from(seeds)))
    for _ in range(draw(st.integers(0, 4))):
        start = draw(st.integers(0, len(data)))
        end = draw(st.integers(start, min(start + 6, len(data))))
        data[start:end] = draw(
            st.one_of(st.binary(max_size=6), st.sampled_from([b"\r\n", b"\0", b"\n", b"%0d", b'"', b"\\", bytes(data[start:end]) * 2]))
        )
    return bytes(data)


@pytest.mark.parametrize("name", TARGETS)
def test_the_seeds_hold(name: str) -> None:
    for seed in SEEDS[name]:
        TARGETS[name](seed)
        TARGETS[name](b"")


@pytest.mark.parametrize("name", TARGETS)
def test_what_hypothesis_thinks_of_holds(name: str) -> None:
    @settings(max_examples=100, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(st.one_of(st.binary(max_size=200), mutated(SEEDS[name])))
    def holds(data: bytes) -> None:
        TARGETS[name](data)

    holds()
