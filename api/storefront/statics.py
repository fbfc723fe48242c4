"""Static files under names that hold their hash: a browser keeps them for a year, and a new version has a new address."""

import gzip
from hashlib import sha256
from importlib.resources import files

import msgspec

TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}


class Asset(msgspec.Struct, frozen=True):
    name: str  # with its hash: style.0f1e2d3c4b5a.css
    media_type: str
    body: bytes
    gzipped: bytes
    etag: str


def _read() -> dict[str, Asset]:
    assets = {}
    for file in files(__package__).joinpath("static").iterdir():
        stem, dot, suffix = file.name.rpartition(".")
        body = file.read_bytes()
        digest = sha256(body).hexdigest()[:12]
        name, gzipped = f"{stem}.{digest}{dot}{suffix}", gzip.compress(body, 9, mtime=0)
        assets[file.name] = Asset(name, TYPES[dot + suffix], body, gzipped, f'"{digest}"')
    return assets


ASSETS = _read()
BY_HASHED_NAME = {asset.name: asset for asset in ASSETS.values()}


def address(name: str) -> str:
    """Where the page finds the file `name` of `static/`."""
    return f"/static/{ASSETS[name].name}"
