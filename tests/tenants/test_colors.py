"""Colours: contrast as WCAG 2.2 defines it, and that nothing unreadable is let in."""

import pytest

from checkout_core.errors import Unprocessable
from tenants import colors


class TestContrast:
    @pytest.mark.parametrize(
        ("one", "other", "ratio"),
        [("#000000", "#ffffff", 21.0), ("#ffffff", "#ffffff", 1.0), ("#777777", "#ffffff", 4.48), ("#0000ff", "#ffffff", 8.59)],
    )
    def test_known_pairs(self, one: str, other: str, ratio: float) -> None:
        assert colors.contrast(one, other) == colors.contrast(other, one) == pytest.approx(ratio, abs=0.01)

    def test_ink_is_read_on_every_ground(self) -> None:
        grounds = [f"#{r:02x}{g:02x}{b:02x}" for r in range(0, 256, 15) for g in range(0, 256, 15) for b in range(0, 256, 15)]
        assert min(colors.contrast(colors.on(ground), ground) for ground in grounds) >= colors.CONTRAST_MIN


class TestCheck:
    @pytest.mark.parametrize(("color", "dark"), [("#0b6a57", False), ("#62c9af", True), ("#a42f1c", False), ("#ffffff", True)])
    def test_what_can_be_read(self, color: str, dark: bool) -> None:
        colors.check("accent_color", color, dark=dark)
        made = colors.tones(color, dark=dark)
        assert colors.contrast(made.on_accent, made.accent) >= colors.CONTRAST_MIN

    @pytest.mark.parametrize(("color", "dark"), [("#62c9af", False), ("#ffff00", False), ("#0b6a57", True), ("#000000", True)])
    def test_what_cannot(self, color: str, dark: bool) -> None:
        with pytest.raises(Unprocessable, match="contrast") as refused:
            colors.check("accent_color", color, dark=dark)
        assert refused.value.code == "low_contrast"

    @pytest.mark.parametrize("color", ["#000000", "#0b6a57", "#a42f1c", "#1f2f5c"])
    def test_one_made_for_light_pages_is_found_for_dark_ones(self, color: str) -> None:
        colors.check("accent_color_dark", colors.for_dark_pages(color), dark=True)
