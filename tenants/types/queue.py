"""Waiting for a person, or for a merchant's own program, to fulfil a line: `POST /v1/fulfilments/{id}/complete`."""

import datetime as dt

from checkout_core.ids import encode
from tenants import exceptions
from tenants.db import TenantTx
from tenants.types.base import Job, Later

REMIND_AFTER = dt.timedelta(hours=24)


async def wait(tx: TenantTx, job: Job, within: dt.timedelta) -> Later:
    """The first time, tell the merchant's webhooks; when nobody has done it in time, put it into the exception queue, and remind daily."""
    if job.tries == 0:
        due_at = job.paid_at + within
        await tx.emit("fulfilment.requested", {"fulfilment_id": job.id, "order_id": job.order_id, "sku_id": job.sku.id, "due_at": due_at})
        return Later(max(due_at, job.now + dt.timedelta(seconds=1)), due_at)
    await exceptions.report(tx, "fulfilment_overdue", encode("ful", job.id), order=encode("ord", job.order_id), due_at=job.due_at)
    return Later(job.now + REMIND_AFTER)
