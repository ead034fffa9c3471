"""A picture of the figures: bars per work, ours and the peers', as SVG."""

from __future__ import annotations

from html import escape

from judgement import Figures, medians
from report import number
from works import OURS, OURS_SPEED, WORKS

WIDTH, NAMES, FIGURES = 760, 150, 110  # of the picture; of the columns left and right of the bars
ROW, BAR, HEADING, GAP = 20, 14, 26, 14
NAMES_OF_OURS = {OURS: "httpx (ours)", OURS_SPEED: "httpx[speed]"}
LONGEST = 6.0  # times ours: longer bars are cut, or ours would be a line

STYLE = """\
text { font: 12px system-ui, sans-serif; fill: #24292f; }
.title { font-weight: 600; } .name { text-anchor: end; } .figure { fill: #57606a; }
.ours { fill: #1a7f37; } .peer { fill: #afb8c1; } .cut { stroke: #fff; stroke-width: 3; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3; } .figure { fill: #8d96a0; } .ours { fill: #3fb950; } .peer { fill: #545d68; } .cut { stroke: #0d1117; }
}"""


def chart(figures: Figures) -> str:
    """The picture of all works that have peers. Shorter is better."""
    parts, y = [], GAP
    for name, found in figures.items():
        costs = medians(found)
        if OURS not in costs or len(costs) < 2:
            continue
        heading = f"{WORKS[name].title}: CPU {'seconds per GB' if WORKS[name].is_transfer else 'µs per request'}"
        parts.append(f'<text class="title" x="{NAMES + 8}" y="{y + 14}">{escape(heading)}</text>')
        y += HEADING
        longest = min(max(costs.values()), LONGEST * costs[OURS])
        for client, cost in costs.items():
            parts += bar(client, cost, longest, y)
            y += ROW
        y += GAP
    size = f'width="{WIDTH}" height="{y}" viewBox="0 0 {WIDTH} {y}"'
    opening = f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label="CPU that clients need; shorter is better">'
    return "\n".join([opening, f"<style>{STYLE}</style>", *parts, "</svg>", ""])


def bar(client: str, cost: float, longest: float, y: int) -> list[str]:
    """One row: the client's name, its bar (broken where it is cut), the figure."""
    length = (WIDTH - NAMES - FIGURES) * min(cost / longest, 1)
    kind, middle = ("ours" if client in NAMES_OF_OURS else "peer"), y + BAR - 3
    row = [
        f'<text class="name" x="{NAMES}" y="{middle}">{escape(NAMES_OF_OURS.get(client, client))}</text>',
        f'<rect class="{kind}" x="{NAMES + 8}" y="{y}" width="{length:.1f}" height="{BAR}" rx="2"/>',
        f'<text class="figure" x="{NAMES + 14 + length:.1f}" y="{middle}">{number(cost)}</text>',
    ]
    if cost > longest:
        x = NAMES + 8 + length - 30
        row.append(f'<path class="cut" d="M{x:.1f} {y + BAR + 2} l6 -{BAR + 4}"/>')
    return row
