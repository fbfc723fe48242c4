"""How far a top-up is: kept with the entitlement of its line's first unit. What people said is not kept here, but sealed in the line."""

import datetime as dt
from collections.abc import Sequence
from typing import Final
from uuid import UUID

import msgspec

from checkout_core.ids import encode
from tenants import entitlements, inputs
from tenants.db import TenantTx
from tenants.entitlements import Entitlement
from tenants.keys import Keyring
from tenants.types.base import Job

NAME: Final = "topup"
SENT_BACK: Final = "Sent back: "  # how the problem of a line begins that waits for its shopper
LOOKED_AT_MAX: Final = 10  # other top-ups of a shopper: nobody buys more within minutes by mistake


class Progress(msgspec.Struct, frozen=True, omit_defaults=True):
    """`credited` as it was when it was bought. While the shopper is `asked_again`, `left_s` of the time to do it are left. `by` is who is
    at it, since `claimed_at`."""

    credited: str
    asked_again: bool = False
    sent_back: int = 0  # times
    left_s: int = 0
    by: str | None = None
    claimed_at: dt.datetime | None = None


async def alone(tx: TenantTx, shopper_id: UUID) -> None:
    """Until the end of the transaction no other top-up of this shopper is looked at: of two at once the later one sees the earlier."""
    await tx.conn.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", f"{tx.tenant_id}:topup:{shopper_id}")


async def progress(tx: TenantTx, job: Job) -> Progress:
    """Of a line, whose order is locked; begun when it is first asked for."""
    return _read(await _of(tx, job))


async def keep(tx: TenantTx, job: Job, now: Progress) -> None:
    await entitlements.save(tx, msgspec.structs.replace(await _of(tx, job), data=msgspec.to_builtins(now)))


async def _of(tx: TenantTx, job: Job) -> Entitlement:
    found = await entitlements.of_order(tx, job.order_id, job.sku.id)
    if found:
        return await entitlements.get(tx, found[0].id, lock=True)
    made = await entitlements.grant(
        tx, type=NAME, unit=job.units[0], order_id=job.order_id, sku_id=job.sku.id, shopper_id=job.shopper_id,
        data=msgspec.to_builtins(Progress(job.sku.config.credited)),
    )  # fmt: skip
    return await entitlements.get(tx, made, lock=True)


async def seen(tx: TenantTx, order_id: UUID, sku_id: UUID) -> Progress | None:
    """For who only looks; None of a line that nobody has begun with."""
    found = await entitlements.of_order(tx, order_id, sku_id)
    return _read(found[0]) if found else None


async def credited(tx: TenantTx, units: Sequence[int]) -> str | None:
    """What units that were paid together are for; None where that was not kept."""
    sql = "SELECT data ->> 'credited' FROM entitlement WHERE tenant_id = $1 AND unit_id = ANY($2) LIMIT 1"
    found: str | None = await tx.conn.fetchval(sql, tx.tenant_id, list(units))
    return found


async def problem(tx: TenantTx, fulfilment_id: UUID) -> str | None:
    """What the queue says of a line."""
    found: str | None = await tx.conn.fetchval(
        "SELECT problem FROM fulfilment WHERE tenant_id = $1 AND id = $2", tx.tenant_id, fulfilment_id
    )
    return found


async def bought_twice(tx: TenantTx, keyring: Keyring, job: Job) -> str | None:
    """What to say of another order of the shopper for the same account, paid within minutes of this one; None when there is none.

    What he said there is opened and compared: nothing is kept by which an account could be known again. `alone` was called.
    """
    within, account = dt.timedelta(minutes=job.sku.config.twice_min), _account(job, job.input)
    # One that has gone back to the shopper's purse, or is this one itself, is no second.
    others = [
        each for each in await entitlements.of_shopper(tx, job.shopper_id, job.sku.id)
        if each.order_id != job.order_id and each.state != "revoked" and abs(each.valid_from - job.paid_at) <= within
    ]  # fmt: skip
    for other in others[:LOOKED_AT_MAX]:
        sql = "SELECT sale_id FROM order_line WHERE tenant_id = $1 AND order_id = $2 AND sku_id = $3"
        sale_id = await tx.conn.fetchval(sql, tx.tenant_id, other.order_id, other.sku_id)
        if account and _account(job, await inputs.read(tx, keyring, other.order_id, sale_id)) == account:
            return f"Bought twice within {job.sku.config.twice_min} minutes for the same account: see {encode('ord', other.order_id)}."
    return None


def _account(job: Job, said: dict[str, str]) -> list[str]:
    """What makes an account: what must be said of it, whatever the case of its letters."""
    return [said[field.name].casefold() for field in job.sku.config.fields if field.required and field.name in said]


def _read(standing: Entitlement) -> Progress:
    return msgspec.convert(standing.data, Progress)
