"""Shopper tokens: signed, not stored. A guest is a random id that only the bearer can present."""

import hmac
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import NamedTuple
from uuid import UUID

from checkout_core.errors import Unauthorized
from checkout_core.ids import new_id
from checkout_core.secrets import mac128

TTL_S = 180 * 24 * 3600
_SIZE = 16 + 16 + 4 + 16


class Shopper(NamedTuple):
    tenant_id: UUID
    id: UUID
    expires_at: int  # Unix seconds


def issue(key: bytes, tenant_id: UUID, *, shopper_id: UUID | None = None, now: float | None = None) -> tuple[str, Shopper]:
    """A token for `shopper_id`, or for a new guest. `st_` + base64url(tenant ‖ shopper ‖ expiry ‖ MAC), 73 characters."""
    shopper = Shopper(tenant_id, shopper_id or new_id(), int(now or time.time()) + TTL_S)
    claims = tenant_id.bytes + shopper.id.bytes + shopper.expires_at.to_bytes(4, "big")
    return "st_" + urlsafe_b64encode(claims + mac128(key, claims)).rstrip(b"=").decode(), shopper


def verify(key: bytes, token: str, *, now: float | None = None) -> Shopper:
    """The shopper who holds `token`. Raises `Unauthorized` when it is malformed, forged or expired."""
    try:
        raw = urlsafe_b64decode(token.removeprefix("st_").encode("ascii") + b"==")
    except ValueError:
        raw = b""
    # The last character of the text carries unused bits: re-encoding refuses its other spellings.
    if len(raw) != _SIZE or not token.startswith("st_") or urlsafe_b64encode(raw).rstrip(b"=").decode() != token[3:]:
        raise Unauthorized("The shopper token is malformed. Ask for a new one at POST /v1/shopper-tokens.")
    claims, mac = raw[:36], raw[36:]
    if not hmac.compare_digest(mac, mac128(key, claims)):
        raise Unauthorized("The shopper token is not ours. Ask for a new one at POST /v1/shopper-tokens.")
    expires_at = int.from_bytes(claims[32:], "big")
    if expires_at < (now or time.time()):
        raise Unauthorized("The shopper token has expired. Ask for a new one at POST /v1/shopper-tokens.")
    return Shopper(UUID(bytes=claims[:16]), UUID(bytes=claims[16:32]), expires_at)
