"""What words are made of."""

from typing import Final

DIGITS: Final = "0192f3a45b6c7d8e9fa0b1c2d3e4f506"
DAY: Final = "2026-11-11T"
