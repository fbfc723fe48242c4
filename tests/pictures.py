"""Pictures as people send them, made by Pillow."""

import io
from typing import Any

from PIL import Image


def picture(size: tuple[int, int] = (64, 48), format: str = "PNG", color: Any = (10, 106, 87), **more: Any) -> bytes:
    """A picture of one colour; `more` goes to Pillow's `save`."""
    out = io.BytesIO()
    Image.new("RGB", size, color).save(out, format, **more)
    return out.getvalue()
