"""A shopper is erased: not a word of his is left anywhere, his token is refused, the books stay."""

import asyncio
import io
import zipfile
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import httpx
import pytest

from api.process import Process
from checkout_core.errors import Unauthorized
from checkout_core.ids import decode, encode, new_id
from checkout_core.intents import Decision, Intent, SaleKey
from tenants.db import tenant_tx
from tenants.invariants import canaries
from tenants.privacy import archives, duty, erase, registry
from tests.security.world import Browser
from tests.shop import Store
from tests.tenants.privacy.people import Person, buyer, erased, work


@pytest.fixture
async def admin(process: Process) -> AsyncIterator[asyncpg.Connection]:
    conn = await asyncpg.connect(process.settings.database_url)
    yield conn
    await conn.close()


async def everywhere(admin: asyncpg.Connection, words: list[str]) -> set[str]:
    """Tables that hold one of `words`, in any capitals, every column of every table read."""
    tables = await canaries.searched_tables(admin)
    folded = {table: f"lower({text})" for table, text in tables.items()}
    return {found["table"] for found in await canaries.in_postgres(admin, folded, [word.lower() for word in words])}


FOUND_BY = {"order_entry", "search_text"}  # what search knows of orders, once they are indexed


class TestRegistry:
    async def test_every_column_that_can_hold_text_has_its_line(self, admin: asyncpg.Connection) -> None:
        """A new column must say whose data it holds before it can be released."""
        sql = """SELECT table_name || '.' || column_name FROM information_schema.columns
                 WHERE table_schema = 'public' AND (data_type IN ('text', 'bytea', 'jsonb', 'json') OR udt_name = '_text')"""
        assert {row[0] for row in await admin.fetch(sql)} == set(registry.COLUMNS)

    def test_what_is_searched_is_what_the_columns_say(self) -> None:
        said = {name.partition(".")[0] for name, then in registry.COLUMNS.items() if isinstance(then, registry.Search)}
        assert said == set(registry.SEARCHED)

    def test_what_is_erased_has_an_owner(self) -> None:
        said = {name.partition(".")[0] for name, then in registry.COLUMNS.items() if isinstance(then, registry.Erase)}
        assert said == set(registry.OWNED)


class TestErase:
    async def test_nothing_of_him_is_left(
        self, client: httpx.AsyncClient, process: Process, acme: Store, admin: asyncpg.Connection
    ) -> None:
        person = await buyer(acme)
        export = await acme.ask("POST", f"/v1/shoppers/{person.ref}/exports", acme.merchant)
        await work(process, acme, export["id"])
        there = await everywhere(admin, person.words)
        assert there - FOUND_BY == {"orders", "payment_attempt", *registry.SEARCHED}
        request = await erased(process, person)
        assert await everywhere(admin, person.words) == set()
        _, in_redis = await canaries.in_redis(process.settings.redis_url, person.words)
        assert in_redis == []
        told = await acme.ask("GET", f"/v1/data-requests/{request}", acme.merchant)
        assert (told["state"], told["progress"]) == ("done", {"passes": 2, "waiting": 0})
        gone = await client.get(f"/v1/data-requests/{export['id']}/archive", headers=acme.merchant)
        assert (gone.status_code, gone.json()["code"]) == (409, "expired")
        again = await acme.ask("POST", f"/v1/shoppers/{person.ref}/exports", acme.merchant)
        await work(process, acme, again["id"])
        archive = await client.get(f"/v1/data-requests/{again['id']}/archive", headers=acme.merchant)
        with zipfile.ZipFile(io.BytesIO(archive.content)) as files:
            content = b"".join(files.read(name) for name in files.namelist())
        assert not [word for word in person.words if word.encode() in content]
        assert person.order_id.hex.encode() in content.replace(b"-", b""), "the order itself stays"

    async def test_another_shopper_keeps_his(self, process: Process, acme: Store, admin: asyncpg.Connection) -> None:
        one, other = await buyer(acme), await buyer(acme)
        await erased(process, one)
        assert len(await everywhere(admin, other.words) - FOUND_BY) == 2 + len(registry.SEARCHED)

    async def test_another_stores_shopper_of_the_same_contact_keeps_his(
        self, process: Process, acme: Store, globex: Store, admin: asyncpg.Connection
    ) -> None:
        one = await buyer(acme)
        other = await buyer(globex, contact=one.contact)
        await erased(process, one)
        assert len(await everywhere(admin, other.words) - FOUND_BY) == 2 + len(registry.SEARCHED)

    async def test_the_books_and_the_delivery_stay(self, process: Process, acme: Store) -> None:
        person = await buyer(acme)
        before = await acme.ask("GET", "/v1/ledger/balances", acme.merchant)
        await erased(process, person)
        assert await acme.ask("GET", "/v1/ledger/balances", acme.merchant) == before
        order = await acme.ask("GET", f"/v1/orders/{encode('ord', person.order_id)}", acme.merchant)
        assert (order["state"], order["contact"]) == ("delivered", None)

    async def test_it_is_on_record_without_his_words(self, process: Process, acme: Store) -> None:
        person = await buyer(acme)
        await erased(process, person)
        page = await acme.ask("GET", f"/v1/audit?subject={person.ref}", acme.merchant)
        assert [entry["action"] for entry in page["items"]] == ["data.shopper_erasure"]

    async def test_an_order_that_has_not_ended_refuses_it(self, client: httpx.AsyncClient, acme: Store) -> None:
        person = await buyer(acme, delivered=False)
        answer = await client.post(f"/v1/shoppers/{person.ref}/erasure", headers=acme.merchant)
        assert (answer.status_code, answer.json()["code"], answer.json()["orders"]) == (409, "open_orders", 1)
        assert (await client.get("/v1/orders/ord_" + person.order_id.hex, headers=person.headers)).status_code == 200

    async def test_a_foreign_shopper_reads_like_a_missing_one(self, client: httpx.AsyncClient, acme: Store, globex: Store) -> None:
        person = await buyer(acme)
        foreign = await client.post(f"/v1/shoppers/{person.ref}/erasure", headers=globex.merchant)
        missing = await client.post(f"/v1/shoppers/shp_{'0' * 32}/erasure", headers=globex.merchant)
        assert foreign.status_code == missing.status_code == 404
        assert foreign.json() == missing.json()

    async def test_twice_is_once(self, process: Process, acme: Store) -> None:
        person = await buyer(acme)
        asked = [await acme.ask("POST", f"/v1/shoppers/{person.ref}/erasure", acme.merchant) for _ in range(2)]
        assert asked[0]["id"] == asked[1]["id"]
        await work(process, acme, asked[0]["id"], times=4)
        assert (await acme.ask("GET", f"/v1/data-requests/{asked[0]['id']}", acme.merchant))["progress"]["passes"] == 2

    @pytest.mark.parametrize("kind", ["shopper_export", "store_export"])
    async def test_an_archive_that_is_just_being_made_goes_too(
        self, process: Process, acme: Store, admin: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch, kind: str
    ) -> None:
        """It has read his words and is not committed when he is erased; nobody would come back for its parts."""
        person = await buyer(acme)
        path = {"shopper_export": f"/v1/shoppers/{person.ref}/exports", "store_export": "/v1/data-requests/store-exports"}[kind]
        export = await acme.ask("POST", path, acme.merchant)
        reads, erasing = archives.add, []

        async def slow(*args: Any) -> None:
            await reads(*args)
            if not erasing:
                erasing.append(asyncio.create_task(erased(process, person)))
                await asyncio.sleep(0.2)  # it comes as far as it can

        with monkeypatch.context() as patched:
            patched.setattr(archives, "add", slow)
            await work(process, acme, export["id"])
        await erasing[0]
        sql = "SELECT count(*) FROM data_part WHERE tenant_id = $1 AND request_id = $2"
        assert await admin.fetchval(sql, acme.tenant_id, decode("dat", export["id"])) == 0

    @pytest.mark.parametrize("step", ["_search", "_remove_archives", "_erase"])
    async def test_a_crash_at_any_step_is_made_good(
        self, process: Process, acme: Store, admin: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch, step: str
    ) -> None:
        person = await buyer(acme)
        asked = await acme.ask("POST", f"/v1/shoppers/{person.ref}/erasure", acme.merchant)
        whole, calls = getattr(erase, step), 0

        async def dies(*args: object) -> object:
            nonlocal calls
            calls += 1
            if calls == 2 or step == "_remove_archives":
                raise KeyboardInterrupt
            return await whole(*args)

        with monkeypatch.context() as patched:
            patched.setattr(erase, step, dies)
            with pytest.raises(KeyboardInterrupt):
                await work(process, acme, asked["id"])
        assert await everywhere(admin, person.words) != set()
        await work(process, acme, asked["id"], times=2)
        assert await everywhere(admin, person.words) == set()

    async def test_what_is_still_to_be_sent_is_come_back_for(self, process: Process, acme: Store, admin: asyncpg.Connection) -> None:
        person = await buyer(acme)
        sql = "UPDATE outbox SET next_try_at = now() + interval '1 day' WHERE tenant_id = $1 AND topic = 'mail'"
        await admin.execute(sql, acme.tenant_id)
        request = await erased(process, person)
        told = await acme.ask("GET", f"/v1/data-requests/{request}", acme.merchant)
        assert (told["state"], told["progress"]["waiting"]) == ("running", 1)
        await admin.execute("UPDATE outbox SET next_try_at = NULL WHERE tenant_id = $1", acme.tenant_id)
        await work(process, acme, request)
        assert await everywhere(admin, person.words) == set()
        assert (await acme.ask("GET", f"/v1/data-requests/{request}", acme.merchant))["state"] == "done"

    async def test_an_order_of_that_very_moment_is_come_back_for(self, process: Process, acme: Store, admin: asyncpg.Connection) -> None:
        """It was on its way to its commit while he was erased."""
        person = await buyer(acme)
        asked = await acme.ask("POST", f"/v1/shoppers/{person.ref}/erasure", acme.merchant)
        await work(process, acme, asked["id"])
        await admin.execute(
            "UPDATE orders SET contact = $2 WHERE tenant_id = $1 AND id = $3", acme.tenant_id, person.contact, person.order_id
        )
        await work(process, acme, asked["id"])
        assert await everywhere(admin, person.words) == set()

    async def test_a_short_contact_takes_no_other_row_with_it(self, process: Process, acme: Store, admin: asyncpg.Connection) -> None:
        person = await buyer(acme, contact="a12")
        other = await buyer(acme, contact=f"a12a12-{person.order_id.hex}")
        await erased(process, person)
        assert len(await everywhere(admin, [other.contact]) - FOUND_BY) == 8
        sql = "SELECT count(*) FROM outbox WHERE tenant_id = $1 AND payload->>'to' = 'a12'"
        assert await admin.fetchval(sql, acme.tenant_id) == 0

    async def test_without_the_search_his_words_stay(
        self, process: Process, acme: Store, admin: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The twin: were free text not searched, the canaries would be found."""
        monkeypatch.setattr(erase, "SEARCHED", {})
        person = await buyer(acme)
        await erased(process, person)
        assert await everywhere(admin, person.words) == set(registry.SEARCHED)


class TestToken:
    async def test_is_refused_everywhere(self, client: httpx.AsyncClient, process: Process, acme: Store) -> None:
        person = await buyer(acme)
        await erased(process, person)
        await process.erased.look()
        order = encode("ord", person.order_id)
        for method, path in (("GET", f"/v1/orders/{order}"), ("GET", f"/v1/orders/{order}/codes"), ("POST", f"/v1/orders/{order}/cancel")):
            answer = await client.request(method, path, headers=person.headers)
            assert (answer.status_code, answer.json()["code"]) == (401, "erased"), path
        body = {"sale_id": await acme.sale(), "quantity": 1}
        answer = await client.post("/v1/checkouts", json=body, headers=person.headers | {"Idempotency-Key": "k"})
        assert answer.status_code == 401

    async def test_at_the_commit_even_if_the_gate_remembers_it(self, process: Process, acme: Store) -> None:
        """The hot route verifies a token once and remembers it: the wish goes no further than the door."""
        person = await buyer(acme)
        await erased(process, person)
        await process.erased.look()
        sale = SaleKey(acme.tenant_id, decode("sal", await acme.sale()))
        intents = [
            Intent(new_id(), new_id(), who, 1, bytes(16), None, None, None, "api") for who in (new_id(), person.shopper_id, new_id())
        ]
        answers = await process.doors.decide(sale, intents)
        settled = [await answer if isinstance(answer, asyncio.Future) else answer for answer in answers]
        assert [type(answer) for answer in settled] == [Decision, Unauthorized, Decision]

    async def test_a_browser_of_his_becomes_somebody_else(self, client: httpx.AsyncClient, process: Process, acme: Store) -> None:
        sale = await acme.sale()
        browser = Browser.of(process, acme.at)
        fields = browser.fields | {"key": "k" * 20, "quantity": "1", "contact": "x@example.org"}
        first = await client.post(f"/sales/{sale}/buy", headers=browser.headers, data=fields)
        order = first.headers["location"].rpartition("/")[2]
        async with tenant_tx(process.app_pool, acme.tenant_id) as tx:
            sql = "SELECT shopper_id FROM orders WHERE tenant_id = $1 AND id = $2"
            shopper_id = await tx.conn.fetchval(sql, acme.tenant_id, decode("ord", order))
        await acme.ask("POST", f"/v1/orders/{order}/cancel", acme.merchant)
        await erased(process, Person(acme, {}, shopper_id, decode("ord", order), "", []))
        await process.erased.look()
        again = await client.post(f"/sales/{sale}/buy", headers=browser.headers, data=fields)
        assert (again.status_code, again.headers["location"] != first.headers["location"]) == (303, True)


def test_the_duty_knows_every_kind() -> None:
    assert set(duty.WAYS) == {"shopper_export", "shopper_erasure", "store_export", "order_export"}
