"""Shopper tokens: signed, not stored. A guest is a random id that only the bearer can present."""

import time
from binascii import a2b_base64, b2a_base64
from hmac import compare_digest
from typing import NamedTuple

from checkout_core.errors import Unauthorized
from checkout_core.ids import UUID, new_id, of_bytes
from checkout_core.secrets import Mac

TTL_S = 180 * 24 * 3600
_MAC_SIZE = 18  # so that the whole is a multiple of three: base64 without padding has one spelling then
_SIZE = 16 + 16 + 4 + _MAC_SIZE
CHANNEL_MAX = 15  # bytes of a channel's code, and a multiple of three as well
_SIZE_IN_CHANNEL = _SIZE + CHANNEL_MAX
# The alphabet of base64url (RFC 4648 §5) to that of base64, whose own last two characters are nobody's.
_TO_PLAIN = bytes.maketrans(b"-_+/", b"+/!!")
_TO_URL = bytes.maketrans(b"+/", b"-_")


class Shopper(NamedTuple):
    tenant_id: UUID
    id: UUID
    expires_at: int  # Unix seconds
    channel: str = ""  # that he came through; empty when the token names none


def issue(
    key: bytes, tenant_id: UUID, *, shopper_id: UUID | None = None, channel: str = "", now: float | None = None
) -> tuple[str, Shopper]:
    """A token for `shopper_id`, or for a new guest. `st_` + base64url(tenant ‖ shopper ‖ expiry ‖ MAC), 75 characters.

    With a `channel` (ASCII, at most 15 bytes) that stands before the MAC, filled up with zeros: 95 characters.
    """
    shopper = Shopper(tenant_id, shopper_id or new_id(), int(now or time.time()) + TTL_S, channel)
    claims = tenant_id.bytes + shopper.id.bytes + shopper.expires_at.to_bytes(4, "big")
    if channel:
        assert len(channel) <= CHANNEL_MAX, channel
        claims += channel.encode("ascii").ljust(CHANNEL_MAX, b"\0")
    text = b2a_base64(claims + mac_of(key).of(claims), newline=False).translate(_TO_URL)
    return "st_" + text.decode("ascii"), shopper


def verify(key: bytes, token: str, *, now: float | None = None) -> Shopper:
    """The shopper who holds `token`. Raises `Unauthorized` when it is malformed, forged or expired."""
    return verify_under(mac_of(key), token.encode("utf-8", "replace"), now or time.time())


def mac_of(key: bytes) -> Mac:
    """The MAC that tokens carry."""
    return Mac(key, _MAC_SIZE)


def verify_under(mac: Mac, token: bytes, now: float) -> Shopper:
    """The same by a MAC whose key is set."""
    try:
        raw = a2b_base64(token[3:].translate(_TO_PLAIN), strict_mode=True)
    except ValueError:
        raw = b""
    size = len(raw)
    if (size != _SIZE and size != _SIZE_IN_CHANNEL) or len(token) != 3 + size * 4 // 3 or not token.startswith(b"st_"):
        raise Unauthorized("The shopper token is malformed. Ask for a new one at POST /v1/shopper-tokens.")
    claims = raw[: size - _MAC_SIZE]
    if not compare_digest(raw[size - _MAC_SIZE :], mac.of(claims)):
        raise Unauthorized("The shopper token is not ours. Ask for a new one at POST /v1/shopper-tokens.")
    expires_at = int.from_bytes(claims[32:36], "big")
    if expires_at < now:
        raise Unauthorized("The shopper token has expired. Ask for a new one at POST /v1/shopper-tokens.")
    channel = claims[36:].rstrip(b"\0").decode("ascii") if size == _SIZE_IN_CHANNEL else ""
    return Shopper(of_bytes(claims[:16]), of_bytes(claims[16:32]), expires_at, channel)
