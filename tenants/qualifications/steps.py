"""The life of a qualification as a table of steps, and the one function that takes them."""

import datetime as dt
from uuid import UUID

import asyncpg

from checkout_core.errors import Conflict, NotFound
from checkout_core.ids import encode
from tenants import mails
from tenants.db import Pool, TenantTx, tenant_tx
from tenants.roles import OWNER

STATES = ("draft", "submitted", "in_review", "more_wanted", "approved", "rejected", "expired", "revoked", "withdrawn")
ACTS = ("submit", "withdraw", "take", "approve", "reject", "ask_more", "revoke", "expire")
# Whatever is not here is refused, and changes nothing.
STEPS: dict[tuple[str, str], str] = {
    ("draft", "submit"): "submitted",
    ("more_wanted", "submit"): "submitted",
    ("draft", "withdraw"): "withdrawn",
    ("submitted", "withdraw"): "withdrawn",
    ("more_wanted", "withdraw"): "withdrawn",
    ("submitted", "take"): "in_review",
    ("in_review", "take"): "in_review",  # a colleague goes on with it
    ("in_review", "approve"): "approved",
    ("in_review", "reject"): "rejected",
    ("in_review", "ask_more"): "more_wanted",
    ("approved", "revoke"): "revoked",
    ("approved", "expire"): "expired",
}
TOLD = frozenset({"approve", "reject", "ask_more", "revoke", "expire"})  # by mail, to the owners
STATE_WORDS = {
    "zh-CN": {"approved": "已通过", "rejected": "未通过", "more_wanted": "需要补充材料", "revoked": "已撤销", "expired": "已到期"},
    "en": {
        "approved": "approved", "rejected": "rejected", "more_wanted": "waiting for more documents", "revoked": "revoked",
        "expired": "expired",
    },
}  # fmt: skip
NO_REASONS = {"zh-CN": "没有附加说明。", "en": "Nothing was added to this."}
EDITABLE = frozenset({"draft", "more_wanted"})  # the merchant may change what it says and shows
SYSTEM = "system"


class WrongState(Conflict):
    code = "wrong_state"


async def lock(tx: TenantTx, qualification_id: UUID) -> asyncpg.Record:
    """Raises `NotFound`."""
    sql = "SELECT id, kind, state, valid_until FROM qualification WHERE tenant_id = $1 AND id = $2 FOR UPDATE"
    if row := await tx.conn.fetchrow(sql, tx.tenant_id, qualification_id):
        return row
    raise NotFound("There is no such qualification.")


async def step(
    tx: TenantTx,
    qualification_id: UUID,
    act: str,
    *,
    reasons: tuple[str, ...] = (),
    reviewer: str | None = None,
    valid_until: dt.datetime | None = None,
) -> str:
    """Take the step `act` and tell the workers; the new state. Recording who did it is the caller's.

    Raises `NotFound`, and `WrongState` with the acts that are possible now.
    """
    row = await lock(tx, qualification_id)
    state = STEPS.get((row["state"], act))
    if state is None:
        possible = sorted(each for before, each in STEPS if before == row["state"])
        raise WrongState(f"The qualification is {row['state']}: that cannot be done now.", state=row["state"], possible=possible)
    sql = """UPDATE qualification SET state = $3, reasons = $4, reviewer = coalesce($5, reviewer),
                    submitted_at = CASE WHEN $6 = 'submit' THEN now() ELSE submitted_at END,
                    decided_at = CASE WHEN $6 IN ('approve', 'reject', 'ask_more', 'revoke') THEN now() ELSE decided_at END,
                    valid_until = coalesce($7, valid_until), next_try_at = CASE WHEN $6 = 'approve' THEN $7 END
             WHERE tenant_id = $1 AND id = $2"""
    await tx.conn.execute(sql, tx.tenant_id, qualification_id, state, list(reasons), reviewer, act, valid_until)
    if state != row["state"]:
        event = {"qualification_id": encode("qua", qualification_id), "kind": row["kind"], "state": state, "reasons": list(reasons)}
        await tx.emit("qualification.changed", event)
        if act in TOLD:
            await _tell_owners(tx, row["kind"], state, reasons)
    return state


async def _tell_owners(tx: TenantTx, kind: str, state: str, reasons: tuple[str, ...]) -> None:
    """What the platform decided, by mail. Who the owners are only the platform's role may ask: it is the one that takes these steps."""
    store = await tx.conn.fetchval("SELECT name FROM store WHERE tenant_id = $1", tx.tenant_id)
    sql = """SELECT u.mail, u.locale FROM membership m JOIN merchant_user u ON u.id = m.user_id
             WHERE m.tenant_id = $1 AND m.role = $2 ORDER BY u.id LIMIT 100"""
    for mail, locale in await tx.conn.fetch(sql, tx.tenant_id, OWNER):
        said = {"state": STATE_WORDS[locale][state], "reasons": "\n".join(reasons) or NO_REASONS[locale]}
        await mails.send(tx, mail, "qualification_decided", locale=locale, store=store or "", kind=kind, **said)


async def expire(platform: Pool, tenant_id: UUID, qualification_id: UUID) -> None:
    """The duty of an approved one: end it when its licence does, by the platform's role like every decision.

    Nothing is left to do for one that ended otherwise.
    """
    async with tenant_tx(platform, tenant_id) as tx:
        row = await lock(tx, qualification_id)
        now = await tx.conn.fetchval("SELECT now()")
        if row["state"] == "approved" and row["valid_until"] is not None and row["valid_until"] <= now:
            await step(tx, qualification_id, "expire")
            await tx.audit(SYSTEM, "qualification.expired", encode("qua", qualification_id), kind=row["kind"])
