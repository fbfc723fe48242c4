"""A store's pictures: decoded, made small and encoded anew, so that what we serve is ours to the last byte.

Nothing of the file survives but its pixels: no metadata, no colour profile, no second frame, no trailing archive.
"""

import asyncio
import io
import warnings
from hashlib import blake2b
from typing import Final, NamedTuple

import msgspec
from PIL import Image as Pillow
from PIL import ImageOps

from checkout_core.errors import Conflict, NotFound, TooLarge, Unprocessable
from tenants.db import TenantTx

BYTES_MAX = 2 * 1024 * 1024  # of a file that is sent
PIXELS_MAX = 16_000_000  # 64 MB decoded
FORMATS = ("PNG", "JPEG", "WEBP")  # SVG is a program; the other 40 formats are nobody's logo
SCANS_MAX = 64  # of a JPEG; a progressive one has ten
AT_ONCE = 2  # decoded at the same time in a process
KEPT_MAX = 40  # pictures of a store, those replaced within a day too


class Form(NamedTuple):
    """How pictures of a kind are kept."""

    format: str
    media_type: str
    width_max: int
    height_max: int


KINDS = {
    "logo": Form("PNG", "image/png", 320, 320),
    "banner": Form("WEBP", "image/webp", 1600, 640),
    "favicon": Form("PNG", "image/png", 128, 128),
}
FORMS = KINDS | {"product": Form("WEBP", "image/webp", 1200, 1200)}  # those of products are kept with them (`tenants.catalog.images`)


class Image(msgspec.Struct, frozen=True):
    """`digest` names the picture for ever: another content has another name."""

    kind: str
    digest: str
    media_type: str
    width: int
    height: int

    @property
    def path(self) -> str:
        """Where the store's hosts serve it."""
        return f"/images/{self.digest}.{self.media_type.removeprefix('image/')}"


class Encoded(NamedTuple):
    image: Image
    content: bytes


class Smaller(NamedTuple):
    """A picture of a product within 320 and 720 pixels each way; None where it is no larger itself."""

    small: bytes | None = None
    medium: bytes | None = None


SMALLER: Final = {"s": ("small", 320, 72), "m": ("medium", 720, 78)}  # by the end of their addresses: column, pixels, quality
_places = asyncio.Semaphore(AT_ONCE)


async def encode_anew(kind: str, file: bytes) -> Encoded:
    """The picture in `file` as we keep it. Raises `TooLarge`, `Unprocessable` (`bad_image`) for what is no PNG, JPEG or WebP."""
    if len(file) > BYTES_MAX:
        raise TooLarge(f"A picture has at most {BYTES_MAX >> 20} MiB.")
    async with _places:
        return await asyncio.to_thread(_encode, kind, file)


async def smaller(encoded: Encoded) -> Smaller:
    """What lists and telephones load of it."""
    async with _places:
        return await asyncio.to_thread(_smaller, encoded.content)


async def put(tx: TenantTx, encoded: Encoded) -> bool:
    """Make the picture the current one of its kind; whether that changes anything. Raises `Conflict` when too many were sent today."""
    image, content = encoded
    await tx.in_line()
    sql = "SELECT digest FROM store_image WHERE tenant_id = $1 AND kind = $2 AND is_current"
    if await tx.conn.fetchval(sql, tx.tenant_id, image.kind) == image.digest:
        return False
    sql = "DELETE FROM store_image WHERE tenant_id = $1 AND replaced_at < now() - interval '1 day'"
    await tx.conn.execute(sql, tx.tenant_id)
    if await tx.conn.fetchval("SELECT count(*) FROM store_image WHERE tenant_id = $1", tx.tenant_id) >= KEPT_MAX:
        raise Conflict(
            "This store's pictures were changed too often today. The current ones stay; try again tomorrow.", code="too_many_images"
        )
    await remove(tx, image.kind)
    sql = """INSERT INTO store_image (tenant_id, digest, kind, media_type, width, height, content) VALUES ($1, $2, $3, $4, $5, $6, $7)
             ON CONFLICT (tenant_id, digest) DO UPDATE SET is_current = true, replaced_at = NULL"""
    await tx.conn.execute(sql, tx.tenant_id, image.digest, image.kind, image.media_type, image.width, image.height, content)
    return True


async def remove(tx: TenantTx, kind: str) -> bool:
    """The store has no picture of the kind any more; whether it had one."""
    sql = "UPDATE store_image SET is_current = false, replaced_at = now() WHERE tenant_id = $1 AND kind = $2 AND is_current"
    return str(await tx.conn.execute(sql, tx.tenant_id, kind)) != "UPDATE 0"


async def content(tx: TenantTx, digest: str, size: str = "") -> tuple[str, bytes]:
    """Media type and bytes, of the store's or of a product's that is not refused, or taken away; with a `size` of SMALLER, within that.

    Raises `NotFound`.
    """
    shown = f"coalesce(i.{SMALLER[size][0]}, i.content)" if size else "i.content"
    sql = f"""SELECT media_type, content FROM store_image WHERE tenant_id = $1 AND digest = $2
              UNION ALL SELECT i.media_type, {shown} FROM product_image i JOIN product p ON p.tenant_id = $1 AND p.id = i.product_id
              WHERE i.tenant_id = $1 AND i.digest = $2
                AND ((i.position IS NOT NULL AND p.moderation <> 'refused') OR p.shown -> 'images' ? i.digest) LIMIT 1"""
    row = await tx.conn.fetchrow(sql, tx.tenant_id, digest)
    if row is None:
        raise NotFound("There is no such picture.")
    return row[0], row[1]


class Broken(ValueError):
    """It is no picture, or stops in the middle of one."""


class TooManyPixels(ValueError):
    """Decoded it would take more memory than a picture may."""


def upright(file: bytes, formats: tuple[str, ...], pixels_max: int) -> Pillow.Image:
    """The first picture in `file`, the way it is to be seen: RGBA if anything in it is transparent, else RGB.

    Raises `Broken`, `TooManyPixels`.
    """
    # A scan is a few bytes that may be as much work as the whole picture, and nothing in a JPEG says how often there is one. This mark
    # stands nowhere else: within a scan its first byte is written in another way (ITU-T T.81, B.1.1.5).
    if file.startswith(b"\xff\xd8") and file.count(b"\xff\xda") > SCANS_MAX:
        raise Broken
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Pillow.DecompressionBombWarning)
            with Pillow.open(io.BytesIO(file), formats=formats) as opened:
                # Said by the file's head, before any pixel is decoded.
                if opened.width * opened.height > pixels_max:
                    raise TooManyPixels
                turned = ImageOps.exif_transpose(opened)
                return turned.convert("RGBA" if turned.has_transparency_data else "RGB")
    except (Pillow.DecompressionBombError, Pillow.DecompressionBombWarning):
        raise TooManyPixels from None
    except (OSError, SyntaxError, IndexError, EOFError) as error:
        # Pillow says so in many ways.
        raise Broken from error
    except ValueError as error:
        raise error if isinstance(error, TooManyPixels) else Broken from None


def drawn_anew(image: Pillow.Image) -> Pillow.Image:
    """Its pixels alone: what the file said besides is in `info`, which Pillow would write out again."""
    plain = Pillow.new(image.mode, image.size)
    plain.paste(image)
    return plain


def _encode(kind: str, file: bytes) -> Encoded:
    form = FORMS[kind]
    try:
        fitting = upright(file, FORMATS, PIXELS_MAX).convert("RGBA")
    except TooManyPixels:
        raise Unprocessable(f"The picture has more than {PIXELS_MAX:,} pixels. Send a smaller one.", code="bad_image") from None
    except Broken:
        raise Unprocessable("This is no PNG, JPEG or WebP picture, or a broken one. Nothing was changed.", code="bad_image") from None
    fitting.thumbnail((form.width_max, form.height_max))
    plain = drawn_anew(fitting)
    out = io.BytesIO()
    plain.save(out, form.format, **({"optimize": True} if form.format == "PNG" else {"quality": 85, "method": 4}))
    made = out.getvalue()
    digest = blake2b(kind.encode() + made, digest_size=16).hexdigest()
    return Encoded(Image(kind, digest, form.media_type, plain.width, plain.height), made)


def _smaller(content: bytes) -> Smaller:
    """Of a picture that we encoded ourselves."""
    with Pillow.open(io.BytesIO(content), formats=("WEBP",)) as whole:
        made = {}
        for name, pixels, quality in SMALLER.values():
            if max(whole.size) > pixels:
                fitting = whole.copy()
                fitting.thumbnail((pixels, pixels))
                out = io.BytesIO()
                drawn_anew(fitting).save(out, "WEBP", quality=quality, method=4)
                made[name] = out.getvalue()
        return Smaller(**made)
