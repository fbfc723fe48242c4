"""What `make console` has built, read once into memory; read again when it was built anew."""

from pathlib import Path
from typing import Final

import msgspec

FOLDER: Final = Path(__file__).parents[2] / "build" / "console"
NONCE: Final = "__NONCE__"  # stands in the built page wherever an answer's own nonce belongs
TYPES: Final = {
    ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml", ".json": "application/json",
    ".woff2": "font/woff2", ".png": "image/png", ".webp": "image/webp",
}  # fmt: skip


class File(msgspec.Struct, frozen=True):
    """`gzipped` is empty for what compressing makes no smaller."""

    media_type: str
    body: bytes
    gzipped: bytes


class Built(msgspec.Struct, frozen=True):
    """`page` is the one page there is; `files` are by their path below /console."""

    page: str
    files: dict[str, File]
    made_at: int  # of the page, in nanoseconds


_known: dict[Path, Built] = {}


def built() -> Built | None:
    """None when the console was not built."""
    page = FOLDER / "index.html"
    try:
        made_at = page.stat().st_mtime_ns
        if FOLDER not in _known or _known[FOLDER].made_at != made_at:
            _known[FOLDER] = Built(page.read_text(), _files(FOLDER), made_at)
    except FileNotFoundError:
        return None
    return _known[FOLDER]


def _files(folder: Path) -> dict[str, File]:
    found = {}
    for path in folder.rglob("*"):
        if path.suffix in TYPES:
            zipped = path.with_name(f"{path.name}.gz")
            gzipped = zipped.read_bytes() if zipped.exists() else b""
            found[path.relative_to(folder).as_posix()] = File(TYPES[path.suffix], path.read_bytes(), gzipped)
    return found
