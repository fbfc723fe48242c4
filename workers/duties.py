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
from tenants import domains, duties, fulfilments, qualifications, terms
from tenants import reminders as sale_reminders
from tenants.audit import chain
from tenants.catalog import schedule
from tenants.coupons import grants
from tenants.db import Pool
from tenants.keys import Keyring
from tenants.orders import index, reminders
from tenants.payments import attempts, expire, inbox, refunds
from tenants.payments.accounts import Providers
from tenants.payments.provider import ProviderUnavailable
from tenants.points import earnings
from tenants.privacy import duty as privacy
from tenants.rotations import work as rotation
from tenants.units import expiry
from tenants.vault import exports, watches
from tenants.webhooks import reservations, retention
from workers import gatekeeping
from workers.mails import Mailer
from workers.relay import Relay
from workers.webhooks import Postman

log = logging.getLogger(__name__)


class Services(NamedTuple):
    """What duties work with; opened once in a worker."""

    pool: Pool
    providers: Providers
    relay: Relay
    gatekeeper: Gatekeeper
    keyring: Keyring
    mailer: Mailer
    postman: Postman
    verifier: domains.Verifier | None = None  # only a worker asks the DNS
    platform: Pool | None = None  # and only it does what the platform decides
    lead_s: float = 600.0  # so long before a sale those are told who wanted to be


Work = Callable[[Services, UUID, UUID], Awaitable[object]]


async def _tend(services: Services, tenant_id: UUID, sale_id: UUID) -> None:
    """Look after the gate of a sale, and when units came to it say so: sooner than who wins them can ask elsewhere for his order.

    That a row changed the relay says too, but sooner or later than the gate has the units.
    """
    if await gatekeeping.tend(services.pool, services.gatekeeper, tenant_id, sale_id):
        await services.relay.tell(tenant_id, "sale.restocked", {"sale_id": encode("sal", sale_id)})


async def _relay(services: Services, tenant_id: UUID, _: UUID) -> None:
    """Relay the events of a tenant, and begin at once with the webhooks they became."""
    for endpoint_id in await services.relay.send(tenant_id):
        await services.postman.call(tenant_id, endpoint_id)


async def _look(services: Services, tenant_id: UUID, _: UUID) -> None:
    for endpoint_id in await reservations.look(services.pool, tenant_id):
        await services.postman.call(tenant_id, endpoint_id)


async def _verify(services: Services, tenant_id: UUID, domain_id: UUID) -> None:
    if services.verifier is not None:
        await domains.verify(services.verifier, services.pool, tenant_id, domain_id)


async def _expire(services: Services, tenant_id: UUID, qualification_id: UUID) -> None:
    if services.platform is not None:
        await qualifications.expire(services.platform, tenant_id, qualification_id)


async def _remind(services: Services, tenant_id: UUID, sale_id: UUID) -> None:
    await sale_reminders.look(services.pool, tenant_id, sale_id, lead_s=services.lead_s)


WORK: dict[str, Work] = {
    "payment_inbox": lambda s, tenant_id, row_id: inbox.digest(s.pool, tenant_id, row_id),
    "orders": lambda s, tenant_id, row_id: expire.expire(s.pool, s.providers, tenant_id, row_id),
    "payment_attempt": lambda s, tenant_id, row_id: attempts.inquire(s.pool, s.providers, tenant_id, row_id),
    "refund": lambda s, tenant_id, row_id: refunds.pay_back(s.pool, s.providers, tenant_id, row_id),
    "sale": _tend,
    "mail": lambda s, tenant_id, row_id: s.mailer.deliver(tenant_id, row_id),
    "outbox": _relay,
    "store_domain": _verify,
    "webhook_endpoint": lambda s, tenant_id, row_id: s.postman.call(tenant_id, row_id),
    "webhook_watch": _look,
    "webhook_event": lambda s, tenant_id, _: retention.forget(s.pool, tenant_id),
    "qualification": _expire,
    "data_request": lambda s, tenant_id, row_id: privacy.carry_out(s.pool, s.keyring, tenant_id, row_id),
    "key_rotation": lambda s, tenant_id, row_id: rotation.carry_out(s.pool, s.keyring, tenant_id, row_id),
    "code_export": lambda s, tenant_id, row_id: exports.expire(s.pool, tenant_id, row_id),
    "stock_watch": lambda s, tenant_id, row_id: watches.look(s.pool, s.platform, tenant_id, row_id),
    "audit_unlinked": lambda s, tenant_id, _: chain.link(s.pool, tenant_id),
    "order_reminder": lambda s, tenant_id, row_id: reminders.answer(s.pool, tenant_id, row_id),
    "reminder_round": _remind,
    "coupon": lambda s, tenant_id, row_id: grants.sweep(s.pool, tenant_id, row_id),
    "points_order": lambda s, tenant_id, row_id: earnings.settle(s.pool, tenant_id, row_id),
    "points_account": lambda s, tenant_id, row_id: earnings.tend(s.pool, tenant_id, row_id),
    "product": lambda s, tenant_id, row_id: schedule.keep(s.pool, tenant_id, row_id),
    "order_change": lambda s, tenant_id, _: index.work(s.pool, tenant_id),
    "fulfilment": lambda s, tenant_id, row_id: fulfilments.carry_out(s.pool, s.keyring, tenant_id, row_id),
    "entitlement": lambda s, tenant_id, row_id: terms.tend(s.pool, tenant_id, row_id),
    "vault_batch": lambda s, tenant_id, row_id: expiry.sweep(s.pool, tenant_id, row_id),
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
