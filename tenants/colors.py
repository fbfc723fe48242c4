"""Colours of a store, and what may be read on what: by WCAG 2.2 (relative luminance, 1.4.3 contrast), on the grounds of our pages."""

import re

import msgspec

from checkout_core.errors import Unprocessable

CONTRAST_MIN = 4.5  # WCAG 2.2 AA for text of ordinary size
PATTERN = re.compile(r"#[0-9a-f]{6}")
# What an accent is read on: paper and card of the pages (api/storefront/static/style.css).
LIGHT_GROUNDS = ("#faf8f4", "#ffffff")
DARK_GROUNDS = ("#131210", "#1c1b18")
WASH = 0.08  # how much of the accent is in the ground of a label
STRONG = 0.2  # how far the pressed accent goes to black, or to white on dark pages
_STEPS = 20


class Tones(msgspec.Struct, frozen=True):
    """What one accent becomes on pages of one brightness; all `#rrggbb`."""

    accent: str
    strong: str
    on_accent: str
    wash: str


def contrast(one: str, other: str) -> float:
    """From 1 (the same) to 21 (black on white)."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def on(ground: str) -> str:
    """Black or white, whichever is read better on `ground`; one of both always reaches 4.5."""
    return max(("#ffffff", "#000000"), key=lambda ink: contrast(ink, ground))


def mix(one: str, other: str, share: float) -> str:
    """`one` with `share` of `other` in it."""
    parts = zip(_channels(one), _channels(other), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in parts)


def tones(accent: str, *, dark: bool) -> Tones:
    grounds = DARK_GROUNDS if dark else LIGHT_GROUNDS
    return Tones(accent, mix(accent, "#ffffff" if dark else "#000000", STRONG), on(accent), mix(grounds[1], accent, WASH))


def check(name: str, accent: str, *, dark: bool) -> None:
    """Raises `Unprocessable` (`low_contrast`) for an accent that could not be read as text on our pages."""
    found = _least_contrast(accent, dark=dark)
    if found < CONTRAST_MIN:
        pages = "dark" if dark else "light"
        raise Unprocessable(
            f"{name} has a contrast of {found:.2f} on {pages} pages; text needs {CONTRAST_MIN}. Nothing was changed; "
            f"choose a {'lighter' if dark else 'darker'} colour.",
            code="low_contrast", field=name, contrast=round(found, 2), contrast_min=CONTRAST_MIN,
        )  # fmt: skip


def for_dark_pages(accent: str) -> str:
    """The accent made lighter until it can be read on dark pages."""
    for step in range(_STEPS + 1):
        lighter = mix(accent, "#ffffff", step / _STEPS)
        if _least_contrast(lighter, dark=True) >= CONTRAST_MIN:
            return lighter
    raise AssertionError("white is read on dark pages")


def _least_contrast(accent: str, *, dark: bool) -> float:
    made, grounds = tones(accent, dark=dark), DARK_GROUNDS if dark else LIGHT_GROUNDS
    return min(*(contrast(accent, ground) for ground in grounds), contrast(made.strong, made.wash))


def _channels(color: str) -> tuple[int, int, int]:
    assert PATTERN.fullmatch(color), color
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)


def _luminance(color: str) -> float:
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (v / 255 for v in _channels(color)))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
