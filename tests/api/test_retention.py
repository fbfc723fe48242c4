"""How long a store keeps things, for all stores at once; and how a store leaves, for good and alone."""

from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import httpx
import pytest

from api.process import Process
from checkout_core.ids import decode
from tenants import hosts
from tenants.audit import anchors, chain
from tenants.audit.anchors import Folder, Signer
from tenants.audit.verify import verify
from tenants.db import Pool, create_pool, dsn_for
from tenants.invariants.run import snapshot
from tenants.privacy import leaving, registry, retention
from tenants.privacy.leaving import Hands
from tests.security.world import session
from tests.shop import PASSWORD, Store
from tests.tenants.privacy.people import buyer
from tests.tenants.privacy.test_erase import everywhere


@pytest.fixture
async def admin(process: Process) -> AsyncIterator[asyncpg.Connection]:
    conn = await asyncpg.connect(process.settings.database_url)
    yield conn
    await conn.close()


@pytest.fixture
async def sweeping(process: Process) -> AsyncIterator[Pool]:
    async with await create_pool(dsn_for(process.settings, "tessera_retention"), size=1) as pool:
        yield pool


async def aged(admin: asyncpg.Connection, store: Store, days: int) -> None:
    """All that was written of the store was written so many days ago."""
    for table in ("orders", "outbox", "mail", "idempotent_reply", "payment_inbox"):
        column = "received_at" if table == "payment_inbox" else "created_at"
        await admin.execute(f"UPDATE {table} SET {column} = now() - $2 * interval '1 day' WHERE tenant_id = $1", store.tenant_id, days)
    await admin.execute("UPDATE outbox SET next_try_at = NULL WHERE tenant_id = $1", store.tenant_id)
    await admin.execute("UPDATE mail SET next_try_at = NULL, content = '{}' WHERE tenant_id = $1", store.tenant_id)


class TestRules:
    async def test_without_permission(self, client: httpx.AsyncClient, acme: Store) -> None:
        assert (await client.get("/v1/retention")).status_code == 401
        reader = await acme.key_with("store:read")
        assert (await client.put("/v1/retention", json={}, headers=reader)).status_code == 403

    async def test_are_the_usual_until_they_are_changed(self, client: httpx.AsyncClient, acme: Store, globex: Store) -> None:
        usual = await acme.ask("GET", "/v1/retention", acme.merchant)
        changed = await acme.ask("PUT", "/v1/retention", acme.merchant, {"contact_days": 60})
        assert changed == usual | {"contact_days": 60} == await acme.ask("GET", "/v1/retention", acme.merchant)
        assert await globex.ask("GET", "/v1/retention", globex.merchant) == usual

    @pytest.mark.parametrize("wrong", [{"contact_days": 29}, {"contact_days": 3651}, {"reply_days": 0}, {"notice_days": 1}, {"x": 1}])
    async def test_have_bounds(self, client: httpx.AsyncClient, acme: Store, wrong: dict[str, int]) -> None:
        assert (await client.put("/v1/retention", json=wrong, headers=acme.merchant)).status_code == 400


class TestSweep:
    async def test_each_stores_own_rules_in_one_statement_a_table(
        self, acme: Store, globex: Store, admin: asyncpg.Connection, sweeping: Pool
    ) -> None:
        await acme.ask("PUT", "/v1/retention", acme.merchant, {"contact_days": 60, "reply_days": 7, "event_days": 7, "notice_days": 60})
        mine, other = await buyer(acme), await buyer(globex)
        await aged(admin, acme, 61)
        await aged(admin, globex, 61)
        await retention.sweep(sweeping)
        webhooks = {"webhook_event", "webhook_attempt"}  # forgotten after 30 days by a duty of their own
        waits = {"sale_reminder"}  # for a sale, and goes with it at the latest
        assert await everywhere(admin, mine.words) == {"payment_attempt", "exception_case"} | webhooks | waits
        # By the usual rules answers and events go after 30 days, contacts and notices stay longer.
        assert await everywhere(admin, other.words) == {"orders", "payment_attempt", "payment_inbox", "exception_case"} | webhooks | waits

    async def test_what_is_young_or_not_finished_stays(self, acme: Store, admin: asyncpg.Connection, sweeping: Pool) -> None:
        await acme.ask("PUT", "/v1/retention", acme.merchant, {"contact_days": 30, "reply_days": 1, "event_days": 1, "notice_days": 30})
        young, unfinished = await buyer(acme), await buyer(acme, delivered=False)
        before = await everywhere(admin, young.words)
        await retention.sweep(sweeping)
        assert await everywhere(admin, young.words) == before
        await aged(admin, acme, 900)
        await retention.sweep(sweeping)
        assert "orders" in await everywhere(admin, unfinished.words)
        assert "orders" not in await everywhere(admin, young.words)

    async def test_the_database_itself_holds_the_least_times(self, acme: Store, admin: asyncpg.Connection, sweeping: Pool) -> None:
        """Whatever statement the role sends: it sees nothing young, and can write nothing but emptiness."""
        person = await buyer(acme)
        assert await sweeping.execute("DELETE FROM idempotent_reply WHERE tenant_id = $1", acme.tenant_id) == "DELETE 0"
        assert await sweeping.execute("DELETE FROM orders WHERE tenant_id = $1", acme.tenant_id) == "DELETE 0"
        await aged(admin, acme, 61)
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await sweeping.execute("UPDATE orders SET contact = 'x' WHERE tenant_id = $1", acme.tenant_id)
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await sweeping.execute("UPDATE orders SET state = 'refunded' WHERE tenant_id = $1", acme.tenant_id)
        assert await sweeping.execute("DELETE FROM orders WHERE tenant_id = $1", acme.tenant_id) == "DELETE 0"
        assert person.order_id


@pytest.fixture
async def hands(process: Process, sweeping: Pool, tmp_path: Path) -> Hands:
    return Hands(process.app_pool, process.platform_pool, sweeping, Signer(process.settings.secret), Folder(tmp_path))


async def owner(store: Store) -> dict[str, str]:
    return {"Authorization": f"Bearer {await session(store)}"}


async def goodbye(client: httpx.AsyncClient, store: Store, **changes: str) -> httpx.Response:
    return await client.post("/v1/off-boarding", json={"password": store.password} | changes, headers=await owner(store))


async def all_ended(store: Store, admin: asyncpg.Connection) -> None:
    for (sale,) in await admin.fetch("SELECT id FROM sale WHERE tenant_id = $1", store.tenant_id):
        await store.ask("POST", f"/v1/sales/sal_{sale.hex}/end", store.merchant)


async def rows_left(admin: asyncpg.Connection, store: Store) -> dict[str, int]:
    """Tables that hold a row of the tenant, of every table that has tenants."""
    sql = """SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id'
             WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')"""
    counts = {
        table: await admin.fetchval(f"SELECT count(*) FROM {table} WHERE tenant_id = $1", store.tenant_id)
        for (table,) in await admin.fetch(sql)
    }
    return {table: count for table, count in counts.items() if count}


class TestLeaving:
    async def test_a_program_may_not(self, client: httpx.AsyncClient, acme: Store) -> None:
        answer = await client.post("/v1/off-boarding", json={"password": acme.password}, headers=acme.merchant)
        assert (answer.status_code, answer.json()["code"]) == (403, "owner_only")

    async def test_a_manager_may_not(self, client: httpx.AsyncClient, acme: Store) -> None:
        manager = await acme.session(await acme.employ("manager"))
        answer = await client.post("/v1/off-boarding", json={"password": PASSWORD}, headers=manager)
        assert (answer.status_code, answer.json()["code"]) == (403, "owner_only")

    async def test_another_owner_may(self, client: httpx.AsyncClient, acme: Store, admin: asyncpg.Connection) -> None:
        partner = await acme.session(await acme.employ("owner"))
        answer = await client.post("/v1/off-boarding", json={"password": PASSWORD}, headers=partner)
        assert answer.status_code == 202, answer.text
        await admin.execute("UPDATE off_boarding SET state = 'cancelled' WHERE tenant_id = $1", acme.tenant_id)

    async def test_a_wrong_password(self, client: httpx.AsyncClient, acme: Store) -> None:
        answer = await goodbye(client, acme, password="wrong")
        assert (answer.status_code, answer.json()["code"]) == (403, "wrong_password")
        assert (await client.get("/v1/off-boarding", headers=acme.merchant)).status_code == 404

    async def test_not_while_something_is_open(self, client: httpx.AsyncClient, acme: Store, admin: asyncpg.Connection) -> None:
        person = await buyer(acme, delivered=False)
        assert (await goodbye(client, acme)).json()["code"] == "open_sales"
        await all_ended(acme, admin)
        refused = await goodbye(client, acme)
        assert (refused.status_code, refused.json()["code"], refused.json()["orders"]) == (409, "open_orders", 1)
        assert person.order_id
        assert (await client.get("/v1/storefront", headers=acme.at)).status_code == 200

    async def test_the_store_is_closed_at_once_and_opens_when_its_owner_stays(
        self, client: httpx.AsyncClient, process: Process, acme: Store
    ) -> None:
        asked = await goodbye(client, acme)
        assert (asked.status_code, asked.json()["state"]) == (202, "asked")
        assert await leaving_store(process, acme) is None
        stays = await client.delete("/v1/off-boarding", headers=acme.merchant)
        assert stays.json()["state"] == "cancelled"
        assert await leaving_store(process, acme) is not None
        page = await acme.ask("GET", "/v1/audit?limit=2", acme.merchant)
        assert [entry["action"] for entry in page["items"]] == ["store.stays", "store.leaving"]

    async def test_asked_twice_the_first_time_counts(self, client: httpx.AsyncClient, acme: Store) -> None:
        first, again = await goodbye(client, acme), await goodbye(client, acme)
        assert first.json() == again.json()

    async def test_nothing_is_deleted_within_the_grace(
        self, client: httpx.AsyncClient, acme: Store, admin: asyncpg.Connection, hands: Hands
    ) -> None:
        await goodbye(client, acme)
        before = await rows_left(admin, acme)
        await leaving.carry_out(hands)
        assert await rows_left(admin, acme) == before
        assert await hands.retention.execute("DELETE FROM store WHERE tenant_id = $1", acme.tenant_id) == "DELETE 0"

    async def test_then_all_of_it_goes_and_of_nobody_else(
        self,
        client: httpx.AsyncClient,
        process: Process,
        acme: Store,
        globex: Store,
        admin: asyncpg.Connection,
        hands: Hands,
        tmp_path: Path,
    ) -> None:
        mine, other = await buyer(acme), await buyer(globex)
        await all_ended(acme, admin)
        assert (await goodbye(client, acme)).status_code == 202
        await chain.link(process.app_pool, acme.tenant_id)
        await anchors.anchor(process.platform_pool, hands.signer, hands.sink)
        others = await rows_left(admin, globex)
        await admin.execute("UPDATE off_boarding SET delete_at = now() WHERE tenant_id = $1", acme.tenant_id)
        assert await leaving.carry_out(hands) == 1
        assert set(await rows_left(admin, acme)) == {"off_boarding", "store_host"}
        assert await everywhere(admin, [*mine.words, acme.mail]) == set()
        assert await rows_left(admin, globex) == others
        assert len(await everywhere(admin, other.words)) == 2 + len(registry.SEARCHED)
        assert (await client.post("/v1/sessions", json={"mail": acme.mail, "password": acme.password})).status_code == 401
        kept = anchors.read(tmp_path, hands.signer.public)
        assert acme.tenant_id in kept.closed
        async with snapshot(admin):
            assert (await verify(admin, tenant_id=acme.tenant_id, kept=kept)).faults == []

    async def test_people_who_work_elsewhere_stay_and_the_sandbox_goes(
        self, client: httpx.AsyncClient, acme: Store, globex: Store, admin: asyncpg.Connection, hands: Hands
    ) -> None:
        sandbox = decode("ten", (await acme.ask("POST", "/v1/sandbox", acme.merchant))["tenant_id"])
        leaves, stays = await acme.employ("support"), await acme.employ("support")
        await globex.employ("support", stays)
        here, there = await acme.session(stays), await globex.session(stays)
        gone = await acme.session(leaves)
        await goodbye(client, acme)
        await admin.execute("UPDATE off_boarding SET delete_at = now() WHERE tenant_id = $1", acme.tenant_id)
        assert await leaving.carry_out(hands) == 2
        assert await everywhere(admin, [leaves.mail, acme.mail]) == set()
        assert await everywhere(admin, [stays.mail]) == {"merchant_user"}
        acme.asked_anew(here, there, gone)
        told = [(await client.get("/v1/profile", headers=headers)).status_code for headers in (here, there, gone)]
        assert told == [401, 200, 401]
        sql = "SELECT state FROM off_boarding WHERE tenant_id = ANY($1)"
        assert {row[0] for row in await admin.fetch(sql, [acme.tenant_id, sandbox])} == {"deleted"}
        assert not await admin.fetchval("SELECT 1 FROM store WHERE tenant_id = $1", sandbox)
        await admin.execute("UPDATE off_boarding SET deleted_at = now() - interval '91 days' WHERE state = 'deleted'")
        for _ in range(2):  # the sandbox's name first
            await leaving.carry_out(hands)
        assert not await admin.fetchval("SELECT 1 FROM tenant WHERE id = ANY($1)", [acme.tenant_id, sandbox])

    async def test_a_crash_in_the_middle_is_gone_on_with(
        self, client: httpx.AsyncClient, acme: Store, admin: asyncpg.Connection, hands: Hands, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await buyer(acme)
        await all_ended(acme, admin)
        await goodbye(client, acme)
        await admin.execute("UPDATE off_boarding SET delete_at = now() WHERE tenant_id = $1", acme.tenant_id)
        some, calls = leaving._delete_some, 0

        async def dies(*args: object) -> int:
            nonlocal calls
            calls += 1
            if calls % 7 == 0:
                raise KeyboardInterrupt
            return await some(*args)  # type: ignore[arg-type]

        monkeypatch.setattr(leaving, "_delete_some", dies)
        for _ in range(3):
            with pytest.raises(KeyboardInterrupt):
                await leaving.carry_out(hands)
        monkeypatch.undo()
        assert await leaving.carry_out(hands) == 1
        assert set(await rows_left(admin, acme)) == {"off_boarding", "store_host"}

    async def test_the_name_is_nobodys_for_a_while(
        self, client: httpx.AsyncClient, process: Process, acme: Store, admin: asyncpg.Connection, hands: Hands
    ) -> None:
        await goodbye(client, acme)
        await admin.execute("UPDATE off_boarding SET delete_at = now() WHERE tenant_id = $1", acme.tenant_id)
        await leaving.carry_out(hands)
        new = {"store": "Another", "slug": acme.slug, "mail": f"other-{acme.mail}"}
        assert (await client.post("/v1/merchants", json=new)).status_code == 409
        await admin.execute("UPDATE off_boarding SET deleted_at = now() - interval '91 days' WHERE tenant_id = $1", acme.tenant_id)
        await leaving.carry_out(hands)
        assert (await client.post("/v1/merchants", json=new)).status_code == 202
        assert set(await rows_left(admin, acme)) == {"off_boarding"}

    async def test_too_late_to_stay(self, client: httpx.AsyncClient, acme: Store, admin: asyncpg.Connection) -> None:
        await goodbye(client, acme)
        await admin.execute("UPDATE off_boarding SET state = 'deleting' WHERE tenant_id = $1", acme.tenant_id)
        answer = await client.delete("/v1/off-boarding", headers=acme.merchant)
        assert (answer.status_code, answer.json()["code"]) == (409, "too_late")
        await admin.execute("UPDATE off_boarding SET state = 'cancelled' WHERE tenant_id = $1", acme.tenant_id)

    async def test_every_table_of_tenants_lets_go(self, admin: asyncpg.Connection) -> None:
        tables = await leaving.tables_in_order(admin)
        sql = "SELECT polrelid::regclass::text FROM pg_policy WHERE polname = 'left_for_good'"
        assert set(tables) == {row[0] for row in await admin.fetch(sql)}
        assert tables.index("delivery") < tables.index("unit") < tables.index("vault_batch") < tables.index("sku") < tables.index("product")


async def leaving_store(process: Process, store: Store) -> object:
    """What the platform finds under the store's name, past what processes remember for two seconds."""
    return await hosts.by_slug(process.platform_pool, store.slug, process.settings.base_domain)
