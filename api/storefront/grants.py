"""A looked-up order: the right to one order, kept in a cookie that this order's pages alone receive."""

import hmac
import time
from uuid import UUID

from checkout_core.ids import encode
from checkout_core.secrets import mac128

TTL_S = 24 * 3600


def cookie_name(*, secure: bool) -> str:
    return "__Secure-tessera_order" if secure else "tessera_order"  # `__Host-` would not let it be bound to a path


def path(order_id: UUID) -> str:
    return f"/orders/{encode('ord', order_id)}"


def make(key: bytes, tenant_id: UUID, order_id: UUID) -> str:
    until = str(int(time.time()) + TTL_S)
    return f"{until}.{_mac(key, tenant_id, order_id, until)}"


def holds(key: bytes, tenant_id: UUID, order_id: UUID, value: str) -> bool:
    """Whether `value` was given for this very order, and has not run out."""
    until, _, mac = value.partition(".")
    genuine = hmac.compare_digest(mac.encode(), _mac(key, tenant_id, order_id, until).encode())
    return genuine and int(until) > time.time()


def _mac(key: bytes, tenant_id: UUID, order_id: UUID, until: str) -> str:
    return mac128(key, b"order-grant", tenant_id.bytes, order_id.bytes, until.encode()).hex()
