"""Plots as SVG, written by hand: bars with their spread, and lines. Readable in a browser and in a diff, on light and dark pages."""

import math
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple
from xml.sax.saxutils import escape

WIDTH: Final = 760
ROW: Final = 26
LEFT: Final = 170
RIGHT: Final = 90
HEIGHT: Final = 300
MARKS_MAX: Final = 8  # places of an axis that are named, and points of a line that are dotted
COLOURS: Final = ("#4269d0", "#efb118", "#ff725c", "#6cc5b0", "#3ca951", "#ff8ab7", "#a463f2", "#97bbf5", "#9c6b4e", "#9498a0")
INK: Final = "#6e7781"


class Bar(NamedTuple):
    """`parts` are stacked; `least` and `most` of the whole are drawn as a whisker where they are given."""

    name: str
    parts: Mapping[str, float]
    least: float = 0.0
    most: float = 0.0

    @property
    def whole(self) -> float:
        return sum(self.parts.values())


def document(height: float, body: str, title: str) -> str:
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" font-family="system-ui, sans-serif" font-size="12">'
    return (
        f'{head}\n<title>{escape(title)}</title>\n<text x="8" y="18" font-weight="600" fill="{INK}">{escape(title)}</text>\n{body}</svg>\n'
    )


def text(x: float, y: float, words: str, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{INK}">{escape(words)}</text>\n'


def bars(title: str, rows: Sequence[Bar], unit: str) -> str:
    """Horizontal bars, one a row, in the order given."""
    most = max((max(row.whole, row.most) for row in rows), default=1.0) or 1.0
    scale = (WIDTH - LEFT - RIGHT) / most
    names = list(dict.fromkeys(name for row in rows for name in row.parts))
    out, y = [], 34.0
    if len(names) > 1:
        x = float(LEFT)
        for name in names:
            wide = 24 + 7.5 * len(name)
            if x + wide > WIDTH:
                x, y = float(LEFT), y + 18
            out.append(f'<rect x="{x:.1f}" y="{y - 9:.1f}" width="10" height="10" fill="{COLOURS[names.index(name) % len(COLOURS)]}"/>\n')
            out.append(text(x + 14, y, name))
            x += wide
        y += ROW - 8
    for row in rows:
        x, middle = float(LEFT), y + 6
        out.append(text(LEFT - 8, middle + 4, row.name, "end"))
        for name, value in row.parts.items():
            colour = COLOURS[names.index(name) % len(COLOURS)]
            out.append(f'<rect x="{x:.1f}" y="{middle - 8:.1f}" width="{value * scale:.1f}" height="16" fill="{colour}"/>\n')
            x += value * scale
        if row.most > row.least:
            ends = LEFT + row.least * scale, LEFT + row.most * scale
            out.append(f'<path d="M{ends[0]:.1f} {middle:.1f}H{ends[1]:.1f}" stroke="{INK}" stroke-width="2"/>\n')
            x = max(x, ends[1])
        out.append(text(x + 6, middle + 4, f"{row.whole:,.{0 if row.whole >= 100 else 1}f} {unit}"))
        y += ROW
    return document(y + 8, "".join(out), title)


def lines(title: str, series: Mapping[str, Mapping[float, float]], across: str, up: str, *, even: bool = False) -> str:
    """A line for each of `series`, points by their place on the horizontal axis. An axis that spans a factor of 20 is
    logarithmic, unless the plot is to be `even`."""
    xs = sorted({x for points in series.values() for x in points})
    ys = [y for points in series.values() for y in points.values() if y > 0]
    if not xs or not ys:
        return document(40, text(8, 36, "not measured"), title)
    log_x, log_y = (False, False) if even else (xs[0] > 0 and xs[-1] / xs[0] > 20, max(ys) / min(ys) > 20)
    low, high = (min(ys), max(ys)) if log_y else (0.0, max(ys))
    top, bottom, left, right = 34.0, HEIGHT - 40.0, 70.0, WIDTH - 150.0

    def place(value: float, least: float, most: float, log: bool) -> float:
        if most == least:
            return 0.5
        if log:
            return (math.log(value) - math.log(least)) / (math.log(most) - math.log(least))
        return (value - least) / (most - least)

    def at(x: float, y: float) -> tuple[float, float]:
        return left + place(x, xs[0], xs[-1], log_x) * (right - left), bottom - place(max(y, low), low, high, log_y) * (bottom - top)

    out = [f'<path d="M{left} {top}V{bottom}H{right}" fill="none" stroke="{INK}"/>\n']
    out += [text(at(x, low)[0], bottom + 16, f"{x:g}", "middle") for x in marks(xs)]
    ticks = [low * (high / low) ** (n / 4) if log_y else high * n / 4 for n in range(5)]
    out += [text(left - 6, at(xs[0], tick)[1] + 4, f"{tick:,.{0 if tick >= 20 else 1}f}", "end") for tick in ticks]
    out += [text((left + right) / 2, HEIGHT - 6, across, "middle"), text(left - 60, top - 4, up)]
    for number, (name, points) in enumerate(series.items()):
        colour = COLOURS[number % len(COLOURS)]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in (at(*point) for point in sorted(points.items())))
        out.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>\n')
        points = points if len(points) <= MARKS_MAX else {}
        out += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>\n' for x, y in (at(*point) for point in points.items())]
        y = top + 18 * number
        out.append(f'<rect x="{right + 16}" y="{y - 9:.1f}" width="10" height="10" fill="{colour}"/>\n' + text(right + 31, y, name))
    return document(HEIGHT, "".join(out), title)


def marks(places: Sequence[float]) -> Sequence[float]:
    """Those of the places that are named: all, or so many that they do not touch."""
    if len(places) <= MARKS_MAX:
        return places
    step = (places[-1] - places[0]) / (MARKS_MAX - 1)
    return [round(places[0] + n * step) for n in range(MARKS_MAX)]
