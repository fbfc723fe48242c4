"""Pictures: what is let in, and that nothing of the file survives but its pixels."""

import io
import struct
import zlib

import pytest
from PIL import Image, PngImagePlugin

from checkout_core.errors import TooLarge, Unprocessable
from tenants import images
from tests.pictures import picture

SECRET = b"GPS 31.2304 N"


def opened(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content))


def with_metadata(format: str) -> bytes:
    exif = Image.Exif()
    exif[0x010E] = SECRET.decode()
    exif[0x0112] = 6  # turned by a quarter
    more = {"exif": exif}
    if format == "PNG":
        more["pnginfo"] = PngImagePlugin.PngInfo()  # type: ignore[assignment]
        more["pnginfo"].add_text("Comment", SECRET.decode())  # type: ignore[attr-defined]
    return picture((60, 40), format, **more) + SECRET


def bomb(width: int, height: int) -> bytes:
    """The head of a PNG of so many pixels, and next to nothing behind it."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")


class TestEncode:
    @pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP"])
    @pytest.mark.parametrize("kind", list(images.KINDS))
    async def test_keeps_pixels_and_nothing_else(self, kind: str, format: str) -> None:
        file = with_metadata(format)
        assert SECRET in file
        image, content = await images.encode_anew(kind, file)
        assert SECRET not in content
        assert not any(mark in content for mark in (b"Exif", b"iCCP", b"tEXt", b"XMP"))
        seen = opened(content)
        assert seen.get_format_mimetype() == image.media_type
        assert seen.size == (image.width, image.height) == (40, 60), "turned as its EXIF said"
        assert not seen.getexif()

    @pytest.mark.parametrize("kind", list(images.KINDS))
    async def test_is_made_small(self, kind: str) -> None:
        image, content = await images.encode_anew(kind, picture((3000, 2000)))
        form = images.KINDS[kind]
        assert image.width <= form.width_max
        assert image.height <= form.height_max
        assert image.width / image.height == pytest.approx(1.5, rel=0.02)
        assert len(content) < 100_000

    async def test_the_name_follows_from_the_content(self) -> None:
        one, again, other = [(await images.encode_anew("logo", picture(color=c))).image.digest for c in ((1, 2, 3), (1, 2, 3), (3, 2, 1))]
        assert one == again != other

    async def test_only_the_first_frame(self) -> None:
        out = io.BytesIO()
        frames = [Image.new("RGB", (30, 30), color) for color in ("red", "blue", "green")]
        frames[0].save(out, "WEBP", save_all=True, append_images=frames[1:], duration=100)
        _, content = await images.encode_anew("banner", out.getvalue())
        assert getattr(opened(content), "n_frames", 1) == 1


def scans(count: int) -> bytes:
    """A progressive JPEG with so many scans: its own, and the last of them again and again."""
    file = picture((40, 40), "JPEG", progressive=True)
    last = file.rindex(b"\xff\xda")
    return file[:last] + file[last:-2] * (count - file.count(b"\xff\xda") + 1) + file[-2:]


class TestRefuses:
    @pytest.mark.parametrize(
        "file",
        [
            b"", b"hello", b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", b"GIF89a" + bytes(40), b"%PDF-1.7", bytes(2000),
            picture(format="GIF"), picture(format="BMP"), picture(format="TIFF"), picture(format="ICO"), picture()[:60],
            picture((400, 400), "JPEG")[:700], b"\x89PNG\r\n\x1a\n" + bytes(64), b"RIFF\x10\x00\x00\x00WEBPVP8L" + b"\xff" * 40,
        ],
    )  # fmt: skip
    async def test_what_is_no_picture(self, file: bytes) -> None:
        with pytest.raises(Unprocessable) as refused:
            await images.encode_anew("logo", file)
        assert refused.value.code == "bad_image"

    @pytest.mark.parametrize("size", [(4001, 4001), (20_000, 20_000), (60_000, 60_000), (2**31 - 1, 1)])
    async def test_a_bomb_by_its_head(self, size: tuple[int, int]) -> None:
        with pytest.raises(Unprocessable) as refused:
            await images.encode_anew("logo", bomb(*size))
        assert refused.value.code == "bad_image"

    async def test_a_bomb_goes_off_without_the_bound(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The twin of the test above: were the head not looked at, 16 million pixels and more would be decoded."""
        monkeypatch.setattr(images, "PIXELS_MAX", 10**12)
        image, _ = await images.encode_anew("logo", picture((4001, 4001)))
        assert image.width == 320

    async def test_a_bomb_of_scans(self) -> None:
        """Each repeats the whole picture's work in a few bytes: 1,000 at 16 million pixels took 15 s of a core, and 2 MB hold 65,000."""
        with pytest.raises(Unprocessable) as refused:
            await images.encode_anew("logo", scans(images.SCANS_MAX + 1))
        assert refused.value.code == "bad_image"

    async def test_as_many_scans_as_pictures_have(self) -> None:
        assert (await images.encode_anew("logo", scans(images.SCANS_MAX))).image.width == 40

    async def test_the_scans_are_drawn_without_the_bound(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The twin: the decoder itself takes however many there are."""
        monkeypatch.setattr(images, "SCANS_MAX", 10**6)
        assert (await images.encode_anew("logo", scans(1000))).image.width == 40

    async def test_a_file_that_is_too_long(self) -> None:
        with pytest.raises(TooLarge):
            await images.encode_anew("logo", bytes(images.BYTES_MAX + 1))
