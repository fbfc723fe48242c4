"""Inputs: what a shopper says of a line of his order before he pays: the account to top up, the guest's name. Sealed at rest.

It is asked after the reservation, so that nobody fills in a form while the units go; and before the payment, which it must not keep from
being fulfilled.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

import msgspec

from checkout_core.errors import Conflict, NotFound
from checkout_core.ids import encode
from tenants import types
from tenants.db import TenantTx
from tenants.keys import Keyring, input_place
from tenants.orders import release
from tenants.types import fields
from tenants.types.fields import Field

_encode = msgspec.msgpack.Encoder().encode
_decoder = msgspec.msgpack.Decoder(dict[str, str])


class Form(NamedTuple):
    """What is asked of a line, and whether it has been said."""

    sale_id: UUID
    sku_id: UUID
    fields: Sequence[Field]
    given: bool


async def forms(tx: TenantTx, order_id: UUID) -> list[Form]:
    """Of those lines that ask for something."""
    sql = """SELECT sale_id, sku_id, input IS NOT NULL, k.type, k.config FROM order_line AS l CROSS JOIN LATERAL (
                 SELECT type, config FROM sku WHERE tenant_id = $1 AND id = l.sku_id OFFSET 0) AS k
             WHERE tenant_id = $1 AND order_id = $2 ORDER BY sale_id"""
    found = []
    for sale_id, sku_id, given, name, config in await tx.conn.fetch(sql, tx.tenant_id, order_id):
        type_ = types.of(name)
        if asked := type_.fields(types.configured(type_, msgspec.json.decode(config))):
            found.append(Form(sale_id, sku_id, asked, given))
    return found


async def give(
    tx: TenantTx,
    keyring: Keyring,
    order_id: UUID,
    sale_id: UUID,
    said: Mapping[str, str],
    *,
    shopper_id: UUID,
    states: Collection[str] = ("awaiting",),
) -> None:
    """Keep what the shopper says, over what he said before. Raises `NotFound`, alike for a line that asks nothing; `Conflict`
    (`not_awaiting`) once the order is in none of `states`: paid, or over; `Unprocessable` (`bad_input`) with each field at fault."""
    order = await release.lock(tx, order_id)
    if order["shopper_id"] != shopper_id:
        raise NotFound("There is no such order.")
    form = next((form for form in await forms(tx, order_id) if form.sale_id == sale_id), None)
    if form is None:
        raise NotFound("There is no such order.")
    if order["state"] not in states:
        raise Conflict(f"The order is {order['state']}: it is too late to change this.", code="not_awaiting", state=order["state"])
    kept = fields.answers(form.fields, said)
    keys = await keyring.of(tx)
    sealed = keys.seal(_encode(kept), input_place(tx.tenant_id, order_id, sale_id))
    sql = "UPDATE order_line SET input = $4, input_key_id = $5 WHERE tenant_id = $1 AND order_id = $2 AND sale_id = $3"
    await tx.conn.execute(sql, tx.tenant_id, order_id, sale_id, sealed, keys.key_id)


async def must_be_complete(tx: TenantTx, order_id: UUID) -> None:
    """Raises `Conflict` (`input_missing`) with the lines that still ask for something."""
    asked = [form for form in await forms(tx, order_id) if not form.given and any(field.required for field in form.fields)]
    if missing := [encode("sal", form.sale_id) for form in asked]:
        raise Conflict("Something is still to be said before this can be paid.", code="input_missing", lines=missing)


async def read(tx: TenantTx, keyring: Keyring, order_id: UUID, sale_id: UUID) -> dict[str, str]:
    """What was said of a line, in clear; empty when nothing was."""
    sql = "SELECT input, input_key_id FROM order_line WHERE tenant_id = $1 AND order_id = $2 AND sale_id = $3"
    sealed, key_id = await tx.conn.fetchrow(sql, tx.tenant_id, order_id, sale_id)
    if sealed is None:
        return {}
    return _decoder.decode((await keyring.to_open(tx, key_id)).open_(key_id, sealed, input_place(tx.tenant_id, order_id, sale_id)))
