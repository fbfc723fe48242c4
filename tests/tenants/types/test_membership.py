"""Memberships: bought, prolonged, reminded of, refunded and ended, through the API."""

import asyncio
import contextlib
import datetime as dt
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tenants import entitlements, terms
from tenants.db import TenantTx, tenant_tx
from tenants.types.membership import members
from tenants.types.membership.periods import Span, after
from tests.paying import fulfil, pay
from tests.shop import Store

ACTS = "/v1/types/membership"
DAY = dt.timedelta(days=1)


async def sold(store: Store, units: int = 20, **config: object) -> str:
    sku = await store.sku(type="membership", config=config)
    await store.ask("POST", f"/v1/skus/{sku}/units", store.merchant, {"quantity": units})
    return await store.sale(units, sku_id=sku)


async def buy(store: Store, who: dict[str, str], sale: str, quantity: int = 1, *, contact: str | None = None) -> str:
    headers, body = who | {"Idempotency-Key": uuid4().hex}, {"sale_id": sale, "quantity": quantity, "contact": contact}
    order = str((await store.ask("POST", "/v1/checkouts", headers, body))["id"])
    assert await pay(store, order) == "applied"
    assert await fulfil(store, order) == ["done"]
    return order


async def refund(store: Store, order: str) -> None:
    await store.ask("POST", f"/v1/orders/{order}/refund", store.merchant)


class Seen(NamedTuple):
    standing: str
    until: dt.datetime
    periods: int


async def status(store: Store, who: dict[str, str]) -> Seen:
    [found] = (await store.ask("POST", f"{ACTS}/status", who, {}))["memberships"]
    return Seen(found["standing"], dt.datetime.fromisoformat(found["until"]), found["periods"])


async def member(store: Store, who: dict[str, str]) -> bool:
    return bool((await store.ask("POST", f"{ACTS}/status", who, {}))["member"])


async def aged(store: Store, time: dt.timedelta) -> None:
    """As if all of it had been bought so much sooner; then the sweep comes by."""
    async with tenant_tx(store.process.app_pool, store.tenant_id) as tx:
        sql = """UPDATE entitlement SET valid_from = valid_from - $2::interval, valid_until = valid_until - $2,
                     next_try_at = next_try_at - $2,
                     data = jsonb_set(data, '{anchor}', to_jsonb((data ->> 'anchor')::timestamptz - $2::interval))
                 WHERE tenant_id = $1"""
        await tx.conn.execute(sql, tx.tenant_id, time)
    await swept(store)


async def swept(store: Store) -> None:
    sql = "SELECT id FROM entitlement WHERE tenant_id = $1 AND next_try_at <= now() ORDER BY next_try_at, id"
    async with tenant_tx(store.process.app_pool, store.tenant_id) as tx:
        due = [row[0] for row in await tx.conn.fetch(sql, tx.tenant_id)]
    for entitlement_id in due:
        await terms.tend(store.process.app_pool, store.tenant_id, entitlement_id)


async def told(store: Store, sql: str) -> list[Any]:
    async with tenant_tx(store.process.app_pool, store.tenant_id) as tx:
        return [row[0] for row in await tx.conn.fetch(sql, tx.tenant_id)]


async def reminders(store: Store) -> list[str]:
    sql = "SELECT recipient FROM mail WHERE tenant_id = $1 AND template = 'membership_ending' ORDER BY id"
    return await told(store, sql)


async def endings(store: Store) -> int:
    return len(await told(store, "SELECT topic FROM outbox WHERE tenant_id = $1 AND topic = 'entitlement.expired'"))


def in_days(days: float) -> dt.datetime:
    return dt.datetime.now(dt.UTC) + days * DAY


def near(moment: dt.datetime, other: dt.datetime) -> bool:
    return abs(moment - other) < dt.timedelta(minutes=1)


class TestSku:
    @pytest.mark.parametrize(
        "config",
        [{"every": 0}, {"period": "week"}, {"every": 3, "period": "day", "remind_days": 3}, {"grace_days": 28}, {"remind_days": 61}],
    )
    async def test_a_config_that_is_not_its(self, client: httpx.AsyncClient, acme: Store, config: object) -> None:
        body = {"product_id": await acme.product(), "name": "x", "price_minor": 1, "type": "membership", "config": config}
        answer = await client.post("/v1/skus", headers=acme.merchant, json=body)
        assert (answer.status_code, answer.json()["code"]) == (422, "bad_config")


class TestBuy:
    async def test_a_month_by_the_stores_calendar(self, acme: Store) -> None:
        who = await acme.guest()
        assert not await member(acme, who)
        order = await buy(acme, who, await sold(acme))
        found, now = await status(acme, who), dt.datetime.now(dt.UTC)
        assert (found.standing, found.periods) == ("active", 1)
        assert near(found.until, after(now, "Asia/Shanghai", Span(1)))
        [shown] = (await acme.ask("GET", f"/v1/orders/{order}/codes", who))["codes"]
        assert shown["code"] is None
        assert shown["valid_until"].endswith("+08:00")
        assert near(dt.datetime.fromisoformat(shown["valid_until"]), found.until)

    async def test_again_it_goes_on_from_the_end(self, acme: Store) -> None:
        who, sale = await acme.guest(), await sold(acme, every=10, period="day")
        await buy(acme, who, sale, 2)
        await aged(acme, 15 * DAY)
        await buy(acme, who, sale)
        found = await status(acme, who)
        assert (found.standing, found.periods) == ("active", 2)
        assert near(found.until, in_days(15))

    async def test_after_its_end_it_begins_anew_and_in_its_grace_it_goes_on(self, acme: Store) -> None:
        for late, left in ((5, 25), (8, 30)):
            who, sale = await acme.guest(), await sold(acme, every=30, period="day", grace_days=7)
            await buy(acme, who, sale)
            await aged(acme, (30 + late) * DAY)
            assert (await status(acme, who)).standing == ("grace" if late < 7 else "ended")
            assert await member(acme, who) == (late < 7)
            await buy(acme, who, sale)
            assert near((await status(acme, who)).until, in_days(left))

    async def test_two_orders_at_the_same_time_are_two_periods(self, acme: Store) -> None:
        who, sale = await acme.guest(), await sold(acme, every=10, period="day")
        orders = [await acme.order(who, sale) for _ in range(4)]
        for order in orders:
            await pay(acme, order)
        await asyncio.gather(*(fulfil(acme, order) for order in orders))
        found = await status(acme, who)
        assert found.periods == 4
        assert near(found.until, in_days(40))

    @pytest.mark.parametrize("in_line", [True, False])
    async def test_who_comes_second_waits(self, acme: Store, monkeypatch: pytest.MonkeyPatch, in_line: bool) -> None:
        """Both look at what there is before either adds to it: without the member's lock two payments would be one period."""
        who, sale = await acme.guest(), await sold(acme, every=10, period="day")
        orders = [await acme.order(who, sale) for _ in range(2)]
        for order in orders:
            await pay(acme, order)
        both, holdings = asyncio.Barrier(2), entitlements.holdings

        async def slow(*args: Any, **named: Any) -> Any:
            found = await holdings(*args, **named)
            with contextlib.suppress(TimeoutError, asyncio.BrokenBarrierError):
                await asyncio.wait_for(both.wait(), 0.3)
            return found

        async def nobody_waits(tx: TenantTx, shopper_id: UUID) -> None:
            pass

        monkeypatch.setattr(entitlements, "holdings", slow)
        if not in_line:
            monkeypatch.setattr(members, "alone", nobody_waits)
        await asyncio.gather(*(fulfil(acme, order) for order in orders))
        monkeypatch.undo()
        assert near((await status(acme, who)).until, in_days(20 if in_line else 10))

    async def test_longer_than_any_calendar(self, acme: Store) -> None:
        who = await acme.guest()
        order = await acme.order(who, await sold(acme, units=30, every=366, period="year"), 25)
        await pay(acme, order)
        assert await fulfil(acme, order) == ["failed"]
        assert not await member(acme, who)
        assert (await acme.ask("GET", f"/v1/orders/{order}", who))["state"] == "refunding"


class TestRefund:
    @pytest.mark.parametrize("gone", [0, 1, 2])
    async def test_shortens_by_just_that(self, acme: Store, gone: int) -> None:
        who, sale = await acme.guest(), await sold(acme)
        orders = [await buy(acme, who, sale) for _ in range(3)]
        before, now = await status(acme, who), dt.datetime.now(dt.UTC)
        await refund(acme, orders[gone])
        found = await status(acme, who)
        assert (found.standing, found.periods) == ("active", 2)
        assert near(found.until, after(now, "Asia/Shanghai", Span(2)))
        assert near(before.until, after(now, "Asia/Shanghai", Span(3)))

    async def test_of_the_only_one(self, acme: Store) -> None:
        who = await acme.guest()
        order = await buy(acme, who, await sold(acme, grace_days=7))
        await refund(acme, order)
        assert (await acme.ask("POST", f"{ACTS}/status", who, {})) == {"member": False, "memberships": []}

    async def test_of_what_is_past_takes_nothing_from_what_is_left(self, acme: Store) -> None:
        who, sale = await acme.guest(), await sold(acme, every=10, period="day")
        first = await buy(acme, who, sale)
        await buy(acme, who, sale)
        await aged(acme, 12 * DAY)
        await refund(acme, first)
        found = await status(acme, who)
        assert (found.standing, found.periods) == ("active", 1)
        assert near(found.until, in_days(8))
        await buy(acme, who, sale)
        assert near((await status(acme, who)).until, in_days(18))

    async def test_before_it_was_fulfilled(self, acme: Store) -> None:
        who = await acme.guest()
        order = await acme.order(who, await sold(acme))
        await pay(acme, order)
        await refund(acme, order)
        assert await fulfil(acme, order) == ["revoked"]
        assert not await member(acme, who)

    async def test_of_all_at_the_same_time(self, acme: Store) -> None:
        who, sale = await acme.guest(), await sold(acme)
        orders = [await buy(acme, who, sale) for _ in range(4)]
        await asyncio.gather(*(refund(acme, order) for order in orders[:3]), buy(acme, who, sale))
        found = await status(acme, who)
        assert found.periods == 2
        assert near(found.until, after(dt.datetime.now(dt.UTC), "Asia/Shanghai", Span(2)))


class TestEnd:
    async def test_is_told_once_for_all_its_periods(self, acme: Store) -> None:
        who, sale = await acme.guest(), await sold(acme, every=10, period="day", grace_days=3)
        await buy(acme, who, sale, 3)
        for _ in range(2):
            await aged(acme, 10 * DAY)
            assert (await status(acme, who)).standing == "active"
        assert await endings(acme) == 0
        await aged(acme, 10 * DAY)
        await swept(acme)
        assert await endings(acme) == 1
        assert (await status(acme, who)).standing == "grace"
        await aged(acme, 3 * DAY)
        assert await member(acme, who) is False

    async def test_refunded_in_its_grace_it_is_over(self, acme: Store) -> None:
        who, sale = await acme.guest(), await sold(acme, every=10, period="day", grace_days=5)
        order = await buy(acme, who, sale)
        await aged(acme, 12 * DAY)
        assert await member(acme, who)
        await refund(acme, order)
        assert not await member(acme, who)


class TestReminder:
    async def test_once_some_days_before_the_end(self, acme: Store) -> None:
        who, sale = await acme.guest(), await sold(acme, every=30, period="day", remind_days=5)
        await buy(acme, who, sale, contact="ann@example.org")
        await aged(acme, 24 * DAY)
        assert await reminders(acme) == []
        await aged(acme, 2 * DAY)
        await swept(acme)
        assert await reminders(acme) == ["ann@example.org"]
        await aged(acme, 4 * DAY)
        assert await reminders(acme) == ["ann@example.org"]
        assert await endings(acme) == 1

    async def test_not_of_what_goes_on(self, acme: Store) -> None:
        who, sale = await acme.guest(), await sold(acme, every=30, period="day", remind_days=5)
        await buy(acme, who, sale, contact="ann@example.org")
        second = await buy(acme, who, sale, contact="ann@example.org")
        await aged(acme, 26 * DAY)
        assert await reminders(acme) == []
        # Its end is near again, once what came after it is refunded.
        await refund(acme, second)
        await swept(acme)
        assert await reminders(acme) == ["ann@example.org"]

    @pytest.mark.parametrize(("contact", "days"), [("138 0013 8000", 5), (None, 5), ("ann@example.org", 0)])
    async def test_nobody_is_to_be_reminded(self, acme: Store, contact: str | None, days: int) -> None:
        who, sale = await acme.guest(), await sold(acme, every=30, period="day", remind_days=days)
        await buy(acme, who, sale, contact=contact)
        await aged(acme, 29 * DAY)
        assert await reminders(acme) == []

    async def test_its_link_leads_to_the_stores_own_page(self, client: httpx.AsyncClient, acme: Store) -> None:
        who, sale = await acme.guest(), await sold(acme, every=30, period="day")
        await buy(acme, who, sale, contact="ann@example.org")
        await aged(acme, 28 * DAY)
        [values] = await told(acme, "SELECT content FROM mail WHERE tenant_id = $1 AND template = 'membership_ending'")
        assert f'"slug":"{acme.slug}"' in values.replace(": ", ":")
        assert sale in values
        there = await client.get(f"/at/{acme.slug}/sales/{sale}")
        assert (there.status_code, there.headers["location"]) == (303, f"http://{acme.host}/sales/{sale}")
        page = await client.get(there.headers["location"], headers={"Host": acme.host})
        assert page.status_code == 200
        for lost in (f"/at/nobodys/sales/{sale}", f"/at/{acme.slug}/sales/x", f"/at/{acme.slug}/sales/..%2F..%2Felsewhere"):
            assert (await client.get(lost)).status_code == 404


class TestWhoMay:
    async def test_status_is_the_shoppers_own(self, client: httpx.AsyncClient, acme: Store, globex: Store) -> None:
        who = await acme.guest()
        await buy(acme, who, await sold(acme))
        assert (await client.post(f"{ACTS}/status", headers=acme.at, json={})).status_code == 401
        assert (await client.post(f"{ACTS}/status", headers=acme.merchant, json={})).status_code == 401
        for other in (await acme.guest(), await globex.guest()):
            answer = await client.post(f"{ACTS}/status", headers=other, json={})
            assert answer.json() == {"member": False, "memberships": []}
        assert await member(acme, who)

    async def test_check_is_the_merchants(self, client: httpx.AsyncClient, acme: Store, globex: Store) -> None:
        who, sale = await acme.guest(), await sold(acme)
        await buy(acme, who, sale, contact="Ann@Example.org")
        [found] = (await acme.ask("POST", f"{ACTS}/status", who, {}))["memberships"]
        shopper = {"shopper_id": found["shopper_id"]}
        for headers, status_code in ((acme.at, 401), (who, 401), (await acme.key_with("customers:read"), 403)):
            assert (await client.post(f"{ACTS}/check", headers=headers, json=shopper)).status_code == status_code
        other_sku = await acme.sku(type="membership")
        for body, is_member in (
            (shopper, True), (shopper | {"sku_id": found["sku_id"]}, True), (shopper | {"sku_id": other_sku}, False),
            ({"contact": " ann@example.org"}, True), ({"contact": "ann@example.or"}, False), ({"contact": "bob@example.org"}, False),
        ):  # fmt: skip
            assert (await acme.ask("POST", f"{ACTS}/check", acme.merchant, body))["member"] is is_member, body
            assert (await globex.ask("POST", f"{ACTS}/check", globex.merchant, body))["member"] is False
        for body in ({}, shopper | {"contact": "ann@example.org"}):
            answer = await client.post(f"{ACTS}/check", headers=acme.merchant, json=body)
            assert (answer.status_code, answer.json()["code"]) == (422, "whom")


STEPS = st.one_of(
    st.tuples(st.just("buy"), st.integers(1, 3)), st.tuples(st.just("refund"), st.integers(0, 5)),
    st.tuples(st.just("wait"), st.sampled_from([3, 9, 10, 11, 17])),
)  # fmt: skip


class Model:
    """The same on paper, in days: each order's periods of 10 days, with 3 days of grace."""

    def __init__(self) -> None:
        self.now = 0
        self.orders: list[list[list[int]]] = []  # [begins, ends] each
        self.refunded: set[int] = set()

    def held(self) -> list[list[int]]:
        return sorted(each for n, order in enumerate(self.orders) if n not in self.refunded for each in order)

    def buy(self, quantity: int) -> None:
        held = self.held()
        begins = held[-1][1] if held and self.now < held[-1][1] + 3 else self.now
        self.orders.append([[begins + 10 * n, begins + 10 * (n + 1)] for n in range(quantity)])

    def refund(self, which: int) -> None:
        self.refunded.add(which)
        for gone in sorted(self.orders[which], reverse=True):
            if gone[1] > self.now:
                for each in self.held():
                    if each[0] >= gone[1]:
                        each[0] -= 10
                        each[1] -= 10


class TestInAnyOrder:
    @settings(max_examples=25, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    @given(steps=st.lists(STEPS, min_size=2, max_size=9))
    async def test_it_ends_when_it_should(self, acme: Store, steps: list[tuple[str, int]]) -> None:
        who, sale = await acme.guest(), await sold(acme, units=30, every=10, period="day", grace_days=3)
        model, orders = Model(), []
        for step, number in steps:
            if step == "buy":
                orders.append(await buy(acme, who, sale, number))
                model.buy(number)
            elif step == "wait":
                await aged(acme, number * DAY)
                model.now += number
            elif number < len(orders) and number not in model.refunded:
                await refund(acme, orders[number])
                model.refund(number)
            held = model.held()
            found = (await acme.ask("POST", f"{ACTS}/status", who, {}))["memberships"]
            assert len(found) == bool(held)
            if held:
                ends = held[-1][1]
                assert near(dt.datetime.fromisoformat(found[0]["until"]), in_days(ends - model.now))
                standing = "active" if model.now < ends else "grace" if model.now < ends + 3 else "ended"
                assert (found[0]["standing"], found[0]["periods"]) == (standing, sum(each[1] > model.now for each in held))
