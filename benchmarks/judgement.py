"""What the figures say: medians, ratios, and which goals are met."""

from __future__ import annotations

import statistics
from typing import NamedTuple

from works import ABSOLUTE, GROUPS, GROWTH, OURS, WORKS

Figures = dict[str, dict[str, list[float]]]  # work -> client -> a figure for each round
Absolute = dict[str, float]  # a name of works.ABSOLUTE -> what was found


class Verdict(NamedTuple):
    """One goal, and how far it was reached."""

    title: str
    against: str
    """The peer, or the unit."""
    goal: float
    found: float

    @property
    def met(self) -> bool:
        return self.found <= self.goal


def medians(found: dict[str, list[float]]) -> dict[str, float]:
    """Each client's median, the smallest first."""
    return dict(sorted(((client, statistics.median(values)) for client, values in found.items()), key=lambda item: item[1]))


def ratio(found: dict[str, list[float]], peer: str) -> float | None:
    """Our figure divided by the peer's: the median over the rounds, each of which is a pair of neighbours in time."""
    if OURS not in found or peer not in found:
        return None
    return statistics.median(ours / theirs for ours, theirs in zip(found[OURS], found[peer], strict=True))


def largest_increase(costs: list[float]) -> float:
    """How many times a figure is what one before it is, at most. That the first ones may be the largest is no growth: a lone
    task pays a whole turn of the event loop for each request."""
    return max(later / earlier for number, earlier in enumerate(costs) for later in costs[number + 1 :])


def judge(figures: Figures, absolute: Absolute) -> list[Verdict]:
    """A verdict for each goal that was measured."""
    verdicts = []
    for name, found in figures.items():
        for peer, goal in WORKS[name].goals.items():
            if (measured := ratio(found, peer)) is not None:
                verdicts.append(Verdict(WORKS[name].title, peer, goal, measured))
    for group, title in GROUPS.items():
        costs = [statistics.median(found[OURS]) for name, found in figures.items() if WORKS[name].group == group and OURS in found]
        if len(costs) > 1:
            verdicts.append(Verdict(f"CPU per request {title}", "largest increase", GROWTH, largest_increase(costs)))
    verdicts += [Verdict(ABSOLUTE[name].title, ABSOLUTE[name].unit, ABSOLUTE[name].at_most, figure) for name, figure in absolute.items()]
    return verdicts
