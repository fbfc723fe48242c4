"""Entry codes: what a guest shows at the door, on paper or as a QR code.

A code is the unit it is for and 130 bits of chance, in capitals and digits, which a QR code packs tightly and a person can read out. Nobody
can guess one; what is kept to know it again is a hash, and the code itself is sealed with what the shopper is told.
"""

import datetime as dt
import hmac
import secrets
from hashlib import sha256
from typing import Annotated, Final
from uuid import UUID

from msgspec import Meta

from checkout_core.errors import NotFound
from tenants import entitlements, inputs
from tenants.db import TenantTx
from tenants.entitlements import Entitlement
from tenants.types.base import Asking

ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base32: no two of them look alike
SECRET_LENGTH: Final = 26  # of 5 bits each
_LIKE = str.maketrans("OIL", "011", "- \t")
_UNIT_MAX: Final = (1 << 63) - 1

Code = Annotated[str, Meta(min_length=1, max_length=64, description="As it was scanned or typed; case, spaces and dashes do not matter.")]
Reason = Annotated[str, Meta(min_length=1, max_length=200, pattern=r"\S")]


def new(unit: int) -> str:
    """A code for a unit, or for what begins with it."""
    digits = ""
    while unit:
        unit, digit = divmod(unit, 32)
        digits = ALPHABET[digit] + digits
    secret = "".join(secrets.choice(ALPHABET) for _ in range(SECRET_LENGTH))
    return f"{digits}-{secret[:13]}-{secret[13:]}"


def mark(code: str) -> str:
    """What is kept of it."""
    return sha256(_plain(code).encode()).hexdigest()


def unit_of(code: str) -> int:
    """The unit it is for; 0 for what is no code."""
    unit = 0
    for character in _plain(code)[:-SECRET_LENGTH]:
        digit = ALPHABET.find(character)
        if digit < 0 or unit > _UNIT_MAX >> 5:
            return 0
        unit = unit << 5 | digit
    return unit


async def find(tx: TenantTx, type_: str, code: str, *, lock: bool = True) -> Entitlement:
    """What the code entitles to. Raises `NotFound`: the same for a wrong one, another store's, and one of another type."""
    try:
        found = await entitlements.of_unit(tx, unit_of(code), lock=lock)
    except NotFound:
        found = None
    if found is None or found.type != type_ or not hmac.compare_digest(str(found.data["mark"]), mark(code)):
        raise NotFound("There is nothing with this code.")
    return found


async def used_at(tx: TenantTx, entitlement: Entitlement, name: str) -> dt.datetime | None:
    """When it was used so, if it still is."""
    return next((use.used_at for use in await entitlements.uses(tx, entitlement.id) if use.name == name), None)


async def said(asking: Asking, entitlement: Entitlement) -> dict[str, str] | None:
    """What the buyer said of who comes, in clear; whoever is told it is on record."""
    sql = "SELECT sale_id FROM order_line WHERE tenant_id = $1 AND order_id = $2 AND sku_id = $3"
    sale_id: UUID = await asking.tx.conn.fetchval(sql, asking.tx.tenant_id, entitlement.order_id, entitlement.sku_id)
    return await inputs.read(asking.tx, asking.keyring, entitlement.order_id, sale_id) or None


def _plain(code: str) -> str:
    return code.upper().translate(_LIKE)
