"""Requests that a browser sends with a cookie must show that our own page made them.

The proof is a MAC of the cookie's value, in the page as a hidden field or sent as a header; nothing is stored. Bearer clients need none.
"""

import hmac
from urllib.parse import urlsplit

from litestar.connection import ASGIConnection

from checkout_core.errors import Forbidden
from checkout_core.secrets import mac128

HEADER = "x-csrf-token"
FIELD = "csrf_token"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class Forged(Forbidden):
    code = "csrf"


def token(key: bytes, cookie: str) -> str:
    """What a page puts into its forms for the holder of `cookie`. `key` is `process.keys.csrf`."""
    return mac128(key, cookie.encode()).hex()


def check(key: bytes, cookie: str, given: str | None, connection: ASGIConnection) -> None:  # type: ignore[type-arg]
    """`given` is the header's or the form field's value. Raises `Forged`."""
    origin = connection.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != connection.headers.get("host"):
        raise Forged("This request comes from another site's page.")
    if not hmac.compare_digest((given or "").encode(), token(key, cookie).encode()):
        raise Forged("The page is too old or not ours. Reload it and try again.")
