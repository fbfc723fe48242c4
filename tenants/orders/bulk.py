"""The same act on many orders: each in a transaction of its own, so that what one refuses the others keep."""

from collections.abc import Awaitable, Callable, Sequence
from uuid import UUID

import asyncpg
import msgspec

from checkout_core.errors import AppError
from tenants.db import Pool, TenantTx, tenant_tx

AT_ONCE = 500
Act = Callable[[TenantTx, UUID], Awaitable[object]]


class Result(msgspec.Struct, frozen=True):
    """What became of one order: done, or refused with the error's code and words."""

    order_id: UUID
    done: bool
    code: str | None = None
    detail: str | None = None


async def each(pool: Pool, tenant_id: UUID, order_ids: Sequence[UUID], act: Act) -> list[Result]:
    """One result an order, in their order; named twice it is done once. What is not our refusal ends the whole, with what is done kept."""
    results: dict[UUID, Result] = {}
    for order_id in dict.fromkeys(order_ids):
        try:
            async with tenant_tx(pool, tenant_id) as tx:
                await act(tx, order_id)
        except AppError as error:
            results[order_id] = Result(order_id, False, error.code, error.detail)
        except (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError):
            results[order_id] = Result(order_id, False, "contended", "Others are changing this order at this moment. Ask again.")
        else:
            results[order_id] = Result(order_id, True)
    return list(results.values())
