"""Which function does which duty. Every one is safe to call at any time, twice, and by two workers at once."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import NamedTuple
from uuid import UUID

from checkout_core.admission import Gatekeeper
from checkout_core.errors import Unavailable
from checkout_core.ids import encode
from checkout_core.resp import Closed, Unknown
from tenants import duties
from tenants.db import Pool
from tenants.payments import attempts, expire, inbox, refunds
from tenants.payments.accounts import Providers
from tenants.payments.provider import ProviderUnavailable
from workers import gatekeeping
from workers.relay import Relay

log = logging.getLogger(__name__)


class Services(NamedTuple):
    """What duties work with; opened once in a worker."""

    pool: Pool
    providers: Providers
    relay: Relay
    gatekeeper: Gatekeeper


Work = Callable[[Services, UUID, UUID], Awaitable[object]]


async def _tend(services: Services, tenant_id: UUID, sale_id: UUID) -> None:
    """Look after the gate of a sale, and when units came to it say so: sooner than who wins them can ask elsewhere for his order.

    That a row changed the relay says too, but sooner or later than the gate has the units.
    """
    if await gatekeeping.tend(services.pool, services.gatekeeper, tenant_id, sale_id):
        await services.relay.tell(tenant_id, "sale.restocked", {"sale_id": encode("sal", sale_id)})


WORK: dict[str, Work] = {
    "payment_inbox": lambda s, tenant_id, row_id: inbox.digest(s.pool, tenant_id, row_id),
    "orders": lambda s, tenant_id, row_id: expire.expire(s.pool, s.providers, tenant_id, row_id),
    "payment_attempt": lambda s, tenant_id, row_id: attempts.inquire(s.pool, s.providers, tenant_id, row_id),
    "refund": lambda s, tenant_id, row_id: refunds.pay_back(s.pool, s.providers, tenant_id, row_id),
    "sale": _tend,
    "outbox": lambda s, tenant_id, _: s.relay.send(tenant_id),
}


async def attend(services: Services, table: str, tenant_id: UUID, row_id: UUID) -> None:
    """Do one duty. A failure is logged with ids and scheduled again; it never reaches the caller."""
    try:
        await WORK[table](services, tenant_id, row_id)
    except asyncio.CancelledError:
        raise
    except (Closed, Unknown) as error:
        # Redis is away; its claim has scheduled the duty for the next second already.
        log.info("gate of sale %s: %s", row_id, type(error).__name__)
    except ProviderUnavailable as error:
        await _postpone(services, table, tenant_id, row_id, error)
    except Unavailable as error:
        # Postgres is away, or the row is somebody else's for longer than we wait: no fault of the duty, which is as due as it was.
        log.info("duty %s %s: %s", table, row_id, error)
    except Exception as error:
        await _postpone(services, table, tenant_id, row_id, error)


async def _postpone(services: Services, table: str, tenant_id: UUID, row_id: UUID, error: Exception) -> None:
    log.warning("duty %s %s of tenant %s failed: %s: %s", table, row_id, tenant_id, type(error).__name__, error)
    try:
        await duties.postpone(services.pool, table, tenant_id, row_id, type(error).__name__)
    except Exception as again:
        # Postgres is away: the row is as it was, and the next sweep finds it.
        log.warning("duty %s %s could not be postponed: %s", table, row_id, type(again).__name__)
