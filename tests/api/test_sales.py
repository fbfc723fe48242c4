"""Sales: allotment, the fence, and what shoppers and merchants see of them."""

import asyncio
import datetime as dt
from uuid import uuid4

import httpx
import pytest

from api.process import Process
from checkout_core.ids import decode
from tenants import sales
from tenants.db import tenant_tx
from tests.shop import Store


def in_seconds(seconds: float) -> str:
    return (dt.datetime.now(dt.UTC) + dt.timedelta(seconds=seconds)).isoformat()


async def mark(process: Process, store: Store, sale: str) -> tuple[int, list[int]]:
    """The sale's low-water mark, and the ids of its available units."""
    async with tenant_tx(process.app_pool, store.tenant_id) as tx:
        last_unit = await tx.conn.fetchval("SELECT last_unit FROM sale WHERE tenant_id = $1 AND id = $2", tx.tenant_id, decode("sal", sale))
        sql = "SELECT id FROM unit WHERE tenant_id = $1 AND sale_id = $2 AND state = 'available' ORDER BY rank"
        return last_unit, [row[0] for row in await tx.conn.fetch(sql, tx.tenant_id, decode("sal", sale))]


async def announced(process: Process, store: Store) -> list[str]:
    """The events of the store's sales, oldest first."""
    async with tenant_tx(process.app_pool, store.tenant_id) as tx:
        sql = "SELECT payload ->> 'state' FROM outbox WHERE tenant_id = $1 AND topic = 'sale.changed' ORDER BY id"
        return [row[0] for row in await tx.conn.fetch(sql, tx.tenant_id)]


class TestCreate:
    async def test_anonymous(self, client: httpx.AsyncClient) -> None:
        assert (await client.post("/v1/sales", json={})).status_code == 401

    async def test_another_tenants_sku_is_not_found(self, client: httpx.AsyncClient, acme: Store, globex: Store) -> None:
        body = {"sku_id": await acme.sku(units=1), "name": "x", "units": 1, "limit_per_shopper": 0}
        assert (await client.post("/v1/sales", json=body, headers=globex.merchant)).status_code == 404

    async def test_takes_price_and_currency_from_the_sku(self, acme: Store) -> None:
        sale = await acme.ask("GET", f"/v1/sales/{await acme.sale()}", acme.merchant)
        assert (sale["price_minor"], sale["currency"], sale["allotted"], sale["committed"]) == (9900, "CNY", 3, 0)
        assert (sale["state"], sale["hold_s"], sale["epoch"]) == ("open", 900, 1)

    async def test_all_there_is(self, acme: Store) -> None:
        sale = await acme.sale(units="all", sku_id=await acme.sku(units=7))  # type: ignore[arg-type]
        assert (await acme.ask("GET", f"/v1/sales/{sale}", acme.merchant))["allotted"] == 7

    async def test_the_first_loaded_first_and_the_mark_below_them(self, acme: Store, process: Process) -> None:
        sku = await acme.sku()
        first, second = await acme.load(sku, 3), await acme.load(sku, 3)
        last_unit, units = await mark(process, acme, await acme.sale(units=4, sku_id=sku))
        assert units == [*first, second[0]]
        assert last_unit == first[0] - 1

    async def test_units_of_an_import_under_way_are_not_there_yet(self, client: httpx.AsyncClient, acme: Store) -> None:
        sku = await acme.sku()
        await acme.load(sku, 5, state="loading")
        body = {"sku_id": sku, "name": "x", "units": "all", "limit_per_shopper": 0}
        response = await client.post("/v1/sales", json=body, headers=acme.merchant)
        assert (response.status_code, response.json()["code"], response.json()["available"]) == (409, "not_enough_stock", 0)

    async def test_too_few_leaves_nothing_behind(self, client: httpx.AsyncClient, acme: Store) -> None:
        sku = await acme.sku(units=2)
        body = {"sku_id": sku, "name": "x", "units": 3, "limit_per_shopper": 0}
        assert (await client.post("/v1/sales", json=body, headers=acme.merchant)).json()["available"] == 2
        assert (await acme.ask("GET", f"/v1/skus/{sku}", acme.merchant))["stock"]["unallotted"] == 2

    async def test_parallel_sales_never_share_a_unit(self, client: httpx.AsyncClient, acme: Store, process: Process) -> None:
        sku = await acme.sku(units=10)
        body = {"sku_id": sku, "name": "x", "units": 4, "limit_per_shopper": 0}
        answers = await asyncio.gather(*(client.post("/v1/sales", json=body, headers=acme.merchant) for _ in range(5)))
        assert sorted(answer.status_code for answer in answers) == [201, 201, 409, 409, 409]
        opened = [answer.json()["id"] for answer in answers if answer.status_code == 201]
        allotted = [unit for sale in opened for unit in (await mark(process, acme, sale))[1]]
        assert len(allotted) == len(set(allotted)) == 8

    async def test_more_than_one_chunk(self, acme: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sales, "CHUNK", 3)
        sku = await acme.sku(units=8)
        sale = await acme.sale(units=7, sku_id=sku)
        assert (await acme.ask("GET", f"/v1/sales/{sale}", acme.merchant))["allotted"] == 7
        ended = await acme.ask("POST", f"/v1/sales/{sale}/end", acme.merchant)
        assert ended["allotted"] == 0
        assert (await acme.ask("GET", f"/v1/skus/{sku}", acme.merchant))["stock"]["unallotted"] == 8

    @pytest.mark.parametrize(
        "wrong",
        [
            {"units": 0}, {"units": "some"}, {"units": "1"}, {"units": 1.0}, {"units": None}, {"units": 10**30}, {"limit_per_shopper": -1},
            {"limit_per_shopper": 1001}, {"hold_s": 1}, {"hold_s": 86_401}, {"starts_at": "2030-01-01T00:00:00"}, {"starts_at": 1},
            {"starts_at": "tomorrow"}, {"name": ""}, {"price_minor": 0}, {"door": "window"}, {"epoch": 7}, {"sku_id": "sku_x"},
        ],
    )  # fmt: skip
    async def test_bad_input(self, client: httpx.AsyncClient, acme: Store, wrong: dict[str, object]) -> None:
        body = {"sku_id": f"sku_{'0' * 32}", "name": "x", "units": 1, "limit_per_shopper": 0}
        assert (await client.post("/v1/sales", json=body | wrong, headers=acme.merchant)).status_code == 400

    @pytest.mark.parametrize("ends_s", [-5, 50])
    async def test_an_end_before_the_start_is_refused(self, client: httpx.AsyncClient, acme: Store, ends_s: float) -> None:
        body = {"sku_id": await acme.sku(units=1), "name": "x", "units": 1, "limit_per_shopper": 0}
        times = {"starts_at": in_seconds(100), "ends_at": in_seconds(ends_s)}
        response = await client.post("/v1/sales", json=body | times, headers=acme.merchant)
        assert (response.status_code, response.json()["code"]) == (422, "ends_too_early")


class TestTurn:
    @pytest.mark.parametrize("action", ["pause", "resume", "end"])
    async def test_another_tenants_sale_is_not_found(self, client: httpx.AsyncClient, acme: Store, globex: Store, action: str) -> None:
        foreign = await client.post(f"/v1/sales/{await acme.sale()}/{action}", headers=globex.merchant)
        missing = await client.post(f"/v1/sales/sal_{'0' * 32}/{action}", headers=globex.merchant)
        assert foreign.status_code == missing.status_code == 404
        assert foreign.content == missing.content

    async def test_pause_and_resume_move_the_fence_once_each(self, client: httpx.AsyncClient, acme: Store, process: Process) -> None:
        sale = await acme.sale()
        seen = [(s["state"], s["epoch"]) for s in [
            await acme.ask("POST", f"/v1/sales/{sale}/{action}", acme.merchant) for action in ("pause", "pause", "resume", "resume")
        ]]  # fmt: skip
        assert seen == [("paused", 2), ("paused", 2), ("open", 3), ("open", 3)]
        assert await announced(process, acme) == ["open", "paused", "open"]

    async def test_a_paused_sale_sells_nothing(self, client: httpx.AsyncClient, acme: Store) -> None:
        sale, guest = await acme.sale(), await acme.guest()
        await acme.ask("POST", f"/v1/sales/{sale}/pause", acme.merchant)
        wish = {"sale_id": sale, "quantity": 1}
        response = await client.post("/v1/checkouts", json=wish, headers=guest | {"Idempotency-Key": "a"})
        assert (response.status_code, response.json()["code"]) == (409, "paused")
        await acme.ask("POST", f"/v1/sales/{sale}/resume", acme.merchant)
        assert (await client.post("/v1/checkouts", json=wish, headers=guest | {"Idempotency-Key": "a"})).status_code == 201

    async def test_the_end_is_final_and_returns_what_nobody_holds(self, client: httpx.AsyncClient, acme: Store) -> None:
        sku = await acme.sku(units=3)
        sale, guest = await acme.sale(units=3, sku_id=sku), await acme.guest()
        order = await acme.order(guest, sale)
        ended = await acme.ask("POST", f"/v1/sales/{sale}/end", acme.merchant)
        assert (ended["state"], ended["allotted"], ended["committed"]) == ("ended", 1, 1)
        assert await acme.ask("POST", f"/v1/sales/{sale}/end", acme.merchant) == ended
        assert (await client.post(f"/v1/sales/{sale}/resume", headers=acme.merchant)).json()["code"] == "ended"
        await acme.ask("POST", f"/v1/orders/{order}/cancel", guest)
        stock = (await acme.ask("GET", f"/v1/skus/{sku}", acme.merchant))["stock"]
        assert (stock["available"], stock["unallotted"], stock["held"]) == (3, 3, 0)


class TestStock:
    async def test_another_tenants_sale_is_not_found(self, client: httpx.AsyncClient, acme: Store, globex: Store) -> None:
        response = await client.post(f"/v1/sales/{await acme.sale()}/stock", json={"add": 1}, headers=globex.merchant)
        assert response.status_code == 404

    async def test_added_units_are_sold_though_the_mark_had_passed_them(self, acme: Store, process: Process) -> None:
        """The loose units lie below those sold already: the mark goes back for them."""
        sku = await acme.sku(units=4)
        low = await acme.sale(units=2, sku_id=sku)
        high = await acme.sale(units=2, sku_id=sku)
        guest = await acme.guest()
        await acme.order(guest, high, quantity=2)
        await acme.ask("POST", f"/v1/sales/{low}/end", acme.merchant)
        changed = await acme.ask("POST", f"/v1/sales/{high}/stock", acme.merchant, {"add": "all"})
        assert (changed["allotted"], changed["committed"], changed["epoch"]) == (4, 2, 2)
        last_unit, units = await mark(process, acme, high)
        assert last_unit < units[0]
        await acme.order(guest, high, quantity=2)

    async def test_withdrawn_units_are_loose_again(self, client: httpx.AsyncClient, acme: Store, process: Process) -> None:
        sku = await acme.sku(units=5)
        sale = await acme.sale(units=5, sku_id=sku)
        before = (await mark(process, acme, sale))[1]
        changed = await acme.ask("POST", f"/v1/sales/{sale}/stock", acme.merchant, {"withdraw": 2})
        assert (changed["allotted"], changed["epoch"]) == (3, 2)
        assert (await mark(process, acme, sale))[1] == before[:3]
        refused = await client.post(f"/v1/sales/{sale}/stock", json={"withdraw": 4}, headers=acme.merchant)
        assert (refused.status_code, refused.json()["available"]) == (409, 3)
        assert (await acme.ask("GET", f"/v1/sales/{sale}", acme.merchant))["allotted"] == 3

    @pytest.mark.parametrize(
        ("change", "status"), [({}, 422), ({"add": 1, "withdraw": 1}, 422), ({"add": 0}, 400), ({"withdraw": "all"}, 400)]
    )
    async def test_bad_input(self, client: httpx.AsyncClient, acme: Store, change: dict[str, object], status: int) -> None:
        response = await client.post(f"/v1/sales/{await acme.sale()}/stock", json=change, headers=acme.merchant)
        assert response.status_code == status

    async def test_stock_moves_between_sales_while_shoppers_buy(self, client: httpx.AsyncClient, acme: Store) -> None:
        """Commits, restocking and withdrawals at once: the books agree at the end."""
        sku = await acme.sku(units=40)
        one, two = await acme.sale(units=20, sku_id=sku), await acme.sale(units=20, sku_id=sku)
        guests = [await acme.guest() for _ in range(20)]

        async def buy(n: int) -> int:
            wish = {"sale_id": one if n % 2 else two, "quantity": 1}
            return (await client.post("/v1/checkouts", json=wish, headers=guests[n] | {"Idempotency-Key": "k"})).status_code

        async def move(sale: str, change: dict[str, int]) -> int:
            return (await client.post(f"/v1/sales/{sale}/stock", json=change, headers=acme.merchant)).status_code

        moves = [move(sale, change) for sale in (one, two) for change in ({"withdraw": 3}, {"add": 2}, {"withdraw": 1}, {"add": 2})]
        statuses = await asyncio.gather(*(buy(n) for n in range(20)), *moves)
        assert set(statuses[:20]) == {201}
        assert set(statuses[20:]) <= {200, 409}
        after = [await acme.ask("GET", f"/v1/sales/{sale}", acme.merchant) for sale in (one, two)]
        stock = (await acme.ask("GET", f"/v1/skus/{sku}", acme.merchant))["stock"]
        assert sum(sale["committed"] for sale in after) == stock["held"] == 20
        assert sum(sale["allotted"] for sale in after) + stock["unallotted"] == 40


class TestAudit:
    async def test_says_who_did_what_to_which_sale(self, acme: Store, process: Process) -> None:
        sale = await acme.sale(units=3)
        for action in ("pause", "resume", "end"):
            await acme.ask("POST", f"/v1/sales/{sale}/{action}", acme.merchant)
        async with tenant_tx(process.app_pool, acme.tenant_id) as tx:
            sql = "SELECT actor, action FROM audit WHERE tenant_id = $1 AND subject = $2 ORDER BY id"
            rows = await tx.conn.fetch(sql, tx.tenant_id, sale)
        assert [row["action"] for row in rows] == ["sale.created", "sale.paused", "sale.resumed", "sale.ended"]
        assert {row["actor"][:4] for row in rows} == {"key_"}


class TestLimit:
    async def test_what_was_bought_before_there_was_a_limit_counts(self, client: httpx.AsyncClient, acme: Store) -> None:
        sale, guest = await acme.sale(units=9), await acme.guest()
        for _ in range(2):
            await acme.order(guest, sale)
        await acme.ask("POST", f"/v1/sales/{sale}/limit", acme.merchant, {"limit_per_shopper": 2})
        assert await self.told(client, guest, sale) == (409, "limit")
        assert await self.told(client, await acme.guest(), sale) == (201, None)

    async def test_what_is_held_above_a_lower_limit_counts(self, client: httpx.AsyncClient, acme: Store) -> None:
        sale, guest = await acme.sale(units=9, limit_per_shopper=4), await acme.guest()
        orders = [await acme.order(guest, sale) for _ in range(4)]
        await acme.ask("POST", f"/v1/orders/{orders[0]}/cancel", guest)
        await acme.ask("POST", f"/v1/sales/{sale}/limit", acme.merchant, {"limit_per_shopper": 3})
        assert await self.told(client, guest, sale) == (409, "limit")
        await acme.ask("POST", f"/v1/orders/{orders[3]}/cancel", guest)
        assert await self.told(client, guest, sale) == (201, None)

    @staticmethod
    async def told(client: httpx.AsyncClient, shopper: dict[str, str], sale: str) -> tuple[int, str | None]:
        headers = shopper | {"Idempotency-Key": uuid4().hex}
        response = await client.post("/v1/checkouts", json={"sale_id": sale, "quantity": 1}, headers=headers)
        return response.status_code, response.json().get("code")
