"""Small documents that are what they say."""

import io

from PIL import Image

PDF = b"%PDF-1.4\n1 0 obj\n<< /Type /Catalog >>\nendobj\ntrailer\n<< /Root 1 0 R >>\n%%EOF\n"


def picture(form: str, size: tuple[int, int] = (8, 6), **options: object) -> bytes:
    drawn = io.BytesIO()
    Image.new("RGB", size, (200, 30, 30)).save(drawn, form, **options)
    return drawn.getvalue()


PNG = picture("PNG")
JPEG = picture("JPEG")
