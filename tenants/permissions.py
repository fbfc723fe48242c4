"""Permissions: what a key, a person or a role may do. `<noun>:read` sees, `<noun>:write` changes.

`codes:reveal` shows a code in clear, `codes:export` many of them with the consent of another, `codes:find` says where a code is that is
given in full; `keys:write` rotates the keys that all of it is sealed under.
"""

from collections.abc import Collection, Iterable

from checkout_core.errors import Forbidden, Unprocessable

PERMISSIONS = frozenset(
    {
        "catalog:read", "catalog:write", "vault:read", "vault:write", "sales:read", "sales:write",
        "prices:read", "prices:write", "coupons:read", "coupons:write", "points:read", "points:write",
        "orders:read", "orders:write", "payments:write", "codes:reveal", "codes:export", "codes:find", "keys:write", "api_keys:write",
        "staff:read", "staff:write", "store:read", "store:write", "webhooks:read", "webhooks:write",
        "audit:read", "customers:read", "customers:write", "qualifications:write",
    }
)  # fmt: skip


def known(named: Iterable[str]) -> frozenset[str]:
    """The permissions that are `named`. Raises `Unprocessable` when one of them does not exist."""
    permissions = frozenset(named)
    if unknown := permissions - PERMISSIONS:
        raise Unprocessable(f"There is no permission {min(unknown)[:64]!r}.", code="unknown_permission", permissions=sorted(PERMISSIONS))
    return permissions


def need(permission: str, own: Collection[str]) -> None:
    """Whoever may `own` may do what takes `permission`. Raises `Forbidden` otherwise."""
    if permission not in own:
        raise Forbidden(f"This needs the permission {permission}.", code="missing_permission", permission=permission)


def check_within(given: frozenset[str], own: frozenset[str]) -> None:
    """Nobody gives, changes or takes away what he does not have himself. Raises `Forbidden`."""
    if beyond := given - own:
        raise Forbidden(f"This takes {min(beyond)}, which you do not have.", code="missing_permission", permission=min(beyond))
