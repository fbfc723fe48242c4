"""What people do with a top-up besides ending it: claim it, send it back, correct it. One at a time: its order is locked."""

import datetime as dt
from typing import Annotated, Final, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta

from checkout_core.errors import Conflict, NotFound
from checkout_core.ids import decode, encode
from tenants import fulfilments, inputs, mails
from tenants.db import TenantTx
from tenants.orders import notices, read
from tenants.types.base import Act, Asking, Job, Later
from tenants.types.fields import GIVEN_MAX, NAME_MAX, VALUE_MAX
from tenants.types.topup import lines, words

CLAIM: Final = dt.timedelta(minutes=15)  # so long nobody else takes what one is at
SOON: Final = dt.timedelta(seconds=1)
State = Literal["waiting", "sent_back", "done", "failed", "refunded"]
_STATES: Final[dict[str, State]] = {"pending": "waiting", "done": "done", "failed": "failed", "revoked": "refunded"}

Name = Annotated[str, Meta(max_length=36)]


class TopUpToClaim(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    fulfilment_id: Name


class TopUpClaim(msgspec.Struct, frozen=True):
    """Yours `until` then; claimed again, for longer."""

    fulfilment_id: str
    until: Annotated[dt.datetime, Meta(examples=["2026-10-15T20:15:00Z"])]


class TopUpToSendBack(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`reason` is for the shopper."""

    fulfilment_id: Name
    reason: Annotated[str, Meta(min_length=1, max_length=200, pattern=r"\S", examples=["There is no such account."])]


class TopUpCorrection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`values` are all that the line asks for, by field."""

    order_id: Name
    sale_id: Name
    values: Annotated[
        dict[Annotated[str, Meta(max_length=NAME_MAX)], Annotated[str, Meta(max_length=VALUE_MAX)]],
        Meta(max_length=GIVEN_MAX, examples=[{"account": "doe-2027", "account_again": "doe-2027"}]),
    ]


class TopUpsOfOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    order_id: Name


class TopUpView(msgspec.Struct, frozen=True):
    """A line. `due_at` is when it should be done; of one that is `sent_back` (for `reason`), when the shopper should have corrected it.
    `corrections_left` is how often it can still be sent back."""

    sale_id: str
    credited: Annotated[str, Meta(examples=["100 元话费"])]
    state: Annotated[State, Meta(examples=["sent_back"])]
    due_at: dt.datetime
    reason: Annotated[str | None, Meta(examples=["There is no such account."])]
    corrections_left: Annotated[int, Meta(examples=[2])]


class TopUpList(msgspec.Struct, frozen=True):
    topups: list[TopUpView]


async def claim(asking: Asking, request: TopUpToClaim) -> TopUpClaim:
    """Before it is done where no computer of ours sees it: two people at once would credit it twice.

    Raises `NotFound`, `Conflict` (`not_pending`, `sent_back`, `claimed`).
    """
    job, now = await _pending(asking, decode("ful", request.fulfilment_id))
    if now.asked_again:
        raise Conflict("The shopper is asked for another account. Nothing was changed.", code="sent_back")
    if now.by not in (None, asking.actor) and now.claimed_at is not None and job.now < now.claimed_at + CLAIM:
        raise Conflict("Somebody else is at it. Nothing was changed; look again in a while.", code="claimed", by=now.by)
    await lines.keep(asking.tx, job, msgspec.structs.replace(now, by=asking.actor, claimed_at=job.now))
    await asking.tx.audit(asking.actor, "topup.claimed", encode("ful", job.id), order=encode("ord", job.order_id))
    return TopUpClaim(request.fulfilment_id, job.now + CLAIM)


async def send_back(asking: Asking, request: TopUpToSendBack) -> TopUpView:
    """The shopper is asked again, and the time to do it stands still.

    Raises `NotFound`, `Conflict` (`not_pending`, `sent_back`, `no_corrections_left`).
    """
    job, now = await _pending(asking, decode("ful", request.fulfilment_id))
    config, tx = job.sku.config, asking.tx
    if now.asked_again:
        raise Conflict("The shopper is asked already. Nothing was changed.", code="sent_back")
    if now.sent_back >= config.corrections_max:
        detail = f"It was sent back {now.sent_back} times. Complete it, or fail it to give the money back. Nothing was changed."
        raise Conflict(detail, code="no_corrections_left")
    due_at = job.due_at if job.tries else job.paid_at + dt.timedelta(minutes=config.due_min)
    left_s, until = int((due_at - job.now).total_seconds()), job.now + dt.timedelta(days=config.answer_days)
    asked = lines.Progress(now.credited, asked_again=True, sent_back=now.sent_back + 1, left_s=left_s)
    await lines.keep(tx, job, asked)
    await fulfilments.put_off(tx, asking.keyring, job, Later(until, until, lines.SENT_BACK + request.reason))
    await tx.audit(asking.actor, "topup.sent_back", encode("ful", job.id), order=encode("ord", job.order_id))
    await _mail(tx, job, request.reason, until)
    return TopUpView(encode("sal", job.sale_id), now.credited, "sent_back", until, request.reason, config.corrections_max - asked.sent_back)


async def correct(asking: Asking, request: TopUpCorrection) -> TopUpView:
    """Raises as `inputs.give`; `Conflict` (`not_sent_back`) unless the line waits for it."""
    order_id, sale_id, tx = decode("ord", request.order_id), decode("sal", request.sale_id), asking.tx
    await read.get(tx, order_id, shopper_id=asking.shopper_id)
    of_sale = [each.id for each in await fulfilments.of_order(tx, order_id) if each.sale_id == sale_id]
    if not of_sale or await fulfilments.type_of(tx, of_sale[0]) != lines.NAME:
        raise NotFound("There is no such order.")
    job, now = await _pending(asking, of_sale[0])
    if not now.asked_again:
        raise Conflict("Nobody asks for another account: this one is being topped up. Nothing was changed.", code="not_sent_back")
    assert asking.shopper_id is not None, "the act is a shopper's"
    await inputs.give(tx, asking.keyring, order_id, sale_id, request.values, shopper_id=asking.shopper_id, states=("paid",))
    job = msgspec.structs.replace(job, input=await inputs.read(tx, asking.keyring, order_id, sale_id))
    again = lines.Progress(now.credited, sent_back=now.sent_back)
    await lines.keep(tx, job, again)
    await lines.alone(tx, job.shopper_id)
    due_at = job.now + dt.timedelta(seconds=now.left_s)
    problem = await lines.bought_twice(tx, asking.keyring, job)
    await fulfilments.put_off(tx, asking.keyring, job, Later(max(due_at, job.now + SOON), due_at, problem))
    await tx.audit(asking.actor, "topup.corrected", encode("ful", job.id), order=encode("ord", order_id))
    told = {"fulfilment_id": job.id, "order_id": order_id, "sku_id": job.sku.id, "due_at": due_at}
    await tx.emit("fulfilment.requested", told)
    return TopUpView(request.sale_id, now.credited, "waiting", due_at, None, job.sku.config.corrections_max - again.sent_back)


async def status(asking: Asking, request: TopUpsOfOrder) -> TopUpList:
    """Raises `NotFound`."""
    order_id = decode("ord", request.order_id)
    await read.get(asking.tx, order_id, shopper_id=asking.shopper_id)
    found = [await _view(asking.tx, each) for each in await fulfilments.of_order(asking.tx, order_id)]
    return TopUpList([view for view in found if view is not None])


async def _pending(asking: Asking, fulfilment_id: UUID) -> tuple[Job, lines.Progress]:
    """A line that waits, locked, and how far it is. Raises `NotFound`, alike for one of another type; `Conflict` (`not_pending`)."""
    if await fulfilments.type_of(asking.tx, fulfilment_id) != lines.NAME:
        raise NotFound("There is no such fulfilment.")
    job = await fulfilments.lock(asking.tx, asking.keyring, fulfilment_id)
    return job, await lines.progress(asking.tx, job)


async def _view(tx: TenantTx, line: "fulfilments.Fulfilment") -> TopUpView | None:
    """What the shopper sees; None of a line of another type."""
    sql = "SELECT type, config FROM sku WHERE tenant_id = $1 AND id = $2"
    type_, config = await tx.conn.fetchrow(sql, tx.tenant_id, line.sku_id)
    if type_ != lines.NAME:
        return None
    told = msgspec.json.decode(config)
    now = await lines.seen(tx, line.order_id, line.sku_id) or lines.Progress(told["credited"])
    back = line.state == "pending" and now.asked_again
    due_at = line.due_at if now.sent_back or line.due_at > line.created_at else line.created_at + dt.timedelta(minutes=told["due_min"])
    return TopUpView(
        encode("sal", line.sale_id), now.credited, "sent_back" if back else _STATES[line.state], due_at,
        (line.problem or "").removeprefix(lines.SENT_BACK) if back else None, max(0, told["corrections_max"] - now.sent_back),
    )  # fmt: skip


async def _mail(tx: TenantTx, job: Job, reason: str, until: dt.datetime) -> None:
    """To the contact of the order, if that is a mail address: who left a telephone number looks himself, or is called."""
    contact = (job.contact or "").strip()
    if not mails.is_address(contact):
        return
    name, locale, zone = await tx.conn.fetchrow("SELECT name, locale, zone FROM store WHERE tenant_id = $1", tx.tenant_id)
    await mails.send(
        tx, contact, words.SENT_BACK, locale=notices.locale_of(locale), sku=job.sku.name, store=name, reason=reason,
        number=encode("ord", job.order_id), until=f"{until.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M}",
    )  # fmt: skip


ACTS: Final = (
    Act("claim", "orders:write", "You are at it: nobody else takes it for a while", TopUpToClaim, TopUpClaim, claim),
    Act("send_back", "orders:write", "The account is wrong: ask the shopper again", TopUpToSendBack, TopUpView, send_back),
    Act("correct", "shopper", "Say another account, when you are asked again", TopUpCorrection, TopUpView, correct),
    Act("status", "shopper", "How far the top-ups of your order are", TopUpsOfOrder, TopUpList, status),
)
