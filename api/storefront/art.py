"""A mosaic for every sale: a picture made from its id, so that a store without photographs still has faces one can tell apart."""

from functools import lru_cache
from hashlib import sha256
from uuid import UUID

from markupsafe import Markup

HUES = 6
HALF = 4  # columns of the half that is mirrored
ROWS = 4

# A tile with its corner at (x, y), one unit wide; the second of a pair is the first seen in a mirror.
_SHAPES = (
    ("M{x} {y}h1v1h-1z", "M{x} {y}h1v1h-1z"),
    ("M{x} {y}h1a1 1 0 0 1-1 1z", "M{x1} {y}h-1a1 1 0 0 0 1 1z"),
    ("M{x} {y1}v-1a1 1 0 0 1 1 1z", "M{x1} {y1}v-1a1 1 0 0 0-1 1z"),
    ("M{x1} {y}v1a1 1 0 0 1-1-1z", "M{x} {y}v1a1 1 0 0 0 1-1z"),
    ("M{x} {y}h1l-1 1z", "M{x1} {y}h-1l1 1z"),
    ("M{x1} {y1}h-1l1-1z", "M{x} {y1}h1l-1-1z"),
    ("M{x} {ym}a.5.5 0 1 1 1 0a.5.5 0 1 1-1 0z", "M{x} {ym}a.5.5 0 1 1 1 0a.5.5 0 1 1-1 0z"),
)


@lru_cache(maxsize=1024)
def mosaic(seed: UUID) -> Markup:
    """An SVG element of about 2 kB. Colours come from the style sheet, so it needs no inline style."""
    dice = sha256(seed.bytes).digest()
    paths: dict[int, list[str]] = {2: [], 3: [], 4: []}
    for i in range(HALF * ROWS):
        x, y = i % HALF, i // HALF
        die = dice[i]
        colour = (0, 2, 2, 3, 4, 2, 0, 4)[die % 8]
        if not colour:
            continue  # the ground shows
        left, right = _SHAPES[die // 8 % len(_SHAPES)]
        paths[colour].append(_at(left, x, y))
        paths[colour].append(_at(right, 2 * HALF - 1 - x, y))
    drawn = "".join(f'<path class="t{colour}" d="{"".join(parts)}"/>' for colour, parts in paths.items() if parts)
    width = 2 * HALF
    return Markup(  # noqa: S704 - made of numbers only
        f'<svg class="art hue{dice[31] % HUES}" viewBox="0 0 {width} {ROWS}" preserveAspectRatio="xMidYMid slice" aria-hidden="true">'
        f"{drawn}</svg>"
    )


def _at(shape: str, x: int, y: int) -> str:
    return shape.format(x=x, x1=x + 1, y=y, y1=y + 1, ym=y + 0.5)
