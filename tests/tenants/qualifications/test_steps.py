"""Every state × every act: taken as the table says, or refused with nothing changed. On real rows."""

import datetime as dt
from uuid import UUID

import pytest

from api.process import Process
from checkout_core.ids import new_id
from tenants.db import TenantTx, tenant_tx
from tenants.qualifications.steps import ACTS, STATES, STEPS, TOLD, WrongState, expire, lock, step
from tests.shop import Store

LATER = dt.datetime(2099, 1, 1, tzinfo=dt.UTC)
# As the field has it, written out beside the table: where each act leads from each state. Whatever is not here is refused.
EXPECTED = {
    "draft": {"submit": "submitted", "withdraw": "withdrawn"},
    "submitted": {"take": "in_review", "withdraw": "withdrawn"},
    "in_review": {"take": "in_review", "approve": "approved", "reject": "rejected", "ask_more": "more_wanted"},
    "more_wanted": {"submit": "submitted", "withdraw": "withdrawn"},
    "approved": {"revoke": "revoked", "expire": "expired"},
    "rejected": {}, "expired": {}, "revoked": {}, "withdrawn": {},
}  # fmt: skip


async def row(tx: TenantTx, state: str, *, ends: str | None = None) -> UUID:
    """A qualification in `state`, which ends after so long."""
    qualification_id = new_id()
    sql = """INSERT INTO qualification (tenant_id, id, kind, state, particulars, key_id, submitted_at, valid_until, next_try_at)
             VALUES ($1, $2, 'gift_cards', $3, '', 1, now(), now() + $4::text::interval, now() + $4::text::interval)"""
    await tx.conn.execute(sql, tx.tenant_id, qualification_id, state, ends)
    return qualification_id


async def seen(tx: TenantTx, qualification_id: UUID) -> dict[str, object]:
    return dict(await tx.conn.fetchrow("SELECT * FROM qualification WHERE tenant_id = $1 AND id = $2", tx.tenant_id, qualification_id))


def test_the_table_is_what_the_field_expects() -> None:
    assert {(state, act): after for state, acts in EXPECTED.items() for act, after in acts.items()} == STEPS
    assert set(EXPECTED) == set(STATES)


async def test_the_database_knows_the_same_states(process: Process, acme: Store) -> None:
    async with tenant_tx(process.app_pool, acme.tenant_id) as tx:
        for state in STATES:
            await row(tx, state)
            await tx.conn.execute("UPDATE qualification SET state = 'withdrawn' WHERE tenant_id = $1", tx.tenant_id)
    with pytest.raises(Exception, match="qualification_state_check"):
        async with tenant_tx(process.app_pool, acme.tenant_id) as tx:
            await row(tx, "lost")


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("state", STATES)
async def test_step(process: Process, acme: Store, state: str, act: str) -> None:
    after = EXPECTED[state].get(act)
    async with tenant_tx(process.app_pool, acme.tenant_id) as tx:
        qualification_id = await row(tx, state)
    # What the platform decides its own role does; drafts it does not see.
    async with tenant_tx(process.platform_pool if act in TOLD and after else process.app_pool, acme.tenant_id) as tx:
        before = await seen(tx, qualification_id)
        if after is None:
            with pytest.raises(WrongState) as refused:
                await step(tx, qualification_id, act, reasons=("r",), reviewer="pst_x", valid_until=LATER)
            assert refused.value.extra == {"state": state, "possible": sorted(EXPECTED[state])}
            assert await seen(tx, qualification_id) == before
            return
        assert await step(tx, qualification_id, act, reasons=("r",), reviewer="pst_x", valid_until=LATER) == after
        now = await seen(tx, qualification_id)
    assert (now["state"], now["reasons"], now["reviewer"]) == (after, ["r"], "pst_x")
    assert (now["decided_at"] is not None) == (act in {"approve", "reject", "ask_more", "revoke"})
    assert now["next_try_at"] == (LATER if act == "approve" else None), "only what is in force is a duty"
    async with tenant_tx(process.app_pool, acme.tenant_id) as tx:
        sql = "SELECT recipient FROM mail WHERE tenant_id = $1 AND template = 'qualification_decided' ORDER BY created_at DESC LIMIT 1"
        told = [each["recipient"] for each in await tx.conn.fetch(f"{sql}", tx.tenant_id)]
    assert told == ([acme.mail] if act in TOLD else []), "owners are told what was decided"


class TestExpiry:
    async def test_when_its_time_has_come(self, process: Process, acme: Store) -> None:
        async with tenant_tx(process.app_pool, acme.tenant_id) as tx:
            over, running = await row(tx, "approved", ends="-1 s"), await row(tx, "approved", ends="1 h")
            endless, decided = await row(tx, "approved"), await row(tx, "revoked", ends="-1 s")
        for qualification_id in (over, running, endless, decided, over):
            await expire(process.platform_pool, acme.tenant_id, qualification_id)
        async with tenant_tx(process.app_pool, acme.tenant_id) as tx:
            states = [(await lock(tx, each))["state"] for each in (over, running, endless, decided)]
            assert states == ["expired", "approved", "approved", "revoked"]
            assert (await seen(tx, over))["next_try_at"] is None
            sql = "SELECT actor FROM audit WHERE tenant_id = $1 AND action = 'qualification.expired'"
            assert [each["actor"] for each in await tx.conn.fetch(sql, tx.tenant_id)] == ["system"]
