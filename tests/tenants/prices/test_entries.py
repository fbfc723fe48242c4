"""Prices on a list are versions: where one ends the next begins, and none is changed."""

import asyncio
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from checkout_core.errors import AppError, Conflict, Unprocessable
from checkout_core.ids import decode
from tenants.db import tenant_tx
from tenants.prices import entries, groups, lists
from tests.shop import Store
from tests.tenants.prices.shelf import asked, group, listed, put


async def versions(store: Store, sku: str) -> list[dict[str, Any]]:
    page = await store.ask("GET", f"/v1/skus/{sku}/prices?limit=100", store.merchant)
    found: list[dict[str, Any]] = page["prices"]
    return found


class TestPut:
    async def test_one_ends_where_the_next_begins(self, acme: Store) -> None:
        sku = await acme.sku()
        on = await listed(acme, (sku, 1, 9000))
        assert await put(acme, on, (sku, 1, 8000), (sku, 10, 7000)) == {"set": 2, "ended": 0, "unchanged": 0}
        assert await put(acme, on, (sku, 1, 8000), (sku, 10, None), (sku, 20, None)) == {"set": 0, "ended": 1, "unchanged": 2}
        found = {each["unit_minor"]: each for each in await versions(acme, sku)}
        assert set(found) == {9000, 8000, 7000}
        assert found[9000]["ended_at"] == found[8000]["since"] == found[7000]["since"]
        assert found[8000]["ended_at"] is None
        assert found[7000]["ended_at"] > found[7000]["since"]

    async def test_the_same_again_changes_nothing_and_is_not_on_record(self, acme: Store) -> None:
        sku = await acme.sku()
        on = await listed(acme, (sku, 1, 9000))
        before = await acme.audited()
        assert await put(acme, on, (sku, 1, 9000)) == {"set": 0, "ended": 0, "unchanged": 1}
        assert await acme.audited() == before
        assert len(await versions(acme, sku)) == 1

    async def test_all_or_none_and_each_problem_by_its_place(self, acme: Store, globex: Store) -> None:
        sku, theirs = decode("sku", await acme.sku()), decode("sku", await globex.sku())
        on = decode("prl", await listed(acme))
        wanted = [entries.Wanted(*each) for each in ((sku, 1, 100), (theirs, 1, 1), (sku, 2, 90), (sku, 1, 80), (uuid4(), 1, None))]
        async with tenant_tx(acme.process.app_pool, acme.tenant_id) as tx:
            with pytest.raises(Unprocessable) as raised:
                await entries.put(tx, on, wanted, actor="test")
            assert await entries.listed(tx, on, limit=9) == []
        assert raised.value.code == "entries_refused"
        assert [each["place"] for each in raised.value.extra["problems"]] == [1, 3, 4]

    async def test_twenty_quantities_of_a_sku_and_no_more(self, acme: Store) -> None:
        sku = await acme.sku()
        on = await listed(acme, *((sku, n, 9000 - n) for n in range(1, entries.TIERS_MAX + 1)))
        async with tenant_tx(acme.process.app_pool, acme.tenant_id) as tx:
            more = [entries.Wanted(decode("sku", sku), 50, 1), entries.Wanted(decode("sku", sku), 1, 8000)]
            with pytest.raises(Unprocessable) as raised:
                await entries.put(tx, decode("prl", on), more, actor="test")
        assert [each["place"] for each in raised.value.extra["problems"]] == [0]
        assert await put(acme, on, (sku, 1, None), (sku, 50, 1)) == {"set": 1, "ended": 1, "unchanged": 0}

    async def test_of_two_at_once_one_is_current(self, acme: Store) -> None:
        sku = await acme.sku()
        on = await listed(acme, (sku, 1, 9000))

        async def reprice(minor: int) -> None:
            async with tenant_tx(acme.process.app_pool, acme.tenant_id) as tx:
                await entries.put(tx, decode("prl", on), [entries.Wanted(decode("sku", sku), 1, minor)], actor="test")

        await asyncio.gather(*(reprice(8000 + n) for n in range(6)))
        found = await versions(acme, sku)
        assert len(found) == 7
        [current] = [each for each in found if each["ended_at"] is None]
        assert (await asked(acme, (sku, 1)))[0].unit_minor == current["unit_minor"]
        ends = {each["ended_at"] for each in found} - {None}
        assert ends == {each["since"] for each in found} - {min(each["since"] for each in found)}

    async def test_no_more_than_a_list_holds(self, acme: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(entries, "ENTRIES_MAX", 2)
        sku = await acme.sku()
        on = await listed(acme, (sku, 1, 9000), (sku, 2, 8000))
        with pytest.raises(Conflict) as raised:
            async with tenant_tx(acme.process.app_pool, acme.tenant_id) as tx:
                await entries.put(tx, decode("prl", on), [entries.Wanted(decode("sku", sku), 3, 1)], actor="test")
        assert raised.value.code == "too_many_entries"
        assert await put(acme, on, (sku, 1, None), (sku, 3, 1)) == {"set": 1, "ended": 1, "unchanged": 0}

    @pytest.mark.parametrize(
        "sql", ["UPDATE price_entry SET unit_minor = 1 WHERE tenant_id = $1", "DELETE FROM price_entry WHERE tenant_id = $1"]
    )
    async def test_nothing_else_can_be_done_to_a_version(self, acme: Store, sql: str) -> None:
        await listed(acme, (await acme.sku(), 1, 9000))
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with tenant_tx(acme.process.app_pool, acme.tenant_id) as tx:
                await tx.conn.execute(sql, tx.tenant_id)


class TestMany:
    """Of everything there is a most, also for those who come at once."""

    async def test_lists(self, acme: Store) -> None:
        async with tenant_tx(acme.process.app_pool, acme.tenant_id) as tx:
            sql = "INSERT INTO price_list (tenant_id, id, name) SELECT $1, gen_random_uuid(), n::text FROM generate_series(1, $2) AS n"
            await tx.conn.execute(sql, tx.tenant_id, lists.LISTS_MAX - 1)

        async def create(name: str) -> str:
            try:
                async with tenant_tx(acme.process.app_pool, acme.tenant_id) as tx:
                    await lists.create(tx, name=name, actor="test")
            except AppError as error:
                return error.code
            return "made"

        assert sorted(await asyncio.gather(*(create(f"last {n}") for n in range(3)))) == ["made", *["too_many_price_lists"] * 2]

    async def test_groups_and_members(self, acme: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(groups, "GROUPS_MAX", 1)
        monkeypatch.setattr(groups, "MEMBERS_MAX", 2)
        gold = decode("grp", await group(acme, uuid4()))

        async def join() -> str:
            try:
                async with tenant_tx(acme.process.app_pool, acme.tenant_id) as tx:
                    await groups.put_member(tx, gold, uuid4(), actor="test")
            except AppError as error:
                return error.code
            return "joined"

        assert sorted(await asyncio.gather(*(join() for _ in range(3)))) == ["joined", *["too_many_members"] * 2]
        with pytest.raises(Conflict) as raised:
            async with tenant_tx(acme.process.app_pool, acme.tenant_id) as tx:
                await groups.create(tx, name="x", kind="level", actor="test")
        assert raised.value.code == "too_many_buyer_groups"
