"""What a cookie grants for one order, and this order's pages alone receive: the right to look at it, and the consent to show its codes."""

import hmac
import time
from typing import Final, Literal
from uuid import UUID

from checkout_core.ids import encode
from checkout_core.secrets import mac128

TTL_S = 24 * 3600
CONSENT_S = 2 * 3600  # from the press of "pay"; the time to pay is shorter
Purpose = Literal["order-grant", "reveal-consent"]
_NAMES: Final[dict[Purpose, str]] = {"order-grant": "tessera_order", "reveal-consent": "tessera_reveal"}


def cookie_name(purpose: Purpose = "order-grant", *, secure: bool) -> str:
    # `__Host-` would not let it be bound to a path.
    return f"__Secure-{_NAMES[purpose]}" if secure else _NAMES[purpose]


def path(order_id: UUID) -> str:
    return f"/orders/{encode('ord', order_id)}"


def make(key: bytes, tenant_id: UUID, order_id: UUID, purpose: Purpose = "order-grant", ttl_s: int = TTL_S) -> str:
    until = str(int(time.time()) + ttl_s)
    return f"{until}.{_mac(key, purpose, tenant_id, order_id, until)}"


def holds(key: bytes, tenant_id: UUID, order_id: UUID, value: str, purpose: Purpose = "order-grant") -> bool:
    """Whether `value` was given for this very order and purpose, and has not run out."""
    until, _, mac = value.partition(".")
    genuine = hmac.compare_digest(mac.encode(), _mac(key, purpose, tenant_id, order_id, until).encode())
    return genuine and int(until) > time.time()


def _mac(key: bytes, purpose: Purpose, tenant_id: UUID, order_id: UUID, until: str) -> str:
    return mac128(key, purpose.encode(), tenant_id.bytes, order_id.bytes, until.encode()).hex()
