"""What an account comes to, whatever happens to it and in whichever order; and that at every step all its figures are one."""

import asyncio
import itertools
from collections.abc import Sequence
from typing import NamedTuple

import pytest

from tenants.db import tenant_tx
from tenants.points import earnings
from tests.shop import Store
from tests.tenants.points.member import Member, program, rows, work
from workers.relay import Relay


async def sums(member: Member) -> None:
    """The account, its entries, its lots and what they were used for say the same."""
    sql = """SELECT a.balance, a.owed, a.entries,
                    (SELECT coalesce(sum(amount), 0) FROM points_entry WHERE tenant_id = $1 AND shopper_id = a.id),
                    (SELECT coalesce(sum(remaining), 0) FROM points_lot WHERE tenant_id = $1 AND shopper_id = a.id),
                    (SELECT count(*) FROM points_entry WHERE tenant_id = $1 AND shopper_id = a.id),
                    (SELECT coalesce(sum(amount), 0) FROM points_consumption WHERE tenant_id = $1 AND shopper_id = a.id),
                    (SELECT coalesce(-sum(amount) FILTER (WHERE amount < 0), 0) FROM points_entry
                     WHERE tenant_id = $1 AND shopper_id = a.id)
             FROM points_account a WHERE tenant_id = $1 AND id = $2"""
    for balance, owed, entries, of_entries, of_lots, count, used, gone in await rows(member.store, sql, member.id):
        assert balance == of_entries == of_lots >= 0
        assert (entries, used) == (count, gone)
        assert not (owed and balance)


async def play(member: Member, steps: Sequence[str]) -> None:
    for step in steps:
        act, _, rest = step.partition(":")
        if act == "buy":
            await member.buy(rest or "a")
        elif act == "refund":
            await member.refund(rest or "a")
        elif act == "part":
            await member.refund(rest or "a", 1)
        elif act == "work":
            await work(member.store)
        elif act == "later":
            await member.age(int(rest))
        else:
            assert act in ("give", "take")
            answer = await member.adjust(int(rest) if act == "give" else -int(rest))
            assert answer.status_code == 201, answer.text
        await sums(member)


class Life(NamedTuple):
    """An order of three units earns ten. `hold` and `expiry` in days; 0 is never."""

    steps: str
    balance: int
    available: int
    owed: int = 0
    hold: int = 0
    expiry: int = 0


LIVES = [
    Life("buy", 0, 0),
    Life("buy work", 10, 10),
    Life("buy work work work", 10, 10),
    Life("buy work buy:b work", 20, 20),
    Life("buy work part work", 7, 7),
    Life("buy work part work part work", 4, 4),
    Life("buy work part work part work part work", 0, 0),
    Life("buy work part part work part work", 0, 0),
    Life("buy part work", 7, 7),
    Life("buy part work refund work", 0, 0),
    Life("buy refund work", 0, 0),
    Life("buy work refund work work", 0, 0),
    # Spent before it goes back: nothing falls below zero, the rest is owed and paid from what comes.
    Life("buy work take:6 refund work", 0, 0, 6),
    Life("buy work take:6 part work", 1, 1),
    Life("buy work take:6 part work refund work", 0, 0, 6),
    Life("buy work take:10 refund work give:4", 0, 0, 6),
    Life("buy work take:10 refund work give:25", 15, 15),
    Life("buy work take:10 refund work buy:b work", 0, 0),
    Life("buy work take:10 refund work buy:b work refund:b work", 0, 0, 10),
    Life("buy work give:20 take:15 refund work", 5, 5),
    Life("buy work buy:b work take:10 refund work", 0, 0, 0),
    Life("buy work buy:b work take:10 refund:b work", 0, 0, 0),
    Life("buy work buy:b work take:10 refund:b work refund work", 0, 0, 10),
    # Held: shown, not spent, and taken back all the same.
    Life("buy work", 10, 0, hold=7),
    Life("buy work later:7 work", 10, 10, hold=7),
    Life("buy work refund work", 0, 0, hold=7),
    Life("buy work part work later:7", 7, 7, hold=7),
    # Expired: gone by itself, before and after the sweep; what nobody had is not asked for again.
    Life("buy work later:29", 10, 10, expiry=30),
    Life("buy work later:30", 0, 0, expiry=30),
    Life("buy work later:30 work", 0, 0, expiry=30),
    Life("buy work take:4 later:30 work", 0, 0, expiry=30),
    Life("buy work later:30 work refund work", 0, 0, expiry=30),
    Life("buy work later:30 refund work", 0, 0, expiry=30),
    Life("buy work later:30 work part work part work refund work", 0, 0, expiry=30),
    Life("buy work take:4 later:30 work refund work", 0, 0, 4, expiry=30),
    Life("buy work take:4 later:30 work part work", 0, 0, expiry=30),
    Life("buy work take:4 later:30 work part work refund work", 0, 0, 4, expiry=30),
    Life("buy work part work later:30 work refund work", 0, 0, expiry=30),
    Life("buy work later:30 buy:b work refund work", 10, 10, expiry=30),
    Life("buy work later:20 buy:b work take:5 later:10 work", 10, 10, expiry=30),
    Life("buy work later:20 buy:b work take:15 later:10 work", 5, 5, expiry=30),
    Life("buy work later:6 work", 10, 0, hold=7, expiry=30),
    Life("buy work later:36 work", 10, 10, hold=7, expiry=30),
    Life("buy work later:37 work", 0, 0, hold=7, expiry=30),
]


@pytest.mark.parametrize("life", LIVES, ids=lambda life: f"{life.steps} hold {life.hold} expiry {life.expiry}")
async def test_a_life(acme: Store, life: Life) -> None:
    await program(acme, hold_days=life.hold, **({"expiry": "days", "expiry_count": life.expiry} if life.expiry else {}))
    member = await Member.of(acme)
    await play(member, life.steps.split())
    found = (await member.account())["account"]
    assert (found["balance"], found["available"], found["owed"]) == (life.balance, life.available, life.owed)
    assert found["held"] == found["balance"] - found["available"]


async def test_every_order_of_events_comes_to_the_same(acme: Store) -> None:
    """Two orders; of one a part goes back, of the other all. Whenever the duties look, and however often."""
    await program(acme)
    events = ("part:a", "part:a", "refund:b", "work")
    ends, growth = set(), set()
    first = await Member.of(acme)
    for steps in sorted(set(itertools.permutations(events))):
        member = await Member.of(acme, first.sale)
        await play(member, ["buy:a", "buy:b", *steps, "work", "work"])
        found = (await member.account())["account"]
        ends.add((found["balance"], found["available"], found["owed"]))
        growth.add(found["standing"]["growth"])
    assert (ends, growth) == ({(4, 4, 0)}, {10})


class TestEvents:
    async def test_the_relay_wakes_it_and_a_refund_does(self, acme: Store) -> None:
        await program(acme)
        member = await Member.of(acme)
        await member.buy()
        relay = Relay(acme.process.app_pool, acme.process.redis)
        due = "SELECT id FROM points_order WHERE tenant_id = $1 AND next_try_at <= now()"
        await relay.send(acme.tenant_id)
        assert len(await rows(acme, due)) == 1
        await work(acme)
        assert await rows(acme, due) == []
        await relay.send(acme.tenant_id)
        await member.refund(units=1)
        assert len(await rows(acme, due)) == 1

    async def test_a_store_without_points_owes_nothing(self, acme: Store, globex: Store) -> None:
        await program(globex)
        member = await Member.of(acme)
        await member.buy()
        await work(acme)
        await member.refund()
        assert await rows(acme, "SELECT id FROM points_order WHERE tenant_id = $1") == []
        assert (await member.account())["account"]["balance"] == 0

    async def test_switched_off_it_earns_no_more_and_gives_back_still(self, acme: Store) -> None:
        await program(acme)
        member = await Member.of(acme)
        await member.buy()
        await work(acme)
        await program(acme, enabled=False)
        await member.buy("b")
        await member.refund("a", 1)
        await work(acme)
        assert await member.kinds() == [("order", 10), ("refund", -3)]


class TestRaces:
    async def test_a_hundred_who_take_at_once(self, acme: Store) -> None:
        """Ten of them get what there is; nobody the eleventh."""
        await program(acme)
        member = await Member.of(acme)
        await member.buy()
        await work(acme)
        answers = await asyncio.gather(*(member.adjust(-1) for _ in range(100)))
        codes = [answer.status_code for answer in answers]
        assert set(codes) <= {201, 409, 503}
        assert codes.count(201) == 10
        await sums(member)
        assert (await member.account())["account"]["balance"] == 0

    async def test_the_same_order_by_ten_at_once(self, acme: Store) -> None:
        await program(acme)
        member = await Member.of(acme)
        await member.buy()
        sql = "SELECT id FROM orders WHERE tenant_id = $1"
        [(order_id,)] = await rows(acme, sql)
        pool = acme.process.app_pool
        for units in (0, 1, 2):
            if units:
                await member.refund(units=units)
            async with tenant_tx(pool, acme.tenant_id) as tx:
                await earnings.delivered(tx, [order_id])
            await asyncio.gather(*(earnings.settle(pool, acme.tenant_id, order_id) for _ in range(10)))
            await sums(member)
        assert await member.kinds() == [("order", 10), ("refund", -3), ("refund", -7)]

    async def test_refunds_that_overtake_the_earning(self, acme: Store) -> None:
        await program(acme)
        member = await Member.of(acme)
        for name in "abcde":
            await member.buy(name)
        await asyncio.gather(work(acme), *(member.refund(name) for name in "abcde"), work(acme))
        await work(acme)
        await sums(member)
        found = (await member.account())["account"]
        assert (found["balance"], found["owed"], found["standing"]["growth"]) == (0, 0, 0)
