"""Happy eyeballs: which address is tried when."""

from __future__ import annotations

import socket

import pytest

from httpx._network.race import MIN_STAGGER, STAGGER, Race, interleave

V4, V6 = socket.AF_INET, socket.AF_INET6


def addresses(text):
    """Addresses from a short form: "6a 6b 4a"."""
    return [(V6 if word[0] == "6" else V4, word) for word in text.split()]


@pytest.mark.parametrize(
    ("given", "ordered"),
    [
        ("4a", "4a"),
        ("6a 6b 6c 4a 4b", "6a 4a 6b 4b 6c"),
        ("4a 4b 6a 6b", "4a 6a 4b 6b"),
        ("6a 4a 6b 4b", "6a 4a 6b 4b"),
        ("4a 4b 4c", "4a 4b 4c"),
    ],
)
def test_the_families_take_turns_beginning_with_the_preferred_one(given, ordered):
    assert interleave(addresses(given)) == addresses(ordered)


def test_the_next_address_is_due_when_the_last_one_hesitates():
    race = Race(addresses("6a 4a 6b"))
    assert race.next(10.0) == (V6, "6a")
    assert race.next(10.0) is None
    assert race.patience(10.0) == STAGGER
    assert race.next(10.0 + STAGGER) == (V4, "4a")
    assert race.next(10.1 + STAGGER) is None
    assert race.next(10.0 + 2 * STAGGER) == (V6, "6b")
    assert race.patience(99.0) is None
    assert race.unanswered == addresses("6a 4a 6b")


def test_all_are_tried_within_the_timeout():
    race = Race(addresses("6a 4a"), timeout=0.2)
    assert race.next(10.0) == (V6, "6a")
    assert race.next(10.05) is None
    assert race.untried == addresses("4a")
    assert race.next(10.11) == (V4, "4a")
    assert race.untried == []
    patient = Race(addresses("6a 4a"), timeout=60.0)
    patient.next(10.0)
    assert patient.patience(10.0) == STAGGER
    impatient = Race(addresses("6a 4a"), timeout=0.0)
    impatient.next(10.0)
    assert impatient.patience(10.0) == pytest.approx(MIN_STAGGER)


def test_the_next_address_is_due_at_once_when_one_fails():
    race = Race(addresses("6a 4a"))
    first = race.next(0.0)
    race.failed(first, OSError("unreachable"), 0.01)
    assert race.patience(0.01) == 0.0
    assert race.next(0.01) == (V4, "4a")
    assert not race.is_lost


def test_the_race_is_lost_when_the_last_attempt_has_failed():
    race = Race(addresses("6a 4a"))
    tried = [race.next(0.0), race.next(1.0)]
    assert not race.is_lost
    for address in reversed(tried):
        race.failed(address, OSError(str(address[1])), 2.0)
    assert race.is_lost
    assert [(address[1], str(error)) for address, error in race.failures] == [("4a", "4a"), ("6a", "6a")]
