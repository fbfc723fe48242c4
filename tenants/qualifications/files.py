"""What a document may be: a PDF, a PNG or a JPEG by its content, whatever it is called. Pictures are drawn anew: nothing rides along.

One that is drawn anew has lost its metadata (where it was taken), what lies behind its end, and whatever a decoder might stumble over.
A PDF is kept as it came: it is handed out as a download only, never shown by us.
"""

import asyncio
import io
from concurrent.futures import ThreadPoolExecutor
from typing import Final, NamedTuple

from checkout_core.errors import TooLarge, Unprocessable, UnsupportedMedia
from tenants import images

BYTES_MAX: Final = 10 * 1024 * 1024
PIXELS_MAX: Final = 24_000_000  # 6000 × 4000: a page at 600 dpi is less. Unpacked it takes 72 to 96 MB.
JPEG_QUALITY: Final = 88
PDF, PNG, JPEG = "application/pdf", "image/png", "image/jpeg"

# One picture at a time in a process: its memory is that of one.
_drawing = ThreadPoolExecutor(1, "documents")


class File(NamedTuple):
    media_type: str
    content: bytes


async def examined(content: bytes) -> File:
    """What is kept of a file that was sent. Raises `UnsupportedMedia`, `TooLarge`, `Unprocessable`."""
    if content.startswith(b"%PDF-"):
        if b"%%EOF" not in content[-1024:]:
            raise _broken()
        return File(PDF, content)
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        form, media_type = "PNG", PNG
    elif content.startswith(b"\xff\xd8\xff"):
        form, media_type = "JPEG", JPEG
    else:
        raise UnsupportedMedia("This is neither a PDF nor a PNG nor a JPEG.")
    drawn = await asyncio.get_running_loop().run_in_executor(_drawing, _draw, content, form)
    if len(drawn) > BYTES_MAX:
        raise TooLarge(f"Drawn anew, the picture takes more than {BYTES_MAX >> 20} MiB. Send it smaller, or as a JPEG.")
    return File(media_type, drawn)


def _draw(content: bytes, form: str) -> bytes:
    try:
        image = images.drawn_anew(images.upright(content, (form,), PIXELS_MAX))
    except images.TooManyPixels:
        raise _too_many_pixels() from None
    except images.Broken:
        raise _broken() from None
    drawn = io.BytesIO()
    image.convert("RGB" if form == "JPEG" else image.mode).save(drawn, form, quality=JPEG_QUALITY)
    return drawn.getvalue()


def _too_many_pixels() -> TooLarge:
    return TooLarge(f"The picture has more than {PIXELS_MAX // 1_000_000} million pixels. Send it smaller.", code="too_many_pixels")


def _broken() -> Unprocessable:
    return Unprocessable("The file is cut off or damaged. Nothing was kept; send it again.", code="broken_document")
