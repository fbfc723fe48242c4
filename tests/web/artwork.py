"""Pictures as a shop has them: a soft ground, a shape, and the first letters of what is sold."""

import io
import random

from PIL import Image, ImageDraw, ImageFilter, ImageFont

FONTS = ("/usr/share/fonts/truetype/wqy/wqy-microhei.ttc", "DejaVuSans.ttf")
PAIRS = [
    ((28, 78, 128), (104, 176, 171)), ((122, 46, 92), (240, 140, 120)), ((24, 92, 70), (190, 210, 110)), ((60, 54, 120), (150, 140, 230)),
    ((140, 74, 20), (244, 190, 90)), ((20, 90, 120), (120, 200, 230)), ((90, 30, 40), (220, 110, 110)), ((40, 60, 40), (140, 180, 130)),
]  # fmt: skip


def artwork(words: str, size: tuple[int, int] = (800, 800), format: str = "PNG") -> bytes:
    """The same words, the same picture."""
    dice = random.Random(words)
    dark, light = dice.choice(PAIRS)
    ground = Image.linear_gradient("L").resize(size).rotate(dice.choice((0, 90, 180)))
    picture = Image.composite(Image.new("RGB", size, dark), Image.new("RGB", size, light), ground)
    shapes = Image.new("L", size)
    draw = ImageDraw.Draw(shapes)
    for _ in range(5):
        x, y, r = dice.randrange(size[0]), dice.randrange(size[1]), dice.randrange(min(size) // 6, min(size) // 3)
        draw.ellipse((x - r, y - r, x + r, y + r), fill=dice.randrange(20, 70))
    shapes = shapes.filter(ImageFilter.GaussianBlur(3))
    picture.paste(Image.new("RGB", size, (255, 255, 255)), mask=shapes)
    font = _font(min(size) // 5)
    ImageDraw.Draw(picture).text((size[0] / 2, size[1] / 2), words[:4], font=font, fill=(255, 255, 255), anchor="mm")
    out = io.BytesIO()
    picture.save(out, format)
    return out.getvalue()


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    for name in FONTS:
        try:
            return ImageFont.truetype(name, size)
        except OSError:
            continue
    return ImageFont.load_default(size)
